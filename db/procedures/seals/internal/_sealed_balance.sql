-- What an account without a balance of its own came to at a seal.
create or replace function pgwallet._sealed_balance(p_account_id bigint, p_seal_id bigint)
returns numeric
language sql
stable
begin atomic
  select coalesce(
    (
      select b.balance
      from pgwallet.seal_balance as b
      where b.account_id = p_account_id and b.seal_id <= p_seal_id
      order by b.seal_id desc
      limit 1
    ),
    0
  );
end;
