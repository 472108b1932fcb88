-- What was deployed last, and all migrations that were applied: `pgwallet status` compares it with
-- the package, for roles that read no tables.
create or replace function pgwallet.show_deployment()
returns table (
  version text, source_hash text, owner_name text, deployed_at timestamptz, migrations text[]
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    d.version, d.source_hash, d.owner_name::text, d.deployed_at,
    array(
      select m.migration_id::text
      from pgwallet._yoyo_migration as m
      order by m.migration_id collate "C"
    )
  from pgwallet.deployment as d
  order by d.deployment_id desc
  limit 1;
end;
$function$;

comment on function pgwallet.show_deployment() is
'Which version of pgwallet was deployed last, for whom, and the migrations applied so far.';
