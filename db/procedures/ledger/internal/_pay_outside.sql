-- Pays money of a wallet or a project to the outside; never more than is in its account and its
-- credit together.
-- withdraw and payout are this with a kind each; a deposit has no twin, and stands alone.
--
-- Locks, in order: the idempotency key, the account.
create or replace function pgwallet._pay_outside(
  p_kind pgwallet.transaction_kind,
  p_account_kind pgwallet.account_kind,
  p_account_id bigint,
  p_amount numeric,
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz
)
returns table (transaction_id bigint, balance numeric, replayed boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_request text;
  v_transaction_id bigint;
  v_external_account_id bigint;
  v_balance numeric;
  v_account pgwallet.account;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key !~ '[!-~]' or length(p_idempotency_key) > 200
    or p_effective_at is not null or octet_length(p_metadata::text) > 1000
  then
    perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  end if;
  if p_idempotency_key is not null then
    v_request := format('%s(%s, %s)', p_kind, p_account_id, trim_scale(p_amount));
    v_transaction_id := pgwallet._insert_transaction(
      p_kind, p_idempotency_key, v_request, p_metadata, p_effective_at
    );
    if v_transaction_id is null then
      return query
      select p.transaction_id, p.source_balance, true
      from pgwallet.transaction as t
      inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
      where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
      if not found then
        perform pgwallet._check_account(p_account_kind, p_account_id, p_amount);
        perform pgwallet._refuse_key(p_idempotency_key, v_request);
      end if;
      return;
    end if;
  end if;

  update pgwallet.account as a
  set balance = a.balance - trim_scale(p_amount)
  where a.account_id = p_account_id and a.kind = p_account_kind
    and a.balance + a.credit_limit >= p_amount and a.frozen_at is null and a.closed_at is null
    and scale(trim_scale(p_amount)) <= scale(a.balance)
  returning a.balance, a.external_account_id
  into v_balance, v_external_account_id;
  if not found then
    perform pgwallet._check_account(p_account_kind, p_account_id, p_amount);
    select a.* into v_account from pgwallet.account as a where a.account_id = p_account_id;
    perform pgwallet._check_state(
      v_account.kind::text, p_account_id, v_account.closed_at, v_account.frozen_at
    );
    perform pgwallet._refuse_funds(
      v_account.kind::text, p_account_id, v_account.balance,
      round(p_amount, scale(v_account.balance)), v_account.credit_limit
    );
  end if;

  if v_transaction_id is null then
    insert into pgwallet.transaction as t (kind, metadata, effective_at)
    values (p_kind, p_metadata, p_effective_at)
    returning t.transaction_id into v_transaction_id;
  end if;
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, source_balance
  )
  values (
    v_transaction_id, p_account_id, v_external_account_id,
    round(p_amount, scale(v_balance)), v_balance
  );

  transaction_id := v_transaction_id;
  balance := v_balance;
  replayed := false;
  return next;
end;
$function$;
