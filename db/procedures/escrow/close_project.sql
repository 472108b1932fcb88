-- Ends a project: from now on it takes no pledges, and its escrows can be settled.
--
-- Locks, in order: the project's advisory lock, which queues behind the pledges under way and
-- before those to come, then its row.
create or replace function pgwallet.close_project(p_project_id bigint, p_outcome text)
returns table (
  project_id bigint, reference text, currency text, status text,
  commission_rate numeric, fee_rate numeric, fee_fixed numeric, max_pledge numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_status pgwallet.project_status;
begin
  if (p_outcome in ('succeeded', 'failed')) is not true then
    raise exception using
      errcode = 'PW002',
      message = format('outcome %s is unknown', coalesce(quote_literal(left(p_outcome, 200)), 'null')),
      detail = 'A project ends as succeeded or failed.',
      hint = 'Pass succeeded to release its escrows, failed to refund them.';
  end if;
  if not exists (select from pgwallet.project as p where p.project_id = p_project_id) then
    perform pgwallet._refuse_missing('project', p_project_id);
  end if;

  perform pg_advisory_xact_lock(hashint8extended(p_project_id, 0));
  select p.status into v_status
  from pgwallet.project as p where p.project_id = p_project_id
  for update;

  if v_status = 'open' then
    perform pgwallet._check_alone('close_project');
    update pgwallet.project as p
    set status = p_outcome::pgwallet.project_status, closed_at = clock_timestamp()
    where p.project_id = p_project_id;
    perform pgwallet._insert_event(
      'close_project', p_project_id,
      jsonb_build_object('status', v_status), jsonb_build_object('status', p_outcome)
    );
  elsif v_status::text <> p_outcome then
    perform pgwallet._refuse_closed(p_project_id, v_status);
  end if;

  return query
  select
    p.project_id, p.reference, p.currency, p.status::text,
    p.commission_rate, p.fee_rate, p.fee_fixed, p.max_pledge
  from pgwallet.project as p
  where p.project_id = p_project_id;
end;
$function$;

comment on function pgwallet.close_project(bigint, text) is
'Ends a project as succeeded or failed. Raises: PW002, PW103, PW204.';
