-- Pledges to one project from many wallets: a transaction and an escrow an element, all or none.
--
-- Locks, in order: a share of the ids of slot 0 for wallets there; the idempotency keys, sorted; a
-- share of the project; the wallets by id.
-- Plans are made once and walk along indexes, an element at a time: that suits any size, and made
-- anew for each call they cost more than a hundred elements.
create or replace function pgwallet.pledge_many(
  p_project_id bigint,
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[] default null,
  p_expires_at timestamptz[] default null,
  p_metadata jsonb[] default null,
  p_effective_at timestamptz[] default null
)
returns table (
  transaction_id bigint, wallet_id bigint, escrow_id bigint, amount numeric,
  balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $function$
declare
  v_project pgwallet.project;
  v_element record;
  v_requests text[];
  v_escrow_ids bigint[];
  v_transaction_ids bigint[];
  v_replays boolean[];
  v_amounts numeric[];
  v_balances numeric[];
begin
  perform pgwallet._check_arrays(
    p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at, p_expires_at
  );
  if p_idempotency_keys is not null then
    v_requests := pgwallet._write_requests(
      'pledge_many(' || p_project_id || ', %s, %s)', p_wallet_ids, p_amounts
    );
  end if;
  if p_expires_at is not null then
    -- Not of a replay, which may come when it is past.
    perform pgwallet._check_expiry(u.expires_at)
    from unnest(p_expires_at, p_idempotency_keys, v_requests) with ordinality
      as u (expires_at, idempotency_key, request, ordinal)
    where u.expires_at is not null and not exists (
      select
      from pgwallet.transaction as t
      where t.idempotency_key = u.idempotency_key collate "C" and t.request = u.request
    )
    order by u.ordinal;
  end if;
  select p.* into v_project from pgwallet.project as p where p.project_id = p_project_id;
  if not found then
    perform pgwallet._refuse_missing('project', p_project_id);
  end if;
  if cardinality(p_amounts) = 0 then
    return;
  end if;
  perform pgwallet._check_wallets(p_wallet_ids, p_amounts);

  select
    array_agg(
      -- In slot 0 it must be no id that somebody is giving to a project.
      case
        when u.wallet_id % 1024 = 0 then pgwallet._draw_account_id(0)
        else nextval('pgwallet.id_seq') * 1024 + u.wallet_id % 1024
      end
      order by u.ordinal
    )
  into v_escrow_ids
  from unnest(p_wallet_ids) with ordinality as u (wallet_id, ordinal);
  select c.transaction_ids, c.replays
  into v_transaction_ids, v_replays
  from pgwallet._insert_transactions(
    'pledge', cardinality(p_amounts), p_idempotency_keys, v_requests, p_metadata, p_effective_at,
    v_escrow_ids
  ) as c;

  if false = any (v_replays) then
    -- Looked at again once they are locked.
    select a.account_id, a.currency, a.closed_at, a.frozen_at
    into v_element
    from unnest(p_wallet_ids, v_replays) with ordinality as u (wallet_id, replayed, ordinal)
    inner join pgwallet.account as a on a.account_id = u.wallet_id
    where not u.replayed and (
      a.currency <> v_project.currency or a.closed_at is not null or a.frozen_at is not null
    )
    order by a.currency = v_project.currency, a.closed_at is null, u.ordinal
    limit 1;
    if found then
      if v_element.currency <> v_project.currency then
        perform pgwallet._refuse_currency(
          v_element.account_id, v_element.currency, p_project_id, v_project.currency
        );
      end if;
      perform pgwallet._check_state(
        'wallet', v_element.account_id, v_element.closed_at, v_element.frozen_at
      );
    end if;

    perform pgwallet._hold_project(p_project_id);
    select p.* into v_project from pgwallet.project as p where p.project_id = p_project_id;
    if v_project.frozen_at is not null then
      perform pgwallet._refuse_frozen('project', p_project_id, v_project.frozen_at);
    end if;
    if v_project.status <> 'open' then
      perform pgwallet._refuse_closed(p_project_id, v_project.status);
    end if;

    select u.amount
    into v_element
    from unnest(p_amounts, v_replays) with ordinality as u (amount, replayed, ordinal)
    where u.amount > v_project.max_pledge and not u.replayed
    order by u.ordinal
    limit 1;
    if found then
      perform pgwallet._refuse_limit(p_project_id, v_element.amount, v_project.max_pledge);
    end if;
  end if;

  perform
  from pgwallet.account as a
  where a.account_id = any (p_wallet_ids)
  order by a.account_id
  for no key update;

  -- Fresh statements: balances as they are now that nobody can change them.
  select d.wallet_id, a.balance, d.amount, a.credit_limit, a.closed_at, a.frozen_at
  into v_element
  from (
    select u.wallet_id, sum(u.amount) as amount, min(u.ordinal) as ordinal
    from unnest(p_wallet_ids, p_amounts, v_replays) with ordinality
      as u (wallet_id, amount, replayed, ordinal)
    where not u.replayed
    group by u.wallet_id
  ) as d
  inner join pgwallet.account as a on a.account_id = d.wallet_id
  where a.balance + a.credit_limit < d.amount
    or a.closed_at is not null or a.frozen_at is not null
  order by a.closed_at is null, a.frozen_at is null, d.ordinal
  limit 1;
  if found then
    perform pgwallet._check_state(
      'wallet', v_element.wallet_id, v_element.closed_at, v_element.frozen_at
    );
    perform pgwallet._refuse_funds(
      'wallet', v_element.wallet_id, v_element.balance, v_element.amount, v_element.credit_limit
    );
  end if;

  with element as materialized (
    select
      u.ordinal, u.wallet_id, u.transaction_id, u.escrow_id, u.expires_at, u.replayed,
      round(u.amount, scale(a.balance)) as amount,
      a.balance - sum(trim_scale(u.amount)) filter (where not u.replayed) over (
        partition by u.wallet_id order by u.ordinal
      ) as balance
    from unnest(
      p_wallet_ids, p_amounts, v_transaction_ids, v_escrow_ids, p_expires_at, v_replays
    ) with ordinality
      as u (wallet_id, amount, transaction_id, escrow_id, expires_at, replayed, ordinal)
    inner join pgwallet.account as a on a.account_id = u.wallet_id
  ),

  debited as (
    update pgwallet.account as a
    set balance = d.balance
    from (
      select e.wallet_id, min(e.balance) as balance
      from element as e
      group by e.wallet_id
    ) as d
    where a.account_id = d.wallet_id and d.balance is not null
  ),

  locked as (
    insert into pgwallet.escrow (escrow_id, project_id, wallet_id, expires_at, amount)
    select e.escrow_id, p_project_id, e.wallet_id, e.expires_at, e.amount
    from element as e
    where not e.replayed
    order by e.ordinal
  ),

  posted as (
    insert into pgwallet.posting (
      transaction_id, source_account_id, destination_account_id, amount, source_balance
    )
    select e.transaction_id, e.wallet_id, v_project.escrow_account_id, e.amount, e.balance
    from element as e
    where not e.replayed
    order by e.ordinal
  )

  select
    array_agg(e.amount order by e.ordinal), array_agg(e.balance order by e.ordinal)
  into v_amounts, v_balances
  from element as e;

  -- What a replay returns was posted before.
  return query
  select
    u.transaction_id, u.wallet_id, coalesce(t.escrow_id, u.escrow_id),
    coalesce(p.amount, u.amount), coalesce(p.source_balance, u.balance), u.replayed
  from unnest(
    v_transaction_ids, p_wallet_ids, v_escrow_ids, v_amounts, v_balances, v_replays
  ) with ordinality
    as u (transaction_id, wallet_id, escrow_id, amount, balance, replayed, ordinal)
  left join pgwallet.transaction as t
    on t.transaction_id = case when u.replayed then u.transaction_id end
  left join pgwallet.posting as p on p.transaction_id = t.transaction_id
  order by u.ordinal;
end;
$function$;

comment on function pgwallet.pledge_many(
  bigint, bigint[], numeric[], text[], timestamptz[], jsonb[], timestamptz[]
) is
'Pledges to one project from many wallets, all or none. '
'Raises: PW001, PW002, PW003, PW101, PW103, PW201, PW203, PW204, PW208, PW209, PW301.';
