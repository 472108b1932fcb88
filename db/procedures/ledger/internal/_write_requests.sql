-- Writes each element of a bulk call as a request, which its key is compared with when it comes
-- again.
create or replace function pgwallet._write_requests(
  p_format text,
  p_wallet_ids bigint[],
  p_amounts numeric[]
)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
  select array_agg(format(p_format, u.wallet_id, trim_scale(u.amount)) order by u.ordinal)
  from unnest(p_wallet_ids, p_amounts) with ordinality as u (wallet_id, amount, ordinal);
$function$;
