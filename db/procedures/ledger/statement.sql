-- The postings of an account, oldest or newest first, with the balance after each where the account
-- keeps one: from a time on, and until another one. To go on, pass the last posting_id seen.
-- Until the time of a seal, it never changes any more.
--
-- By effective times, order, bounds and balance all go by when the postings happened.
create or replace function pgwallet.statement(
  p_account_id bigint,
  p_after_posting_id bigint default 0,
  p_limit integer default 100,
  p_newest_first boolean default false,
  p_from timestamptz default null,
  p_until timestamptz default null,
  p_by text default 'recorded'
)
returns table (
  posting_id bigint, transaction_id bigint, kind text, amount numeric, balance numeric,
  counterpart_id bigint, escrow_id bigint, created_at timestamptz, effective_at timestamptz,
  metadata jsonb, reversed_transaction_id bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
  -- A clock that was set back puts times out of order, so seeking keeps its distance.
  c_distance constant interval := interval '1 hour';
  v_newest_first boolean := coalesce(p_newest_first, false);
  v_above bigint := 0;
  v_below bigint := 9223372036854775807;
  v_account pgwallet.account;
  v_seal pgwallet.seal;
begin
  perform pgwallet._check_limit(p_limit);
  if p_from is not null or p_until is not null then
    perform pgwallet._check_time('from', p_from);
    perform pgwallet._check_time('until', p_until);
  end if;
  perform pgwallet._check_by(p_by);
  select a.* into v_account from pgwallet.account as a where a.account_id = p_account_id;
  if not found then
    perform pgwallet._refuse_missing('account', p_account_id);
  end if;

  if p_by = 'effective' then
    return query
    select e.*
    from pgwallet._read_effective(
      v_account, coalesce(p_after_posting_id, 0), coalesce(p_from, '-infinity'),
      coalesce(p_until, 'infinity'), p_limit, v_newest_first
    ) as e;
    return;
  end if;

  if not v_newest_first then
    v_above := coalesce(p_after_posting_id, 0);
  elsif p_after_posting_id <> 0 then
    v_below := p_after_posting_id;
  end if;
  -- What a seal covers until then, whatever the clock says of what came later.
  if p_until is not null then
    v_seal := pgwallet._seal_from(p_until);
    v_below := least(v_below, v_seal.posting_id + 1);
  end if;
  if p_from is not null then
    v_seal := pgwallet._seal_until(p_from - interval '1 microsecond');
    v_above := greatest(v_above, v_seal.posting_id);
  end if;
  if v_account.balance is not null then
    if p_from is not null then
      v_above := greatest(
        v_above, pgwallet._seek_posting(p_account_id, p_from - c_distance) - 1
      );
    end if;
    if p_until is not null then
      v_below := least(v_below, pgwallet._seek_posting(p_account_id, p_until + c_distance));
    end if;
  end if;

  if v_account.balance is null and not v_newest_first then
    return query
    select d.*
    from pgwallet._read_decided(
      v_account, v_above, v_below, coalesce(p_from, '-infinity'), coalesce(p_until, 'infinity'),
      p_limit
    ) as d;
    return;
  end if;

  return query
  select
    p.posting_id, p.transaction_id, t.kind::text,
    case when p.destination_account_id = p_account_id then p.amount else -p.amount end,
    case
      when p.destination_account_id = p_account_id then p.destination_balance
      else p.source_balance
    end,
    case
      when p.destination_account_id = p_account_id then p.source_account_id
      else p.destination_account_id
    end,
    t.escrow_id, p.created_at, coalesce(t.effective_at, p.created_at), t.metadata,
    t.reversed_transaction_id
  from pgwallet._read_postings(
    v_account, v_above, v_below, coalesce(p_from, '-infinity'), coalesce(p_until, 'infinity'),
    p_limit, v_newest_first
  ) as p
  inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
  order by case when v_newest_first then -p.posting_id else p.posting_id end
  limit p_limit;
end;
$function$;

comment on function pgwallet.statement(
  bigint, bigint, integer, boolean, timestamptz, timestamptz, text
) is
'The postings of an account, oldest or newest first. Raises: PW002, PW105.';
