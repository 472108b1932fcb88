-- Makes a project that wallets can pledge to; rates, fee and the limit of a pledge are fixed here.
-- The same reference and arguments again return the same project.
--
-- Locks: see _open_project.
create or replace function pgwallet.create_project(
  p_reference text,
  p_currency text default 'EUR',
  p_commission_rate numeric default null,
  p_fee_rate numeric default null,
  p_max_pledge numeric default null,
  p_project_id bigint default null,
  p_fee_fixed numeric default null
)
returns table (
  project_id bigint, reference text, currency text, status text,
  commission_rate numeric, fee_rate numeric, fee_fixed numeric, max_pledge numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._check_alone('create_project');
  return query
  select p.*
  from pgwallet._open_project(
    p_reference, p_currency, p_commission_rate, p_fee_rate, p_max_pledge, p_project_id,
    p_fee_fixed, null
  ) as p;
end;
$function$;

comment on function pgwallet.create_project(
  text, text, numeric, numeric, numeric, bigint, numeric
) is
'Makes a project that wallets can pledge to, or returns it again. Raises: PW001, PW002, PW003.';
