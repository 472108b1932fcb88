-- Takes an id that a new project is to have, and moves the sequence of ids past it; null is none.
-- The caller has locked the ids of slot 0, so nobody is about to use one that was drawn.
--
-- The sequence jumps by 10^9 beyond: wallets of other slots may draw from it between reading and
-- setting it, and must not be set back. So a jump is rare.
create or replace function pgwallet._reserve_project_id(p_project_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_last bigint;
begin
  if p_project_id is null then
    return;
  end if;

  if exists (select from pgwallet.account as a where a.account_id = p_project_id)
    or exists (select from pgwallet.escrow as e where e.escrow_id = p_project_id)
  then
    raise exception using
      errcode = 'PW002',
      message = format('project_id %s is in use', p_project_id),
      detail = 'An id is given once.',
      hint = 'Leave it out to get the next one.';
  end if;

  select s.last_value into v_last from pgwallet.id_seq as s;
  if p_project_id / 1024 >= v_last then
    perform setval('pgwallet.id_seq', p_project_id / 1024 + 1000000000);
  end if;
end;
$function$;
