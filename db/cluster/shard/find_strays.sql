-- Finds wallets whose ids are of another shard: nobody would find them here.
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
    format('It is on shard %s, its id is in the range of another one.', i.shard)
  from pgwallet.wallet as w
  cross join pgwallet_shard.identity as i
  -- Those of a ledger that was in use before are below all ranges.
  where w.wallet_id >> 46 <> i.shard + 1 and not (i.is_adopted and w.wallet_id >> 46 = 0)
  order by w.wallet_id;
end;
$function$;
