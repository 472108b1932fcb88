-- Locks a pocket whose settings are to change, and returns it; refuses one that is missing, or
-- closed with or without its wallet.
--
-- Locks, in order: the wallet, so that an allocation under way ends first; the pocket's row.
create or replace function pgwallet._hold_pocket(p_pocket_id bigint)
returns pgwallet.pocket
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_pocket pgwallet.pocket;
  v_closed_at timestamptz;
begin
  select k.* into v_pocket from pgwallet.pocket as k where k.pocket_id = p_pocket_id;
  if not found then
    perform pgwallet._refuse_missing('pocket', p_pocket_id);
  end if;

  select a.closed_at into v_closed_at
  from pgwallet.account as a where a.account_id = v_pocket.wallet_id
  for no key update;

  -- A fresh statement: as it is now that nobody can change it.
  select k.* into v_pocket
  from pgwallet.pocket as k where k.pocket_id = p_pocket_id
  for no key update;
  if v_pocket.closed_at is not null then
    perform pgwallet._refuse_closed_account('pocket', p_pocket_id, v_pocket.closed_at);
  elsif v_closed_at is not null then
    perform pgwallet._refuse_closed_account('wallet', v_pocket.wallet_id, v_closed_at);
  end if;
  return v_pocket;
end;
$function$;
