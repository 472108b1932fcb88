-- Refuses malformed arrays of a bulk call, in the order of errors: amounts, lengths, keys.
create or replace function pgwallet._check_arrays(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[]
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_amount numeric;
  v_key text;
begin
  select u.amount into v_amount
  from unnest(p_amounts) with ordinality as u (amount, ordinal)
  where (u.amount > 0 and u.amount < 1000000000000000) is not true
  order by u.ordinal
  limit 1;
  if found then
    perform pgwallet._refuse_amount(v_amount);
  end if;

  if p_wallet_ids is null or p_amounts is null
    or cardinality(p_wallet_ids) <> cardinality(p_amounts)
    or cardinality(p_idempotency_keys) <> cardinality(p_amounts)
  then
    raise exception using
      errcode = 'PW002',
      message = 'the arrays are not of one length',
      detail = format(
        'There are %s wallet ids, %s amounts and %s keys.',
        coalesce(cardinality(p_wallet_ids)::text, 'null'),
        coalesce(cardinality(p_amounts)::text, 'null'),
        coalesce(cardinality(p_idempotency_keys)::text, 'no')
      ),
      hint = 'Pass one wallet id and one amount an element, and a key or null for each if any has one.';
  end if;

  select u.idempotency_key into v_key
  from unnest(p_idempotency_keys) with ordinality as u (idempotency_key, ordinal)
  where pgwallet._is_blank(u.idempotency_key) or length(u.idempotency_key) > 200
  order by u.ordinal
  limit 1;
  if found then
    perform pgwallet._check_text('idempotency_key', v_key);
  end if;
end;
$function$;
