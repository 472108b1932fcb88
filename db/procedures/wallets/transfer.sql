-- Moves money from a wallet to another of its currency, or between two pockets of one wallet.
-- Credit counts for a wallet that pays, never for a pocket.
--
-- Locks, in order: the idempotency key; both wallets by id, whose locks guard their pockets.
create or replace function pgwallet.transfer(
  p_from_account_id bigint,
  p_to_account_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, from_balance numeric, to_balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_change numeric := trim_scale(p_amount);
  v_request text;
  v_transaction_id bigint;
  v_from_balance numeric;
  v_to_balance numeric;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key !~ '[!-~]' or length(p_idempotency_key) > 200
    or p_effective_at is not null or octet_length(p_metadata::text) > 1000
  then
    perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  end if;
  if p_from_account_id = p_to_account_id then
    raise exception using
      errcode = 'PW002',
      message = format('account %s would pay itself', p_from_account_id),
      detail = 'Both accounts of the transfer are the same.',
      hint = 'Pass two wallets, or two pockets of one wallet.';
  end if;
  if p_idempotency_key is not null then
    v_request := format('transfer(%s, %s, %s)', p_from_account_id, p_to_account_id, v_change);
    v_transaction_id := pgwallet._insert_transaction(
      'transfer', p_idempotency_key, v_request, p_metadata, p_effective_at
    );
    if v_transaction_id is null then
      return query
      select p.transaction_id, p.source_balance, p.destination_balance, true
      from pgwallet.transaction as t
      inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
      where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
      if not found then
        perform pgwallet._check_transfer(p_from_account_id, p_to_account_id, p_amount);
        perform pgwallet._refuse_key(p_idempotency_key, v_request);
      end if;
      return;
    end if;
  end if;

  -- Of wallets alone: what no transfer may touch is not waited for.
  perform
  from pgwallet.account as a
  where a.kind = 'wallet' and a.account_id in (
    select coalesce(k.wallet_id, i.account_id)
    from (values (p_from_account_id), (p_to_account_id)) as i (account_id)
    left join pgwallet.pocket as k on k.pocket_id = i.account_id
  )
  order by a.account_id
  for no key update;

  -- Fresh statements: everything as it is now that nobody can change it.
  update pgwallet.account as a
  set balance = a.balance - v_change
  from pgwallet.account as d
  where a.account_id = p_from_account_id and d.account_id = p_to_account_id
    and scale(v_change) <= scale(a.balance) and a.balance + a.credit_limit >= v_change
    and a.currency = d.currency
    and a.closed_at is null and d.closed_at is null and a.frozen_at is null
    and (
      (a.kind = 'wallet' and d.kind = 'wallet')
      or exists (
        select
        from pgwallet.pocket as s
        inner join pgwallet.pocket as r on r.wallet_id = s.wallet_id
        where s.pocket_id = p_from_account_id and r.pocket_id = p_to_account_id
      )
    )
  returning a.balance into v_from_balance;
  if not found then
    perform pgwallet._refuse_transfer(p_from_account_id, p_to_account_id, p_amount);
  end if;
  update pgwallet.account as a
  set balance = a.balance + v_change
  where a.account_id = p_to_account_id
  returning a.balance into v_to_balance;

  if v_transaction_id is null then
    insert into pgwallet.transaction as t (kind, metadata, effective_at)
    values ('transfer', p_metadata, p_effective_at)
    returning t.transaction_id into v_transaction_id;
  end if;
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount,
    source_balance, destination_balance
  )
  values (
    v_transaction_id, p_from_account_id, p_to_account_id,
    round(p_amount, scale(v_from_balance)), v_from_balance, v_to_balance
  );

  transaction_id := v_transaction_id;
  from_balance := v_from_balance;
  to_balance := v_to_balance;
  replayed := false;
  return next;
end;
$function$;

comment on function pgwallet.transfer(bigint, bigint, numeric, text, jsonb, timestamptz) is
'Moves money between two wallets of one currency, or two pockets of one wallet. '
'Raises: PW001, PW002, PW003, PW105, PW201, PW203, PW208, PW209.';
