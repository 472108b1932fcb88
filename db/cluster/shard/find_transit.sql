-- The account of a currency that money passes on its way between shards, made when it is first
-- used.
--
-- Locks: all of those accounts while one is made.
create or replace function pgwallet_shard.find_transit(p_currency text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_account_id bigint;
begin
  select t.account_id into v_account_id
  from pgwallet_shard.transit as t where t.currency = p_currency collate "C";
  if found then
    return v_account_id;
  end if;
  lock table pgwallet_shard.transit in share row exclusive mode;
  select t.account_id into v_account_id
  from pgwallet_shard.transit as t where t.currency = p_currency collate "C";
  if not found then
    v_account_id := pgwallet._draw_account_id(0);
    insert into pgwallet.account (account_id, kind, currency)
    values (v_account_id, 'in_transit', p_currency);
    insert into pgwallet_shard.transit (currency, account_id) values (p_currency, v_account_id);
  end if;
  return v_account_id;
end;
$function$;
