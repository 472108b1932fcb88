-- Refuses to let money leave a frozen wallet or project.
create or replace function pgwallet._refuse_frozen(
  p_kind text,
  p_account_id bigint,
  p_frozen_at timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW208',
    message = format('%s %s is frozen', p_kind, p_account_id),
    detail = format('It was frozen at %s.', p_frozen_at),
    hint = format(
      'pgwallet.list_events(%s) shows why; an operator lifts it by unfreeze_account.', p_account_id
    );
end;
$function$;
