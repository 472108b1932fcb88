-- What is told of wallets with these ids, in the order of their currencies.
--
-- A standard SQL body: its names were resolved when it was made, so that it needs no search_path,
-- and the planner writes it out in the statements that use it.
create or replace function pgwallet._show_wallets(p_wallet_ids bigint[])
returns table (
  wallet_id bigint, owner_id text, currency text, balance numeric,
  credit_limit numeric, frozen_at timestamptz, closed_at timestamptz
)
language sql
stable
begin atomic
  select
    w.wallet_id, w.owner_id, w.currency, a.balance,
    round(a.credit_limit, scale(a.balance)) as credit_limit, a.frozen_at, a.closed_at
  from (
    select l.*
    from pgwallet.wallet as l
    where l.wallet_id = any(p_wallet_ids)
  ) as w
  inner join pgwallet.account as a on w.wallet_id = a.account_id
  order by w.currency;
end;
