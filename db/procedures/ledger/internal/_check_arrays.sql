-- Refuses malformed arrays of a bulk call, in the order of errors: amounts, lengths, then keys,
-- metadata and times. Of expiries it only counts how many there are.
create or replace function pgwallet._check_arrays(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[],
  p_metadata jsonb[],
  p_effective_at timestamptz[],
  p_expires_at timestamptz[] default null
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
    or cardinality(p_metadata) <> cardinality(p_amounts)
    or cardinality(p_effective_at) <> cardinality(p_amounts)
    or cardinality(p_expires_at) <> cardinality(p_amounts)
  then
    raise exception using
      errcode = 'PW002',
      message = 'the arrays are not of one length',
      detail = format(
        'There are %s wallet ids, %s amounts, %s keys, %s metadata, %s effective times and %s '
        'expiries.',
        coalesce(cardinality(p_wallet_ids)::text, 'null'),
        coalesce(cardinality(p_amounts)::text, 'null'),
        coalesce(cardinality(p_idempotency_keys)::text, 'no'),
        coalesce(cardinality(p_metadata)::text, 'no'),
        coalesce(cardinality(p_effective_at)::text, 'no'),
        coalesce(cardinality(p_expires_at)::text, 'no')
      ),
      hint = 'Pass one wallet id and one amount an element, and of the others one or null for each, '
        'or leave them out.';
  end if;

  select u.idempotency_key into v_key
  from unnest(p_idempotency_keys) with ordinality as u (idempotency_key, ordinal)
  where pgwallet._is_blank(u.idempotency_key) or length(u.idempotency_key) > 200
  order by u.ordinal
  limit 1;
  if found then
    perform pgwallet._check_text('idempotency_key', v_key);
  end if;

  if p_metadata is not null or p_effective_at is not null then
    perform pgwallet._check_call(null, u.metadata, u.effective_at)
    from unnest(p_metadata, p_effective_at) with ordinality as u (metadata, effective_at, ordinal)
    where u.effective_at is not null or octet_length(u.metadata::text) > 1000
    order by u.ordinal;
  end if;
end;
$function$;
