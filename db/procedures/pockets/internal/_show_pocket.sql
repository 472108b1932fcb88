-- What is told of a pocket: its share of what is allocated, what it holds, and what it lacks of its
-- target; null without one.
create or replace function pgwallet._show_pocket(p_pocket_id bigint)
returns table (
  pocket_id bigint, wallet_id bigint, name text, allocation_percentage numeric, balance numeric,
  pocket_type text, target_amount numeric, stop_at_target boolean, takes_rest boolean,
  lacking_amount numeric
)
language sql
stable
begin atomic
  select
    k.pocket_id, k.wallet_id, k.name, k.allocation_percentage, a.balance,
    k.pocket_type, k.target_amount, k.stop_at_target, k.takes_rest,
    case
      when k.target_amount is not null
        then round(greatest(k.target_amount - a.balance, 0), scale(a.balance))
    end as lacking_amount
  from (
    select o.*
    from pgwallet.pocket as o
    where o.pocket_id = p_pocket_id
  ) as k
  inner join pgwallet.account as a on k.pocket_id = a.account_id;
end;
