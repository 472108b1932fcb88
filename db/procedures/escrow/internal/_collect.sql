-- Posts what the platform earned to the outside; with p_may_overdraw also what is no longer there,
-- as a part of a collection from several shards, which was counted before its first part.
--
-- Locks, in order: the idempotency key, the account by an update that changes nothing, which no
-- release waits for: of two collectors the second counts anew, or fails with an older snapshot.
create or replace function pgwallet._collect(
  p_currency text,
  p_account text,
  p_amount numeric,
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz,
  p_may_overdraw boolean
)
returns table (transaction_id bigint, currency text, balance numeric, replayed boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_exponent integer;
  v_request text;
  v_transaction_id bigint;
  v_account_id bigint;
  v_external_account_id bigint;
  v_balance numeric;
begin
  v_exponent := pgwallet._check_collection(
    p_currency, p_account, p_amount, p_idempotency_key, p_metadata, p_effective_at
  );

  if p_idempotency_key is not null then
    v_request := format('collect_earnings(%s, %s, %s)', p_currency, p_account, trim_scale(p_amount));
  end if;
  v_transaction_id := pgwallet._insert_transaction(
    'collection', p_idempotency_key, v_request, p_metadata, p_effective_at
  );
  if v_transaction_id is null then
    return query
    select p.transaction_id, p_currency, p.source_balance, true
    from pgwallet.transaction as t
    inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
    where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
    if not found then
      perform pgwallet._refuse_key(p_idempotency_key, v_request);
    end if;
    return;
  end if;

  select
    case p_account when 'fee' then c.fee_account_id else c.commission_account_id end,
    c.external_account_id
  into v_account_id, v_external_account_id
  from pgwallet.currency as c
  where c.currency = p_currency collate "C";
  update pgwallet.account as a
  set kind = a.kind
  where a.account_id = v_account_id;
  -- A fresh statement, which sees what others have collected.
  v_balance := pgwallet.balance(v_account_id);
  if v_balance < p_amount and not p_may_overdraw then
    perform pgwallet._refuse_funds(
      p_account, v_account_id, v_balance, round(p_amount, v_exponent)
    );
  end if;
  v_balance := v_balance - round(p_amount, v_exponent);
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, source_balance
  )
  values (
    v_transaction_id, v_account_id, v_external_account_id, round(p_amount, v_exponent), v_balance
  );

  transaction_id := v_transaction_id;
  currency := p_currency;
  balance := v_balance;
  replayed := false;
  return next;
end;
$function$;
