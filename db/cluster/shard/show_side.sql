-- One side of a transfer between shards: its kind and currency, null where nothing has the id. With
-- p_amount it is the one that pays: refuses an amount with too many decimals.
create or replace function pgwallet_shard.show_side(p_account_id bigint, p_amount numeric)
returns table (kind text, currency text, closed_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_exponent integer;
begin
  select a.kind::text, a.currency, a.closed_at into kind, currency, closed_at
  from pgwallet.account as a
  where a.account_id = p_account_id;
  if scale(trim_scale(p_amount)) > 0 and kind in ('wallet', 'pocket') then
    v_exponent := pgwallet._find_exponent(currency);
    if scale(trim_scale(p_amount)) > v_exponent then
      perform pgwallet._refuse_decimals(p_amount, currency, v_exponent);
    end if;
  end if;
  return next;
end;
$function$;
