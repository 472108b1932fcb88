-- Makes projects that another shard has and this one lacks, as they are there: id, terms, state.
-- Each has an escrow account of this shard. Returns how many; the same call again makes none.
--
-- Locks: all ids of slot 0.
create or replace function pgwallet_shard.take_over_projects(p_projects jsonb)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_made integer;
begin
  perform pg_advisory_xact_lock(hashtextextended('pgwallet.id_seq', 0));
  with made as (
    insert into pgwallet.project (
      project_id, reference, currency, status, commission_rate, fee_rate, fee_fixed, max_pledge,
      escrow_account_id, first_transaction_id, request, created_at, closed_at, frozen_at
    )
    select
      n.project_id, n.reference, n.currency, n.status, n.commission_rate, n.fee_rate, n.fee_fixed,
      n.max_pledge, pgwallet._draw_account_id(0), q.last_value,
      -- As create_project on a router has it on all shards but the one that it asks first.
      format(
        'create_project(%L, %s, %s, %s, %s, null, %s)', n.reference, n.currency,
        trim_scale(n.commission_rate), trim_scale(n.fee_rate), trim_scale(n.max_pledge),
        trim_scale(n.fee_fixed)
      ),
      n.created_at, n.closed_at, n.frozen_at
    from jsonb_populate_recordset(null::pgwallet.project, p_projects) as n
    cross join pgwallet.transaction_id_seq as q
    where not exists (select from pgwallet.project as p where p.project_id = n.project_id)
    returning project_id, reference, currency, escrow_account_id, frozen_at
  ),

  told as (
    insert into pgwallet.event (kind, subject_id, after)
    select 'take_over_project', m.project_id, jsonb_build_object('reference', m.reference)
    from made as m
  )

  insert into pgwallet.account (
    account_id, kind, currency, balance, external_account_id, frozen_at
  )
  select
    m.project_id, 'project'::pgwallet.account_kind, m.currency, round(0.0, c.exponent),
    c.external_account_id, m.frozen_at
  from made as m
  inner join pgwallet.currency as c on c.currency = m.currency
  union all
  select m.escrow_account_id, 'escrow', m.currency, null, null, null
  from made as m;
  get diagnostics v_made = row_count;
  return v_made / 2;
end;
$function$;
