-- The shard of an id: its range of 2^46 says so. Null for an id below all ranges: that is of what
-- lives on every shard, a project or an account of a currency. Where the first shard was a ledger
-- before, it is one of there; what may be on all shards, _shard_of_account tells apart.
create or replace function pgwallet_router._shard_of(p_id bigint)
returns integer
language sql
immutable
as $function$
  select case
    when p_id >> 46 between 1 and pgwallet_router._shard_count() then (p_id >> 46)::integer - 1
    when pgwallet_router._has_adopted() and p_id between 1 and (1::bigint << 46) - 1 then 0
  end
$function$;
