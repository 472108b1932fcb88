-- The digest that a seal has: of its columns, of the digest of the one before it (null for none),
-- and of the pages that it covers.
create or replace function pgwallet._seal_digest(
  p_seal pgwallet.seal,
  p_previous_digest bytea,
  p_pages text
)
returns bytea
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return sha256(
    convert_to(
      concat_ws(
        ' ', 'seal', p_seal.seal_id, extract(epoch from p_seal.sealed_at), p_seal.transaction_id,
        p_seal.posting_id, p_seal.event_id, coalesce(encode(p_previous_digest, 'hex'), '-')
      ) || e'\n' || coalesce(p_pages, ''),
      'UTF8'
    )
  );
end;
$function$;
