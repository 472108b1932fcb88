-- The escrows of a wallet, of a project, of both or of all, in pages.
--
-- Those of a project are read along indexes from where the last page ended. Those of a wallet are
-- found by what left it, all of it for each page: an index of escrows by wallet cost a batch of
-- releases 19 %. A status alone reads on until the page is full.
create or replace function pgwallet.list_escrows(
  p_wallet_id bigint default null,
  p_project_id bigint default null,
  p_status text default null,
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
  v_status text collate "C" := p_status;
  v_after_escrow_id bigint := coalesce(p_after_escrow_id, 0);
  v_escrow_ids bigint[];
begin
  if v_status is not null and v_status not in (
    'locked', 'disputed', 'released', 'refunded', 'expired', 'settled'
  ) then
    raise exception using
      errcode = 'PW002',
      message = format('status %L is unknown', left(v_status, 200)),
      detail = 'An escrow is locked, disputed, released, refunded, expired or settled.',
      hint = 'Leave it out for all of them.';
  end if;
  perform pgwallet._check_limit(p_limit);
  if p_wallet_id is not null then
    perform pgwallet._check_account('wallet', p_wallet_id, null);
  end if;
  if p_project_id is not null then
    perform pgwallet._check_account('project', p_project_id, null);
  end if;

  if p_wallet_id is not null then
    select array_agg(l.escrow_id) into v_escrow_ids
    from (
      select e.escrow_id
      from pgwallet.posting as p
      inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
      inner join pgwallet.escrow as e on e.escrow_id = t.escrow_id
      where p.source_account_id = p_wallet_id and p.source_balance is not null
        and t.kind = 'pledge' and t.escrow_id > v_after_escrow_id
        and (p_project_id is null or e.project_id = p_project_id)
        and (v_status is null or e.status = v_status)
      order by e.escrow_id
      limit p_limit
    ) as l;
  elsif p_project_id is not null then
    -- One index has those that hold something, another one the rest.
    select array_agg(l.escrow_id) into v_escrow_ids
    from (
      select x.escrow_id
      from (
        (
          select e.escrow_id
          from pgwallet.escrow as e
          where e.project_id = p_project_id and e.escrow_id > v_after_escrow_id
            and e.status in ('locked', 'disputed') and (v_status is null or e.status = v_status)
          order by e.escrow_id
          limit p_limit
        )
        union all
        (
          select e.escrow_id
          from pgwallet.escrow as e
          where e.project_id = p_project_id and e.escrow_id > v_after_escrow_id
            and e.status not in ('locked', 'disputed') and (v_status is null or e.status = v_status)
          order by e.escrow_id
          limit p_limit
        )
      ) as x
      order by x.escrow_id
      limit p_limit
    ) as l;
  else
    select array_agg(l.escrow_id) into v_escrow_ids
    from (
      select e.escrow_id
      from pgwallet.escrow as e
      where e.escrow_id > v_after_escrow_id and (v_status is null or e.status = v_status)
      order by e.escrow_id
      limit p_limit
    ) as l;
  end if;

  return query
  select s.*
  from pgwallet._show_escrows(v_escrow_ids) as s;
end;
$function$;

comment on function pgwallet.list_escrows(bigint, bigint, text, bigint, integer) is
'The escrows of a wallet or a project, in the order of their ids. Raises: PW002, PW101, PW103.';
