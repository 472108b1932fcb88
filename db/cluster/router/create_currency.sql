-- Makes a currency on all shards with the same accounts. The home of its code comes first: it draws
-- their ids. The same call again completes what was broken off.
create or replace function pgwallet.create_currency(
  p_currency text,
  p_exponent integer,
  p_name text
)
returns table (
  currency text, exponent integer, name text,
  external_account_id bigint, commission_account_id bigint, fee_account_id bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_home integer := pgwallet_router._home_of(p_currency);
  v_currency record;
begin
  perform pgwallet_router._begin_call();
  select r.* into v_currency
  from pgwallet_remote.open_currency(v_home, p_currency, p_exponent, p_name) as r
  where r.error is null or pgwallet_router._raise(r.error);
  perform pgwallet_router._call_each(
    array(select pgwallet_router._others(v_home)),
    format(
      'select r.error from pgwallet_remote._create_currency($1, %L, %L, %L, %L, p_caller => null) '
      'as r',
      p_currency, p_exponent, p_name,
      array[
        v_currency.external_account_id, v_currency.commission_account_id,
        v_currency.fee_account_id
      ]
    )
  );
  return query
  select
    v_currency.currency, v_currency.exponent, v_currency.name, v_currency.external_account_id,
    v_currency.commission_account_id, v_currency.fee_account_id;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
