-- Writes each element of a bulk call as a request, to be compared when its key comes again.
create or replace function pgwallet._requests(
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

comment on function pgwallet._requests(text, bigint[], numeric[]) is
'The requests of a bulk call, one an element.';
