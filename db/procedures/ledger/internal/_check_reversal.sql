-- Refuses to take back a transaction: of closed accounts, but where a cluster undoes it, of a kind
-- that is undone another way, that moved nothing, that was taken back by another reversal than
-- p_reversal_id, or whose money is no longer where it went.
--
-- Locks nothing; whoever goes on holds the accounts. Credit counts for what leaves a wallet, but
-- never fills a pocket.
create or replace function pgwallet._check_reversal(
  p_transaction_id bigint,
  p_reversal_id bigint,
  p_is_undoing boolean
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_transaction pgwallet.transaction;
  v_account pgwallet.account;
  v_missing record;
  v_reversal_id bigint;
  v_count bigint;
begin
  select a.*
  into v_account
  from pgwallet.posting as p
  cross join lateral (
    values (p.source_account_id), (p.destination_account_id)
  ) as m (account_id)
  left join pgwallet.pocket as k on k.pocket_id = m.account_id
  inner join pgwallet.account as a on a.account_id = any (array[m.account_id, k.wallet_id])
  where p.transaction_id = p_transaction_id and a.closed_at is not null and not p_is_undoing
  order by p.posting_id, a.account_id
  limit 1;
  if found then
    perform pgwallet._refuse_closed_account(
      v_account.kind::text, v_account.account_id, v_account.closed_at
    );
  end if;

  select t.* into v_transaction
  from pgwallet.transaction as t
  where t.transaction_id = p_transaction_id;
  select r.transaction_id into v_reversal_id
  from pgwallet.transaction as r
  where r.reversed_transaction_id = p_transaction_id
    and r.transaction_id is distinct from p_reversal_id;
  select count(*) into v_count
  from pgwallet.posting as p
  where p.transaction_id = p_transaction_id;
  if not pgwallet._is_reversible(v_transaction.kind)
    or v_reversal_id is not null or v_count = 0
  then
    perform pgwallet._refuse_reversal(p_transaction_id, v_transaction.kind, v_reversal_id);
  end if;

  select a.kind, a.account_id, a.balance, m.amount, c.credit_limit
  into v_missing
  from (
    select p.destination_account_id as account_id, sum(p.amount) as amount,
      min(p.posting_id) as posting_id
    from pgwallet.posting as p
    where p.transaction_id = p_transaction_id
    group by p.destination_account_id
  ) as m
  inner join pgwallet.account as a on a.account_id = m.account_id
  cross join lateral (
    select case
      when v_transaction.kind <> 'transfer_from_pocket' then a.credit_limit else 0
    end as credit_limit
  ) as c
  where a.balance + c.credit_limit < m.amount
  order by m.posting_id
  limit 1;
  if found then
    perform pgwallet._refuse_funds(
      v_missing.kind::text, v_missing.account_id, v_missing.balance, v_missing.amount,
      v_missing.credit_limit
    );
  end if;
end;
$function$;
