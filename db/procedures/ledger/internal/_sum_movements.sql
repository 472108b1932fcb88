-- What came into an account that keeps a balance, less what left it: from one id on and below
-- another one, recorded until a time.
create or replace function pgwallet._sum_movements(
  p_account_id bigint, p_from bigint, p_below bigint, p_at timestamptz
)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
begin
  return (
    select coalesce(sum(m.amount), 0)
    from (
      select p.amount
      from pgwallet.posting as p
      where p.destination_account_id = p_account_id and p.destination_balance is not null
        and p.posting_id >= p_from and p.posting_id < p_below and p.created_at <= p_at
      union all
      select -p.amount
      from pgwallet.posting as p
      where p.source_account_id = p_account_id and p.source_balance is not null
        and p.posting_id >= p_from and p.posting_id < p_below and p.created_at <= p_at
    ) as m
  );
end;
$function$;
