-- Refuses a pledge whose wallet or project is missing, or whose amount has too many decimals.
create or replace function pgwallet._check_pledge(
  p_wallet_id bigint,
  p_project_id bigint,
  p_amount numeric
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._currency_of('wallet', p_wallet_id, null);
  perform pgwallet._currency_of('project', p_project_id, null);
  perform pgwallet._currency_of('wallet', p_wallet_id, p_amount);
end;
$function$;

comment on function pgwallet._check_pledge(bigint, bigint, numeric) is
'Refuses a pledge between what does not exist. Raises: PW001, PW101, PW103.';
