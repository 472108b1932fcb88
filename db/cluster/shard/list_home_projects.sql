-- Projects that this shard is the home of, as list_projects shows them.
create or replace function pgwallet_shard.list_home_projects(
  p_status text,
  p_after_project_id bigint,
  p_limit integer
)
returns table (
  project_id bigint, reference text, currency text, status text,
  commission_rate numeric, fee_rate numeric, fee_fixed numeric, max_pledge numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_after_project_id bigint := coalesce(p_after_project_id, 0);
  v_identity pgwallet_shard.identity;
  v_project record;
  v_left integer := p_limit;
  v_found integer;
begin
  select i.* into v_identity from pgwallet_shard.identity as i;
  -- Page by page, with the refusals of the ledger.
  loop
    v_found := 0;
    for v_project in
      select p.*
      from pgwallet.list_projects(p_status, v_after_project_id, p_limit) as p
    loop
      v_found := v_found + 1;
      v_after_project_id := v_project.project_id;
      if v_identity.shard = pgwallet_shard.home_of_project(
        v_project.project_id, v_identity.shard_count
      ) then
        project_id := v_project.project_id;
        reference := v_project.reference;
        currency := v_project.currency;
        status := v_project.status;
        commission_rate := v_project.commission_rate;
        fee_rate := v_project.fee_rate;
        fee_fixed := v_project.fee_fixed;
        max_pledge := v_project.max_pledge;
        return next;
        v_left := v_left - 1;
        if v_left <= 0 then
          return;
        end if;
      end if;
    end loop;
    exit when v_found < p_limit;
  end loop;
end;
$function$;
