-- Refuses a missing escrow, or too many decimals for its currency.
create or replace function pgwallet._check_escrow(p_escrow_id bigint, p_amount numeric)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_project_id bigint;
begin
  select e.project_id into v_project_id from pgwallet.escrow as e where e.escrow_id = p_escrow_id;
  if not found then
    perform pgwallet._refuse_missing('escrow', p_escrow_id);
  end if;
  perform pgwallet._check_account('project', v_project_id, p_amount);
end;
$function$;
