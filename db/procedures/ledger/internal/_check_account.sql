-- Refuses a missing account, or too many decimals for its currency, and returns that currency.
--
-- Locks nothing: neither kind nor currency of an account ever change.
create or replace function pgwallet._check_account(
  p_kind pgwallet.account_kind,
  p_account_id bigint,
  p_amount numeric
)
returns pgwallet.currency
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_currency pgwallet.currency;
begin
  select c.*
  into v_currency
  from pgwallet.account as a
  inner join pgwallet.currency as c on c.currency = a.currency
  where a.account_id = p_account_id and a.kind = p_kind;
  if not found then
    perform pgwallet._refuse_missing(p_kind::text, p_account_id);
  end if;
  if scale(trim_scale(p_amount)) > v_currency.exponent then
    perform pgwallet._refuse_decimals(p_amount, v_currency.currency, v_currency.exponent);
  end if;
  return v_currency;
end;
$function$;
