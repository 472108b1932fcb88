-- Counts what postings add to the accounts that keep no balance, where it is not nothing: those
-- above an id, up to each of others in their order, whose place stands for the seal.
create or replace function pgwallet._count_derived(p_above bigint, p_until bigint[])
returns table (place bigint, account_id bigint, amount numeric)
language plpgsql
stable
rows 10
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
as $function$
begin
  -- Of what left an account with a balance after it, only earnings that were collected count.
  return query
  select s.place, s.account_id, sum(s.amount)
  from (
    select
      width_bucket(p.posting_id - 1, p_until) + 1::bigint as place, v.account_id, v.amount
    from pgwallet.posting as p
    cross join lateral (
      values
        (
          p.source_account_id, -p.amount,
          p.source_balance is null or p.source_account_id in (
            select c.commission_account_id from pgwallet.currency as c
            union all
            select c.fee_account_id from pgwallet.currency as c
          )
        ),
        (p.destination_account_id, p.amount, p.destination_balance is null)
    ) as v (account_id, amount, is_derived)
    where p.posting_id > p_above and p.posting_id <= p_until[cardinality(p_until)]
      and v.is_derived
  ) as s
  group by s.place, s.account_id
  having sum(s.amount) <> 0;
end;
$function$;
