-- Refuses to let money leave a wallet that is closed or frozen, if it is one of these.
create or replace function pgwallet._check_state(
  p_wallet_id bigint,
  p_closed_at timestamptz,
  p_frozen_at timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_closed_at is not null then
    perform pgwallet._refuse_closed_account('wallet', p_wallet_id, p_closed_at);
  end if;
  if p_frozen_at is not null then
    perform pgwallet._refuse_frozen('wallet', p_wallet_id, p_frozen_at);
  end if;
end;
$function$;
