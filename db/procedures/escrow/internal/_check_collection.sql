-- Refuses a collection of earnings that is malformed, and returns the decimals of its currency.
create or replace function pgwallet._check_collection(
  p_currency text,
  p_account text,
  p_amount numeric,
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz
)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_exponent integer;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if (p_account in ('commission', 'fee')) is not true then
    raise exception using
      errcode = 'PW002',
      message = format(
        'account %s is unknown', coalesce(quote_literal(left(p_account, 200)), 'null')
      ),
      detail = 'The platform earns as commission and as fee.',
      hint = 'Pass commission or fee.';
  end if;
  perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  v_exponent := pgwallet._find_exponent(p_currency);
  if scale(trim_scale(p_amount)) > v_exponent then
    perform pgwallet._refuse_decimals(p_amount, p_currency, v_exponent);
  end if;
  return v_exponent;
end;
$function$;
