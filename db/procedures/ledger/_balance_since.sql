-- What an account's balance should be by one of its postings and all later ones: the balance
-- that the posting before it left, and what has moved since.
create or replace function pgwallet._balance_since(p_account_id bigint, p_posting_id bigint)
returns numeric
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
  select
    coalesce((
      select x.balance
      from (
        (
          select p.posting_id, p.source_balance as balance
          from pgwallet.posting as p
          where p.source_account_id = p_account_id and p.source_balance is not null
            and p.posting_id < p_posting_id
          order by p.posting_id desc
          limit 1
        )
        union all
        (
          select p.posting_id, p.destination_balance
          from pgwallet.posting as p
          where p.destination_account_id = p_account_id and p.destination_balance is not null
            and p.posting_id < p_posting_id
          order by p.posting_id desc
          limit 1
        )
      ) as x
      order by x.posting_id desc
      limit 1
    ), 0)
    + coalesce((
      select sum(p.amount)
      from pgwallet.posting as p
      where p.destination_account_id = p_account_id and p.destination_balance is not null
        and p.posting_id >= p_posting_id
    ), 0)
    - coalesce((
      select sum(p.amount)
      from pgwallet.posting as p
      where p.source_account_id = p_account_id and p.source_balance is not null
        and p.posting_id >= p_posting_id
    ), 0);
$function$;

comment on function pgwallet._balance_since(bigint, bigint) is
'What an account''s balance should be by one of its postings and all later ones.';
