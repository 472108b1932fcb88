-- Refuses to mix the currencies of a wallet and a project.
create or replace function pgwallet._refuse_currency(
  p_wallet_id bigint,
  p_wallet_currency text,
  p_project_id bigint,
  p_project_currency text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW003',
    message = format(
      'wallet %s and project %s are in different currencies', p_wallet_id, p_project_id
    ),
    detail = format(
      'The wallet is in %s, the project in %s.', p_wallet_currency, p_project_currency
    ),
    hint = format('Pledge from a wallet in %s.', p_project_currency);
end;
$function$;
