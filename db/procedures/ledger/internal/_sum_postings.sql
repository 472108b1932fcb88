-- What came into an account without a balance of its own, less what left it: above one id and up to
-- another one, recorded until a time. Reads all postings between the ids.
create or replace function pgwallet._sum_postings(
  p_account_id bigint, p_above bigint, p_upto bigint, p_at timestamptz
)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
as $function$
begin
  return (
    select coalesce(
      sum(case when p.destination_account_id = p_account_id then p.amount else -p.amount end), 0
    )
    from pgwallet.posting as p
    where p.posting_id > p_above and p.posting_id <= p_upto and p.created_at <= p_at
      and (p.source_account_id = p_account_id or p.destination_account_id = p_account_id)
  );
end;
$function$;
