-- What the postings of an account come to that had happened by a time, as far as is known today.
create or replace function pgwallet._sum_effective(p_account pgwallet.account, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $function$
declare
  v_upto bigint := coalesce(
    (pgwallet._seal_from(p_at)).posting_id, 9223372036854775807
  );
begin
  if p_account.balance is not null then
    return (
      select coalesce(sum(m.amount), 0)
      from (
        select p.transaction_id, p.created_at, p.amount
        from pgwallet.posting as p
        where p.destination_account_id = p_account.account_id
          and p.destination_balance is not null
        union all
        select p.transaction_id, p.created_at, -p.amount
        from pgwallet.posting as p
        where p.source_account_id = p_account.account_id and p.source_balance is not null
      ) as m
      inner join pgwallet.transaction as t on t.transaction_id = m.transaction_id
      where coalesce(t.effective_at, m.created_at) <= p_at
    );
  end if;

  -- No index leads to the postings of the others, but one to what has an effective time: of that,
  -- what happened by then and was recorded later counts too, and what was recorded before it
  -- happened does not count yet.
  return pgwallet._sum_recorded(p_account, p_at) + (
    select coalesce(sum(m.sign * case
      when p.destination_account_id = p_account.account_id then p.amount else -p.amount
    end), 0)
    from (
      select t.transaction_id, 1 as sign
      from pgwallet.transaction as t
      where t.effective_at is not null and t.effective_at <= p_at
      union all
      select t.transaction_id, -1
      from pgwallet.transaction as t
      where t.effective_at is not null and t.effective_at > p_at
    ) as m
    inner join pgwallet.posting as p on p.transaction_id = m.transaction_id
    where p_account.account_id in (p.source_account_id, p.destination_account_id)
      and (p.created_at <= p_at and p.posting_id <= v_upto) = (m.sign < 0)
  );
end;
$function$;
