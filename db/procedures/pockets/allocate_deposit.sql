-- Splits an amount that is in a wallet over its pockets by their percentages and rules. Where no
-- pocket receives anything, one row without a pocket says so.
--
-- Locks, in order: the idempotency key, the wallet.
--
-- Plans are made once: made anew for each call, they cost more than the call.
create or replace function pgwallet.allocate_deposit(
  p_wallet_id bigint,
  p_amount numeric,
  p_rounding text default 'half_up',
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, pocket_id bigint, name text, allocation_percentage numeric,
  amount numeric, balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_request text;
  v_transaction_id bigint;
  v_exponent integer;
  v_balance numeric;
  v_limit integer;
  v_has_rules boolean;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key !~ '[!-~]' or length(p_idempotency_key) > 200
    or p_effective_at is not null or octet_length(p_metadata::text) > 1000
  then
    perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  end if;
  if (p_rounding in ('half_up', 'largest_remainder')) is not true then
    perform pgwallet._check_rounding(p_rounding);
  end if;
  if p_idempotency_key is not null then
    v_request := format(
      'allocate_deposit(%s, %s, %s)', p_wallet_id, trim_scale(p_amount), p_rounding
    );
    v_transaction_id := pgwallet._insert_transaction(
      'allocation', p_idempotency_key, v_request, p_metadata, p_effective_at
    );
    if v_transaction_id is null then
      return query
      select
        t.transaction_id, k.pocket_id, k.name, k.allocation_percentage,
        coalesce(p.amount, round(0.0, scale(a.balance))), p.destination_balance, true
      from pgwallet.transaction as t
      inner join pgwallet.account as a on a.account_id = p_wallet_id
      left join pgwallet.posting as p on p.transaction_id = t.transaction_id
      left join pgwallet.pocket as k on k.pocket_id = p.destination_account_id
      where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request
      order by p.posting_id;
      if not found then
        perform pgwallet._check_account('wallet', p_wallet_id, p_amount);
        perform pgwallet._refuse_key(p_idempotency_key, v_request);
      end if;
      return;
    end if;
  end if;

  select scale(a.balance), a.balance, a.has_rules, s.max_pockets_per_allocation
  into v_exponent, v_balance, v_has_rules, v_limit
  from pgwallet.account as a
  inner join pgwallet.settings as s on s.only_row
  where a.account_id = p_wallet_id and a.kind = 'wallet' and a.closed_at is null
    and scale(trim_scale(p_amount)) <= scale(a.balance)
  for no key update of a;
  if not found then
    perform pgwallet._check_account('wallet', p_wallet_id, p_amount);
    perform pgwallet._check_open_wallets(array[p_wallet_id]);
    perform pgwallet._refuse_missing_settings();
  end if;

  if v_transaction_id is null then
    insert into pgwallet.transaction as t (kind, metadata, effective_at)
    values ('allocation', p_metadata, p_effective_at)
    returning t.transaction_id into v_transaction_id;
  end if;

  if v_has_rules then
    return query
    select
      s.transaction_id, s.pocket_id, s.name, s.allocation_percentage, s.amount, s.balance, false
    from pgwallet._move_shares(
      array[p_wallet_id], array[p_amount], array[v_transaction_id], p_rounding
    ) as s
    order by s.place;
  else
    if v_balance < p_amount then
      perform pgwallet._check_shares(
        array[p_wallet_id], array[p_amount], array[v_transaction_id], v_limit, p_rounding
      );
    end if;

    if p_rounding = 'largest_remainder' then
      return query
      select
        v_transaction_id, s.pocket_id, s.name, s.allocation_percentage, s.amount, s.balance, false
      from pgwallet._move_remainders(
        p_wallet_id, p_amount, v_transaction_id, v_balance, v_limit
      ) as s
      order by s.place;
    else
      -- A fresh statement: percentages as they are now that nobody can change them. The wallet pays
      -- in the same update in which its pockets receive: one costs less than two.
      return query
      with share as materialized (
        select s.pocket_id, s.name, s.allocation_percentage, s.amount, s.place, s.total
        -- One more than take part, to warn of: no sum up to another contains it.
        from pgwallet._share_half_up(p_wallet_id, p_amount, v_exponent, v_limit + 1::bigint) as s
        where case
          when s.place <= v_limit then s.amount > 0
          -- Void, which is not null: the row is left out.
          else pgwallet._warn_of_pockets(array[p_wallet_id], v_limit) is null
        end
      ),

      moved as (
        update pgwallet.account as a
        set balance = a.balance + m.amount
        from (
          select s.pocket_id, s.name, s.allocation_percentage, s.amount, s.place, s.total
          from share as s
          union all
          select p_wallet_id, null, null, -max(s.total), null, null
          from share as s
          having max(s.total) > 0
        ) as m
        where a.account_id = m.pocket_id
        returning
          m.pocket_id, m.name, m.allocation_percentage, m.amount, m.place, m.total, a.balance
      ),

      posted as (
        insert into pgwallet.posting (
          transaction_id, source_account_id, destination_account_id, amount,
          source_balance, destination_balance
        )
        select v_transaction_id, p_wallet_id, m.pocket_id, m.amount, v_balance - m.total, m.balance
        from moved as m
        where m.place is not null
        order by m.place
      )

      select
        v_transaction_id, m.pocket_id, m.name, m.allocation_percentage, m.amount, m.balance, false
      from moved as m
      where m.place is not null
      order by m.place;
    end if;
  end if;
  if found then
    return;
  end if;

  transaction_id := v_transaction_id;
  amount := round(0.0, v_exponent);
  replayed := false;
  return next;
end;
$function$;

comment on function pgwallet.allocate_deposit(bigint, numeric, text, text, jsonb, timestamptz) is
'Splits an amount in a wallet over its pockets. '
'Raises: PW001, PW002, PW101, PW201, PW203, PW209.';
