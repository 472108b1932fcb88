-- Finds wallets that nobody would find here: whose ids are of another shard, or whose owners are,
-- by the slot in their ids. An adopted shard keeps the owners that it has.
create or replace function pgwallet_shard.find_strays()
returns table (subject text, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    format('wallet %s', w.wallet_id),
    case
      when w.wallet_id >> 46 <> i.shard + 1
        then format('It is on shard %s, its id is in the range of another one.', i.shard)
      else format(
        'It is on shard %s, its owner is looked up on shard %s.',
        i.shard, w.wallet_id % 1024 % i.shard_count
      )
    end
  from pgwallet.wallet as w
  cross join pgwallet_shard.identity as i
  -- Those of a ledger that was in use before are below all ranges.
  where w.wallet_id >> 46 <> i.shard + 1 and not (i.is_adopted and w.wallet_id >> 46 = 0)
    or w.wallet_id % 1024 % i.shard_count <> i.shard and not i.is_adopted
  order by w.wallet_id;
end;
$function$;
