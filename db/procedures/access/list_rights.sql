-- What each role with an access is to have, by _rights_of. What it has is in the catalogs, for all
-- to read; `pgwallet status` compares the two. A role that was dropped is left out.
create or replace function pgwallet.list_rights()
returns table (role_name text, access text, object_name text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select g.role_name::text, g.access, n.name
  from pgwallet.role_grant as g
  inner join pg_roles as r on r.rolname = g.role_name
  cross join unnest(pgwallet._rights_of(g.access)) as n (name)
  order by g.role_name, g.access, n.name;
end;
$function$;

comment on function pgwallet.list_rights() is
'The functions and views that each role with an access is to have, for pgwallet status.';
