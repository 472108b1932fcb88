-- The next postings of an account in the order in which they happened, as statement shows them:
-- from a time on and until another one, with the balance in that order where one is kept.
--
-- Only transactions know when they happened, so all postings of the account are read.
create or replace function pgwallet._read_effective(
  p_account pgwallet.account,
  p_after_posting_id bigint,
  p_from timestamptz,
  p_until timestamptz,
  p_limit integer,
  p_newest_first boolean
)
returns table (
  posting_id bigint, transaction_id bigint, kind text, amount numeric, balance numeric,
  counterpart_id bigint, escrow_id bigint, created_at timestamptz, effective_at timestamptz,
  metadata jsonb, reversed_transaction_id bigint
)
language plpgsql
stable
rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $function$
declare
  c_last constant bigint := 9223372036854775807;
begin
  -- To begin anew instead would show the same rows for ever to who reads on.
  if p_after_posting_id <> 0 and not exists (
    select
    from pgwallet._read_postings(
      p_account, greatest(p_after_posting_id, -c_last) - 1,
      least(p_after_posting_id, c_last - 1) + 1, '-infinity', 'infinity', 1, false
    )
  ) then
    raise exception using
      errcode = 'PW002',
      message = format('posting %s is not one of this account', p_after_posting_id),
      detail = format('Account %s has no such posting to go on after.', p_account.account_id),
      hint = 'Pass the posting_id of the last row seen, or 0 to begin.';
  end if;

  return query
  with happened as (
    select
      p.posting_id, p.transaction_id, p.created_at,
      coalesce(t.effective_at, p.created_at) as effective_at,
      case
        when p.destination_account_id = p_account.account_id then p.amount else -p.amount
      end as amount,
      case
        when p.destination_account_id = p_account.account_id then p.source_account_id
        else p.destination_account_id
      end as counterpart_id
    from pgwallet._read_postings(
      p_account, 0, c_last, '-infinity', 'infinity', null, false
    ) as p
    inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
  ),

  ordered as (
    select
      h.*,
      row_number() over w as place,
      case when p_account.balance is not null then sum(h.amount) over w end as balance
    from happened as h
    window w as (order by h.effective_at, h.posting_id rows unbounded preceding)
  ),

  seen as (
    select o.place
    from ordered as o
    where o.posting_id = p_after_posting_id
  )

  select
    o.posting_id, o.transaction_id, t.kind::text, o.amount, o.balance, o.counterpart_id,
    t.escrow_id, o.created_at, o.effective_at, t.metadata, t.reversed_transaction_id
  from ordered as o
  left join seen as s on true
  inner join pgwallet.transaction as t on t.transaction_id = o.transaction_id
  where o.effective_at >= p_from and o.effective_at < p_until
    and case when p_newest_first then o.place < s.place else o.place > s.place end is not false
  order by case when p_newest_first then -o.place else o.place end
  limit p_limit;
end;
$function$;
