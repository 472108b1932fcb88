-- The postings of an account after one of them, oldest first, with the balance after each where
-- the account keeps one. To go on, pass the last posting_id seen.
create or replace function pgwallet.statement(
  p_account_id bigint,
  p_after_posting_id bigint default 0,
  p_limit integer default 100
)
returns table (
  posting_id bigint, transaction_id bigint, kind text, amount numeric, balance numeric,
  counterpart_id bigint, created_at timestamptz, effective_at timestamptz, metadata jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_account pgwallet.account;
begin
  perform pgwallet._check_limit(p_limit);
  select a.* into v_account from pgwallet.account as a where a.account_id = p_account_id;
  if not found then
    perform pgwallet._refuse_missing('account', p_account_id);
  end if;

  if v_account.balance is not null then
    return query
    select
      x.posting_id, x.transaction_id, t.kind::text, x.amount, x.balance,
      x.counterpart_id, x.created_at, coalesce(t.effective_at, x.created_at), t.metadata
    from (
      (
        select p.posting_id, p.transaction_id, -p.amount as amount, p.source_balance as balance,
          p.destination_account_id as counterpart_id, p.created_at
        from pgwallet.posting as p
        where p.source_account_id = p_account_id and p.posting_id > coalesce(p_after_posting_id, 0)
          and p.source_balance is not null
        order by p.posting_id
        limit p_limit
      )
      union all
      (
        select p.posting_id, p.transaction_id, p.amount, p.destination_balance as balance,
          p.source_account_id as counterpart_id, p.created_at
        from pgwallet.posting as p
        where p.destination_account_id = p_account_id
          and p.posting_id > coalesce(p_after_posting_id, 0)
          and p.destination_balance is not null
        order by p.posting_id
        limit p_limit
      )
    ) as x
    inner join pgwallet.transaction as t on t.transaction_id = x.transaction_id
    order by x.posting_id
    limit p_limit;
  elsif v_account.kind in ('commission', 'fee') then
    return query
    select
      x.posting_id, x.transaction_id, t.kind::text, x.amount, x.balance,
      x.counterpart_id, x.created_at, coalesce(t.effective_at, x.created_at), t.metadata
    from (
        select p.posting_id, p.transaction_id, p.amount, p.destination_balance as balance,
          p.source_account_id as counterpart_id, p.created_at
        from pgwallet.posting as p
        where p.destination_account_id = p_account_id
          and p.posting_id > coalesce(p_after_posting_id, 0)
          and p.source_balance is null and p.destination_balance is null
        order by p.posting_id
        limit p_limit
    ) as x
    inner join pgwallet.transaction as t on t.transaction_id = x.transaction_id
    order by x.posting_id;
  else
    -- No index leads to these: nearly every posting touches one, and few read them.
    return query
    select
      p.posting_id, p.transaction_id, t.kind::text,
      case when p.destination_account_id = p_account_id then p.amount else -p.amount end,
      null::numeric,
      case
        when p.destination_account_id = p_account_id then p.source_account_id
        else p.destination_account_id
      end,
      p.created_at, coalesce(t.effective_at, p.created_at), t.metadata
    from pgwallet.posting as p
    inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
    where (p.source_account_id = p_account_id or p.destination_account_id = p_account_id)
      and p.posting_id > coalesce(p_after_posting_id, 0)
    order by p.posting_id
    limit p_limit;
  end if;
end;
$function$;

comment on function pgwallet.statement(bigint, bigint, integer) is
'The postings of an account, oldest first. Raises: PW002, PW105.';
