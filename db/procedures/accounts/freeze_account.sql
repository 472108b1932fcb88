-- Freezes a wallet or a project: nothing leaves it until unfreeze_account. What comes in goes on,
-- as does what moves between a wallet and its pockets. Once more, it changes nothing.
--
-- Locks, in order: the project's advisory lock and row, the account. What is under way ends first.
create or replace function pgwallet.freeze_account(p_account_id bigint, p_reason text)
returns table (account_id bigint, frozen boolean, frozen_at timestamptz)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select s.account_id, s.frozen_at is not null, s.frozen_at
  from pgwallet._set_frozen(p_account_id, true, p_reason) as s;
end;
$function$;

comment on function pgwallet.freeze_account(bigint, text) is
'Stops money from leaving a wallet or a project. Raises: PW002, PW105.';
