-- Sets what a pledge comes to while its project is open: the wallet pays or gets the difference.
-- Never below what was released and refunded of it, never above the limit of a pledge. What raises
-- it is refused as a pledge would be.
--
-- Locks, in order: the idempotency key, the escrow, a share of the project, so that it stays open,
-- the wallet.
create or replace function pgwallet.change_pledge(
  p_escrow_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, escrow_id bigint, wallet_id bigint, project_id bigint,
  amount numeric, status text, balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_request text;
  v_project_id bigint;
  v_currency pgwallet.currency;
  v_transaction_id bigint;
  v_replayed boolean;
  v_escrow pgwallet.escrow;
  v_project pgwallet.project;
  v_wallet pgwallet.account;
  v_amount numeric;
  v_settled numeric;
  v_more numeric;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key !~ '[!-~]' or length(p_idempotency_key) > 200
    or p_effective_at is not null or octet_length(p_metadata::text) > 1000
  then
    perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  end if;
  select e.project_id into v_project_id from pgwallet.escrow as e where e.escrow_id = p_escrow_id;
  if not found then
    perform pgwallet._refuse_missing('escrow', p_escrow_id);
  end if;
  v_currency := pgwallet._check_account('project', v_project_id, p_amount);
  v_amount := round(p_amount, v_currency.exponent);
  if p_idempotency_key is not null then
    v_request := format('change_pledge(%s, %s)', p_escrow_id, trim_scale(p_amount));
  end if;

  v_transaction_id := pgwallet._insert_transaction(
    'pledge_change', p_idempotency_key, v_request, p_metadata, p_effective_at, p_escrow_id
  );
  v_replayed := v_transaction_id is null;
  if v_replayed then
    select t.transaction_id
    into v_transaction_id
    from pgwallet.transaction as t
    where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
    if not found then
      perform pgwallet._refuse_key(p_idempotency_key, v_request);
    end if;
  else
    select e.* into v_escrow
    from pgwallet.escrow as e where e.escrow_id = p_escrow_id
    for no key update;
    perform pgwallet._hold_project(v_project_id);
    -- A fresh statement, which sees a closing that was faster.
    select p.* into v_project from pgwallet.project as p where p.project_id = v_project_id;
    select a.* into v_wallet
    from pgwallet.account as a where a.account_id = v_escrow.wallet_id
    for no key update;
    v_settled := v_escrow.released_amount + v_escrow.refunded_amount;
    v_more := v_amount - v_escrow.amount;

    if v_more > 0 and v_wallet.closed_at is not null then
      perform pgwallet._refuse_closed_account('wallet', v_wallet.account_id, v_wallet.closed_at);
    elsif v_more > 0 and v_wallet.frozen_at is not null then
      perform pgwallet._refuse_frozen('wallet', v_wallet.account_id, v_wallet.frozen_at);
    elsif v_more > 0 and v_project.frozen_at is not null then
      perform pgwallet._refuse_frozen('project', v_project_id, v_project.frozen_at);
    elsif v_project.status <> 'open' then
      perform pgwallet._refuse_closed(v_project_id, v_project.status);
    elsif v_escrow.status in ('disputed', 'expired') then
      perform pgwallet._refuse_not_locked(
        p_escrow_id, v_escrow.status, v_escrow.amount - v_settled, p_amount
      );
    elsif v_escrow.expires_at <= clock_timestamp() then
      perform pgwallet._refuse_expired(p_escrow_id, v_escrow.expires_at, null);
    elsif v_amount < v_settled then
      raise exception using
        errcode = 'PW206',
        message = format('a pledge of %s is too small for escrow %s', v_amount, p_escrow_id),
        detail = format(
          'Of it, %s were released and %s refunded.',
          round(v_escrow.released_amount, v_currency.exponent),
          round(v_escrow.refunded_amount, v_currency.exponent)
        ),
        hint = format('Set at least %s, or give what is left back by cancel_pledge.', v_settled);
    elsif v_amount > v_project.max_pledge then
      perform pgwallet._refuse_limit(v_project_id, v_amount, v_project.max_pledge);
    elsif v_more > v_wallet.balance + v_wallet.credit_limit then
      perform pgwallet._refuse_funds(
        'wallet', v_wallet.account_id, v_wallet.balance, v_more, v_wallet.credit_limit
      );
    end if;

    if v_more <> 0 then
      update pgwallet.escrow as e
      set
        amount = v_amount,
        status = pgwallet._escrow_status(v_amount, e.released_amount, e.refunded_amount),
        settled_by = case when v_amount = v_settled then v_transaction_id end,
        -- What a seal counted as settled stays so; from here on it is counted as locked again.
        reopenings = case
          when e.settled_by is null then e.reopenings
          else e.reopenings || array[e.settled_by, v_transaction_id]
        end
      where e.escrow_id = p_escrow_id;
      update pgwallet.account as a
      set balance = a.balance - v_more
      where a.account_id = v_escrow.wallet_id;
      insert into pgwallet.posting (
        transaction_id, source_account_id, destination_account_id, amount,
        source_balance, destination_balance
      )
      values (
        v_transaction_id,
        case when v_more > 0 then v_escrow.wallet_id else v_project.escrow_account_id end,
        case when v_more > 0 then v_project.escrow_account_id else v_escrow.wallet_id end,
        abs(v_more),
        case when v_more > 0 then v_wallet.balance - v_more end,
        case when v_more < 0 then v_wallet.balance - v_more end
      );
    end if;
  end if;

  -- Where nothing moved, no posting tells the balance: then it is that of when the call came, which
  -- the lock on the wallet has made final.
  return query
  select
    t.transaction_id, e.escrow_id, e.wallet_id, e.project_id, v_amount, e.status::text,
    coalesce(
      p.source_balance, p.destination_balance, pgwallet.balance_at(e.wallet_id, t.created_at)
    ),
    v_replayed
  from pgwallet.transaction as t
  inner join pgwallet.escrow as e on e.escrow_id = t.escrow_id
  left join pgwallet.posting as p on p.transaction_id = t.transaction_id
  where t.transaction_id = v_transaction_id;
end;
$function$;

comment on function pgwallet.change_pledge(bigint, numeric, text, jsonb, timestamptz) is
'Sets what a pledge comes to while its project is open. '
'Raises: PW001, PW002, PW104, PW201, PW202, PW203, PW204, PW206, PW208, PW209, PW301.';
