-- Refuses an argument that is for operators to whoever may not close a project.
--
-- Here current_user is the owner. The caller is the role that the session took on, or began as; to
-- take on one that is an operator, it has to be a member of it.
create or replace function pgwallet._check_operator(p_argument text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_caller name := case current_setting('role')
    when 'none' then session_user
    else current_setting('role')
  end;
begin
  if not exists (
    select
    from pg_proc as p
    where p.pronamespace = 'pgwallet'::regnamespace and p.proname = 'close_project'
      and has_function_privilege(v_caller, p.oid, 'execute')
  ) then
    raise exception using
      errcode = '42501',
      message = format('permission denied for argument %s', p_argument),
      detail = format('Role %I is no operator.', v_caller),
      hint = 'Leave it out, or have the owner run pgwallet.grant_operator for this role.';
  end if;
end;
$function$;
