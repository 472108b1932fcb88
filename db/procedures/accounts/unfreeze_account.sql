-- Lets money leave a frozen wallet or project again. Of one that is not frozen it changes nothing.
--
-- Locks, in order: the project's advisory lock and row, the account.
create or replace function pgwallet.unfreeze_account(p_account_id bigint, p_reason text)
returns table (account_id bigint, frozen boolean, frozen_at timestamptz)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select s.account_id, s.frozen_at is not null, s.frozen_at
  from pgwallet._set_frozen(p_account_id, false, p_reason) as s;
end;
$function$;

comment on function pgwallet.unfreeze_account(bigint, text) is
'Lets money leave a frozen wallet or project again. Raises: PW002, PW105.';
