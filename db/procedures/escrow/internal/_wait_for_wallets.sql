-- Locks the wallets of the next escrows of a project in which anything is left, also those that
-- others hold. The caller has locked these escrows by _wait_for_escrows, so they are the same here.
--
-- Locks: the wallets by id.
create or replace function pgwallet._wait_for_wallets(
  p_project_id bigint,
  p_limit integer,
  p_after_escrow_id bigint
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform
  from pgwallet.account as a
  where a.account_id in (
    select n.wallet_id
    from (
      select e.wallet_id
      from pgwallet.escrow as e
      where e.project_id = p_project_id and e.escrow_id > coalesce(p_after_escrow_id, 0)
        and e.status = 'locked'
      order by e.escrow_id
      limit p_limit
    ) as n
  )
  order by a.account_id
  for no key update;
end;
$function$;
