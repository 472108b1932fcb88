-- What has to be the same on all shards, as text to compare: settings, currencies, functions, and
-- projects by digests of a thousandth of them each; with p_part the projects of such a part.
create or replace function pgwallet_shard.list_common(p_part integer)
returns table (subject text, state text, part integer)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_part is not null then
    return query
    select format('project %s', c.project_id), c.state, p_part
    from pgwallet_shard.common_project as c
    where c.part = p_part;
    return;
  end if;

  return query
  select 'settings', to_jsonb(s)::text, null::integer
  from pgwallet.settings as s
  union all
  select format('currency %s', c.currency), to_jsonb(c)::text, null
  from pgwallet.currency as c
  union all
  select
    format('functions of %s', n.nspname),
    md5(string_agg(pg_get_functiondef(p.oid), '' order by p.oid::regprocedure::text collate "C")),
    null
  from pg_proc as p
  inner join pg_namespace as n on n.oid = p.pronamespace
  where n.nspname in ('pgwallet', 'pgwallet_shard', 'pgwallet_call') and p.prokind in ('f', 'p')
  group by n.nspname
  union all
  select
    format('projects %s', c.part),
    md5(string_agg(c.project_id || c.state, '' order by c.project_id)), c.part
  from pgwallet_shard.common_project as c
  group by c.part;
end;
$function$;
