-- Gives a role one of the accesses app, operator, auditor and remembers it. That is usage of the
-- schema, EXECUTE on the functions of that access, SELECT on its views. The lists below are the
-- only place that says who may what.
--
-- Locks: the deployment, since two at once cannot change the rights of one function.
create or replace function pgwallet._grant(p_role name, p_access text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  c_reading constant text[] := array[
    'balance', 'balance_at', 'statement', 'get_transaction', 'find_transaction',
    'list_wallets', 'list_pockets', 'list_escrows', 'get_escrow', 'list_settled_escrows',
    'get_project', 'find_project', 'list_projects'
  ];
  c_application constant text[] := array[
    'create_wallet', 'create_pocket', 'rename_pocket', 'set_allocation', 'set_target',
    'create_project',
    'deposit', 'deposit_many', 'withdraw', 'transfer',
    'allocate_deposit', 'allocate_deposits', 'preview_allocation',
    'transfer_to_pocket', 'transfer_from_pocket', 'close_pocket', 'close_wallet',
    'pledge', 'pledge_many', 'change_pledge', 'cancel_pledge'
  ];
  c_operation constant text[] := array[
    'close_project', 'release_escrow', 'refund_escrow',
    'release_escrows', 'refund_escrows', 'refund_expired_escrows', 'payout',
    'release_project', 'refund_project',
    'freeze_account', 'unfreeze_account', 'set_credit_limit', 'reverse_transaction',
    'refund_release', 'dispute_escrow', 'resolve_dispute', 'erase_owner', 'collect_earnings'
  ];
  c_audit constant text[] := array['check_ledger', 'list_events'];
  c_views constant text[] := array[
    'wallet_summary', 'pocket_summary', 'project_summary', 'escrow_summary',
    'platform_summary', 'transaction_log'
  ];
  v_names text[];
  v_routine regprocedure;
  v_view regclass;
begin
  -- PUBLIC is in no catalog of roles, so it is refused here too.
  if not exists (select from pg_roles as r where r.rolname = p_role) then
    raise exception using
      errcode = 'PW002',
      message = format('role %s does not exist', coalesce(quote_ident(p_role), 'null')),
      detail = format('The access asked for is %s.', p_access),
      hint = 'Name one existing role; PUBLIC is none and is never given access.';
  end if;

  v_names := case p_access
    when 'app' then c_reading || c_application
    when 'operator' then c_reading || c_application || c_operation || c_audit
    when 'auditor' then c_reading || c_audit
  end;

  perform pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0));

  insert into pgwallet.role_grant (role_name, access)
  values (p_role, p_access)
  on conflict on constraint role_grant_pkey do nothing;

  execute format('grant usage on schema pgwallet to %I', p_role);

  for v_routine in
    select i.routine_id::regprocedure
    from pgwallet.installed_routine as i
    inner join pg_proc as p on p.oid = i.routine_id
    where p.proname = any (v_names)
    order by i.signature
  loop
    execute format('grant execute on routine %s to %I', v_routine, p_role);
  end loop;

  -- Not for an application: the views show everybody's movements and metadata.
  if p_access in ('operator', 'auditor') then
    for v_view in
      select c.oid::regclass
      from pg_class as c
      where c.relnamespace = 'pgwallet'::regnamespace and c.relname = any (c_views)
      order by c.relname
    loop
      execute format('grant select on %s to %I', v_view, p_role);
    end loop;
  end if;
end;
$function$;
