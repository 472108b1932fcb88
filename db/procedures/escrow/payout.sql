-- Pays proceeds of a project, what was released to it, to the outside.
--
-- Locks, in order: the idempotency key, the project's account.
create or replace function pgwallet.payout(
  p_project_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (transaction_id bigint, balance numeric, replayed boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._check_alone('payout');
  return query
  select p.transaction_id, p.balance, p.replayed
  from pgwallet._pay_outside(
    'payout', 'project', p_project_id, p_amount, p_idempotency_key, p_metadata, p_effective_at
  ) as p;
end;
$function$;

comment on function pgwallet.payout(bigint, numeric, text, jsonb, timestamptz) is
'Pays what was released to a project to the outside. '
'Raises: PW001, PW002, PW103, PW201, PW203, PW208.';
