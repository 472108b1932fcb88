-- The next postings of an account in either order: with an id between two others, recorded from a
-- time on and until another one.
create or replace function pgwallet._read_postings(
  p_account pgwallet.account,
  p_above bigint,
  p_below bigint,
  p_from timestamptz,
  p_until timestamptz,
  p_limit integer,
  p_newest_first boolean
)
returns setof pgwallet.posting
language plpgsql
stable
rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
as $function$
begin
  if p_account.balance is not null then
    -- One index leads to what left it and another one to what came, in either direction.
    return query
    (
      select p.*
      from pgwallet.posting as p
      where not p_newest_first
        and p.source_account_id = p_account.account_id and p.source_balance is not null
        and p.posting_id > p_above and p.posting_id < p_below
        and p.created_at >= p_from and p.created_at < p_until
      order by p.posting_id
      limit p_limit
    )
    union all
    (
      select p.*
      from pgwallet.posting as p
      where not p_newest_first
        and p.destination_account_id = p_account.account_id and p.destination_balance is not null
        and p.posting_id > p_above and p.posting_id < p_below
        and p.created_at >= p_from and p.created_at < p_until
      order by p.posting_id
      limit p_limit
    )
    union all
    (
      select p.*
      from pgwallet.posting as p
      where p_newest_first
        and p.source_account_id = p_account.account_id and p.source_balance is not null
        and p.posting_id > p_above and p.posting_id < p_below
        and p.created_at >= p_from and p.created_at < p_until
      order by p.posting_id desc
      limit p_limit
    )
    union all
    (
      select p.*
      from pgwallet.posting as p
      where p_newest_first
        and p.destination_account_id = p_account.account_id and p.destination_balance is not null
        and p.posting_id > p_above and p.posting_id < p_below
        and p.created_at >= p_from and p.created_at < p_until
      order by p.posting_id desc
      limit p_limit
    );
  elsif p_account.kind in ('commission', 'fee') then
    -- The index of what was earned, and the few transactions that took some of it.
    return query
    (
      select p.*
      from pgwallet.posting as p
      where not p_newest_first and p.destination_account_id = p_account.account_id
        and p.source_balance is null and p.destination_balance is null
        and p.posting_id > p_above and p.posting_id < p_below
        and p.created_at >= p_from and p.created_at < p_until
      order by p.posting_id
      limit p_limit
    )
    union all
    (
      select p.*
      from pgwallet.posting as p
      where p_newest_first and p.destination_account_id = p_account.account_id
        and p.source_balance is null and p.destination_balance is null
        and p.posting_id > p_above and p.posting_id < p_below
        and p.created_at >= p_from and p.created_at < p_until
      order by p.posting_id desc
      limit p_limit
    )
    union all
    (
      select p.*
      from pgwallet.transaction as t
      inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
      where t.kind in ('release_refund', 'collection')
        and p.source_account_id = p_account.account_id
        and p.posting_id > p_above and p.posting_id < p_below
        and p.created_at >= p_from and p.created_at < p_until
      order by case when p_newest_first then -p.posting_id else p.posting_id end
      limit p_limit
    );
  else
    return query
    select p.*
    from pgwallet._scan_postings(
      p_account.account_id, p_above, p_below, p_from, p_until, p_limit, p_newest_first
    ) as p;
  end if;
end;
$function$;
