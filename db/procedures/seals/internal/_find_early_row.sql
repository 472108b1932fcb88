-- Finds what was recorded since a seal and says that it was before it, by more than clocks are set
-- back: no seal covers it yet.
create or replace function pgwallet._find_early_row(p_seal pgwallet.seal)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_before timestamptz := p_seal.sealed_at - interval '1 minute';
begin
  return (
    select format('%s %s, of %s', r.name, r.id, r.created_at)
    from (
      select 'transaction' as name, t.transaction_id as id, t.created_at
      from pgwallet.transaction as t
      where t.transaction_id > p_seal.transaction_id and t.created_at < v_before
      union all
      select 'posting', p.posting_id, p.created_at
      from pgwallet.posting as p
      where p.posting_id > p_seal.posting_id and p.created_at < v_before
      union all
      select 'event', e.event_id, e.created_at
      from pgwallet.event as e
      where e.event_id > p_seal.event_id and e.created_at < v_before
    ) as r
    limit 1
  );
end;
$function$;
