-- Freezes a wallet or a project, or lifts that; writes an event if that changed anything.
--
-- Locks, in order: of a project its advisory lock, which queues behind the pledges under way, and
-- its row; the account. So once it has committed, nothing leaves any more.
create or replace function pgwallet._set_frozen(
  p_account_id bigint,
  p_frozen boolean,
  p_reason text
)
returns table (account_id bigint, frozen_at timestamptz)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_before timestamptz;
  v_after timestamptz;
begin
  perform pgwallet._check_text('reason', p_reason);
  if pgwallet._check_holder(p_account_id) = 'project' then
    perform pgwallet._check_alone('the freeze of a project');
    perform pg_advisory_xact_lock(hashint8extended(p_account_id, 0));
    perform from pgwallet.project as p where p.project_id = p_account_id for no key update;
  end if;
  select a.frozen_at into v_before
  from pgwallet.account as a where a.account_id = p_account_id
  for no key update;

  v_after := v_before;
  if (v_before is not null) <> p_frozen then
    v_after := case when p_frozen then clock_timestamp() end;
    update pgwallet.account as a set frozen_at = v_after where a.account_id = p_account_id;
    update pgwallet.project as p set frozen_at = v_after where p.project_id = p_account_id;
    perform pgwallet._insert_event(
      case when p_frozen then 'freeze_account' else 'unfreeze_account' end, p_account_id,
      jsonb_build_object('frozen_at', v_before), jsonb_build_object('frozen_at', v_after), p_reason
    );
  end if;

  return query select p_account_id, v_after;
end;
$function$;
