-- Adds up what a seal covers beyond the one before it: for each account without a balance of its
-- own what it comes to now, if that changed. Returns when the latest of all postings was recorded.
--
-- A part of seal_ledger, which it takes its time from: set-based, along the index of ids.
create or replace function pgwallet._seal_sums(p_seal pgwallet.seal, p_previous pgwallet.seal)
returns timestamptz
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
as $function$
declare
  v_above bigint := coalesce(p_previous.posting_id, '-9223372036854775808'::bigint);
  v_latest_at timestamptz;
begin
  -- Of what left an account with a balance after it, only earnings that were collected count.
  insert into pgwallet.seal_balance (account_id, seal_id, balance)
  select m.account_id, p_seal.seal_id, m.amount + coalesce(b.balance, 0)
  from (
    select s.account_id, sum(s.amount) as amount
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
    ) as s (account_id, amount, is_derived)
    where p.posting_id > v_above and p.posting_id <= p_seal.posting_id and s.is_derived
    group by s.account_id
  ) as m
  left join lateral (
    select n.balance
    from pgwallet.seal_balance as n
    where n.account_id = m.account_id
    order by n.seal_id desc
    limit 1
  ) as b on true
  where m.amount <> 0;

  select max(p.created_at)
  into v_latest_at
  from pgwallet.posting as p
  where p.posting_id > v_above and p.posting_id <= p_seal.posting_id;
  return coalesce(greatest(p_previous.latest_at, v_latest_at), '-infinity');
end;
$function$;
