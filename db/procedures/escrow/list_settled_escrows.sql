-- The escrows of which a transaction took the last, in pages: how a batch is told apart.
--
-- No index leads from a batch to its escrows: each released escrow would pay for it. They are found
-- among the settled ones of the projects that the batch posted for, from where the last page ended.
create or replace function pgwallet.list_settled_escrows(
  p_transaction_id bigint,
  p_after_escrow_id bigint default 0,
  p_limit integer default 100
)
returns table (
  escrow_id bigint, wallet_id bigint, project_id bigint, reference text, status text,
  expired boolean, created_at timestamptz, expires_at timestamptz, currency text,
  amount numeric, locked_amount numeric, released_amount numeric, refunded_amount numeric,
  commission_amount numeric, fee_amount numeric, net_amount numeric, settled_by bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
  v_after_escrow_id bigint := coalesce(p_after_escrow_id, 0);
  v_transaction pgwallet.transaction;
  v_escrow_ids bigint[];
begin
  perform pgwallet._check_limit(p_limit);
  select t.* into v_transaction
  from pgwallet.transaction as t where t.transaction_id = p_transaction_id;
  if not found then
    perform pgwallet._refuse_missing_transaction(p_transaction_id);
  end if;

  if v_transaction.escrow_id is not null then
    select array_agg(e.escrow_id) into v_escrow_ids
    from pgwallet.escrow as e
    where e.escrow_id = v_transaction.escrow_id and e.escrow_id > v_after_escrow_id
      and e.settled_by = p_transaction_id;
  else
    select array_agg(l.escrow_id) into v_escrow_ids
    from (
      select e.escrow_id
      from (
        select distinct p.source_account_id
        from pgwallet.posting as p where p.transaction_id = p_transaction_id
      ) as s
      inner join pgwallet.project as j on j.escrow_account_id = s.source_account_id
      cross join lateral (
        select k.escrow_id
        from pgwallet.escrow as k
        where k.project_id = j.project_id and k.escrow_id > v_after_escrow_id
          and k.status not in ('locked', 'disputed') and k.settled_by = p_transaction_id
        order by k.escrow_id
        limit p_limit
      ) as e
      order by e.escrow_id
      limit p_limit
    ) as l;
  end if;

  return query
  select s.*
  from pgwallet._show_escrows(v_escrow_ids) as s;
end;
$function$;

comment on function pgwallet.list_settled_escrows(bigint, bigint, integer) is
'The escrows of which a transaction took the last, in the order of their ids. Raises: PW002.';
