-- Seals in the order of their ids or the last one first, in pages. A digest that is kept where the
-- owner of the database has no hand in says later whether it is still the same history.
create or replace function pgwallet.list_seals(
  p_after_seal_id bigint default 0,
  p_limit integer default 100,
  p_newest_first boolean default false
)
returns table (
  seal_id bigint, sealed_at timestamptz, transaction_id bigint, posting_id bigint, event_id bigint,
  digest text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_after_seal_id bigint := coalesce(p_after_seal_id, 0);
begin
  perform pgwallet._check_limit(p_limit);
  if p_newest_first then
    return query
    select
      s.seal_id, s.sealed_at, s.transaction_id, s.posting_id, s.event_id,
      encode(s.digest, 'hex')
    from pgwallet.seal as s
    where v_after_seal_id <= 0 or s.seal_id < v_after_seal_id
    order by s.seal_id desc
    limit p_limit;
  else
    return query
    select
      s.seal_id, s.sealed_at, s.transaction_id, s.posting_id, s.event_id,
      encode(s.digest, 'hex')
    from pgwallet.seal as s
    where s.seal_id > v_after_seal_id
    order by s.seal_id
    limit p_limit;
  end if;
end;
$function$;

comment on function pgwallet.list_seals(bigint, integer, boolean) is
'Seals with their digests, oldest or newest first. Raises: PW002.';
