-- Gives what was released of an escrow, or a part of it, back to its wallet: a charge-back.
-- Commission and fee give back what they took beyond what is due for the rest, the project gives
-- the rest of the amount; with p_keep_fees they keep it, and the project gives all.
--
-- Locks, in order: the idempotency key, the escrow, the wallet, the project's account. Nothing
-- keeps a frozen project, a closed wallet or a dispute of what is left from it.
create or replace function pgwallet.refund_release(
  p_escrow_id bigint,
  p_amount numeric default null,
  p_keep_fees boolean default false,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, escrow_id bigint, wallet_id bigint, project_id bigint,
  refunded_amount numeric, commission_amount numeric, fee_amount numeric, net_amount numeric,
  status text, balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_request text;
  v_project_id bigint;
  v_project pgwallet.project;
  v_account pgwallet.account;
  v_currency pgwallet.currency;
  v_transaction_id bigint;
  v_replayed boolean;
  v_escrow pgwallet.escrow;
  v_amount numeric;
  v_rest numeric;
  v_due_commission numeric;
  v_commission numeric := 0;
  v_fee numeric := 0;
  v_net numeric;
  v_balance numeric;
begin
  if p_amount is not null and (p_amount > 0 and p_amount < 1000000000000000) is not true then
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
  if p_idempotency_key is not null then
    v_request := format(
      'refund_release(%s, %s, %s)', p_escrow_id, coalesce(trim_scale(p_amount)::text, 'null'),
      coalesce(p_keep_fees, false)
    );
  end if;

  v_transaction_id := pgwallet._insert_transaction(
    'release_refund', p_idempotency_key, v_request, p_metadata, p_effective_at, p_escrow_id
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
    v_amount := round(coalesce(p_amount, v_escrow.released_amount), v_currency.exponent);
    if v_escrow.released_amount = 0 or v_amount > v_escrow.released_amount then
      raise exception using
        errcode = 'PW206',
        message = format('not that much was released of escrow %s', p_escrow_id),
        detail = format(
          '%s was released of it, the amount is %s.',
          v_escrow.released_amount, coalesce(p_amount::text, 'what was released')
        ),
        hint = 'Give back less; refund_escrow gives back what is still in the escrow.';
    end if;

    select p.* into v_project from pgwallet.project as p where p.project_id = v_project_id;
    if p_keep_fees is not true then
      -- What one release of the rest would have taken.
      v_rest := v_escrow.released_amount - v_amount;
      v_due_commission := pgwallet._apply_rate(
        v_rest, 0, 0, v_project.commission_rate, v_currency.exponent
      );
      v_commission := greatest(0, least(v_amount, v_escrow.commission_amount - v_due_commission));
      v_fee := greatest(0, least(
        v_amount - v_commission,
        v_escrow.fee_amount - least(
          v_rest - v_due_commission,
          pgwallet._apply_rate(
            v_rest, 0, -v_project.fee_fixed, v_project.fee_rate, v_currency.exponent
          )
        )
      ));
    end if;
    v_net := v_amount - v_commission - v_fee;

    select a.balance into v_balance
    from pgwallet.account as a where a.account_id = v_escrow.wallet_id
    for no key update;
    select a.* into v_account
    from pgwallet.account as a where a.account_id = v_project_id
    for no key update;
    if v_net > 0 and v_net > v_account.balance + v_account.credit_limit then
      perform pgwallet._refuse_funds(
        'project', v_project_id, v_account.balance, v_net, v_account.credit_limit
      );
    end if;

    update pgwallet.escrow as e
    set
      released_amount = e.released_amount - v_amount,
      refunded_amount = e.refunded_amount + v_amount,
      commission_amount = e.commission_amount - v_commission,
      fee_amount = e.fee_amount - v_fee,
      net_amount = e.net_amount - v_net,
      status = case
        when e.status in ('locked', 'disputed') then e.status
        else pgwallet._escrow_status(
          e.amount, e.released_amount - v_amount, e.refunded_amount + v_amount
        )
      end
    where e.escrow_id = p_escrow_id;
    update pgwallet.account as a
    set balance = a.balance + v_amount
    where a.account_id = v_escrow.wallet_id;
    update pgwallet.account as a
    set balance = a.balance - v_net
    where a.account_id = v_project_id;
    insert into pgwallet.posting (
      transaction_id, source_account_id, destination_account_id, amount,
      source_balance, destination_balance
    )
    select
      v_transaction_id, s.account_id, v_escrow.wallet_id, s.amount, s.balance,
      v_balance + sum(s.amount) over (order by s.place)
    from (
      values
        (1, v_project_id, v_net, v_account.balance - v_net),
        (2, v_currency.commission_account_id, v_commission, null),
        (3, v_currency.fee_account_id, v_fee, null)
    ) as s (place, account_id, amount, balance)
    where s.amount > 0
    order by s.place;
  end if;

  return query
  select
    v_transaction_id, e.escrow_id, e.wallet_id, e.project_id,
    round(sum(p.amount), v_currency.exponent),
    round(coalesce(sum(p.amount) filter (
      where p.source_account_id = v_currency.commission_account_id
    ), 0), v_currency.exponent),
    round(coalesce(sum(p.amount) filter (
      where p.source_account_id = v_currency.fee_account_id
    ), 0), v_currency.exponent),
    round(coalesce(sum(p.amount) filter (
      where p.source_account_id = e.project_id
    ), 0), v_currency.exponent),
    e.status::text,
    (array_agg(p.destination_balance order by p.posting_id desc))[1],
    v_replayed
  from pgwallet.escrow as e
  inner join pgwallet.posting as p on p.transaction_id = v_transaction_id
  where e.escrow_id = p_escrow_id
  group by e.escrow_id;
end;
$function$;

comment on function pgwallet.refund_release(
  bigint, numeric, boolean, text, jsonb, timestamptz
) is
'Gives what was released of an escrow back to its wallet, from project, commission and fee. '
'Raises: PW001, PW002, PW104, PW201, PW203, PW206.';
