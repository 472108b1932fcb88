-- Refuses to let a pocket take the rest where another one of the wallet does.
create or replace function pgwallet._check_rest(p_wallet_id bigint, p_pocket_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_other_id bigint;
begin
  select k.pocket_id into v_other_id
  from pgwallet.pocket as k
  where k.wallet_id = p_wallet_id and k.takes_rest and k.pocket_id <> p_pocket_id;
  if found then
    raise exception using
      errcode = 'PW002',
      message = format('another pocket of wallet %s takes the rest', p_wallet_id),
      detail = format('It is pocket %s.', v_other_id),
      hint = 'Only one can: take it from that one first, by pgwallet.set_allocation.';
  end if;
end;
$function$;
