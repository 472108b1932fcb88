-- Gives amounts of escrows, which the caller has locked, back to the wallets that pledged them.
--
-- Locks: the wallets by id.
create or replace function pgwallet._refund(
  p_transaction_id bigint,
  p_escrow_ids bigint[],
  p_amounts numeric[]
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform
  from pgwallet.account as a
  where a.account_id in (
    select e.wallet_id from pgwallet.escrow as e where e.escrow_id = any (p_escrow_ids)
  )
  order by a.account_id
  for no key update;

  with refunded as (
    update pgwallet.escrow as e
    set
      refunded_amount = e.refunded_amount + u.amount,
      status = pgwallet._escrow_status(e.amount, e.released_amount, e.refunded_amount + u.amount)
    from unnest(p_escrow_ids, p_amounts) as u (escrow_id, amount)
    where e.escrow_id = u.escrow_id
    returning e.escrow_id, e.wallet_id, e.project_id, u.amount
  ),

  credited as (
    update pgwallet.account as a
    set balance = a.balance + d.amount
    from (
      select r.wallet_id, sum(r.amount) as amount
      from refunded as r
      group by r.wallet_id
    ) as d
    where a.account_id = d.wallet_id
    returning a.account_id, a.balance - d.amount as balance_before
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select
    p_transaction_id, p.escrow_account_id, r.wallet_id, r.amount,
    c.balance_before + sum(r.amount) over (partition by r.wallet_id order by r.escrow_id)
  from refunded as r
  inner join credited as c on c.account_id = r.wallet_id
  inner join pgwallet.project as p on p.project_id = r.project_id
  order by r.escrow_id;
end;
$function$;

comment on function pgwallet._refund(bigint, bigint[], numeric[]) is
'Gives amounts of locked escrows back to the wallets that pledged them.';
