-- Refuses to let money leave a wallet or a project that is closed or frozen, if it is one of these.
create or replace function pgwallet._check_state(
  p_kind text,
  p_account_id bigint,
  p_closed_at timestamptz,
  p_frozen_at timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_closed_at is not null then
    perform pgwallet._refuse_closed_account(p_kind, p_account_id, p_closed_at);
  end if;
  if p_frozen_at is not null then
    perform pgwallet._refuse_frozen(p_kind, p_account_id, p_frozen_at);
  end if;
end;
$function$;
