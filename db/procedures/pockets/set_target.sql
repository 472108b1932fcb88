-- Sets what a pocket is to hold one day, and whether allocations stop there; null takes it away.
--
-- Locks, in order: the wallet, so that an allocation under way ends first; the pocket's row.
create or replace function pgwallet.set_target(
  p_pocket_id bigint,
  p_target_amount numeric,
  p_stop_at_target boolean default false
)
returns table (
  pocket_id bigint, wallet_id bigint, name text, allocation_percentage numeric, balance numeric,
  pocket_type text, target_amount numeric, stop_at_target boolean, takes_rest boolean,
  lacking_amount numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_currency pgwallet.currency;
  v_before pgwallet.pocket;
  v_target_amount numeric;
begin
  if p_target_amount is not null
    and (p_target_amount > 0 and p_target_amount < 1000000000000000) is not true
  then
    perform pgwallet._refuse_amount(p_target_amount);
  end if;
  perform pgwallet._check_stop(p_target_amount, p_stop_at_target);
  v_currency := pgwallet._check_account('pocket', p_pocket_id, p_target_amount);
  v_before := pgwallet._hold_pocket(p_pocket_id);

  v_target_amount := round(p_target_amount, v_currency.exponent);
  if v_before.target_amount is distinct from v_target_amount
    or v_before.stop_at_target <> p_stop_at_target
  then
    update pgwallet.pocket as k
    set target_amount = v_target_amount, stop_at_target = p_stop_at_target
    where k.pocket_id = p_pocket_id;
    if v_before.stop_at_target <> p_stop_at_target then
      perform pgwallet._note_rules(v_before.wallet_id);
    end if;
    perform pgwallet._insert_event(
      'set_target', p_pocket_id,
      jsonb_build_object(
        'target_amount', v_before.target_amount, 'stop_at_target', v_before.stop_at_target
      ),
      jsonb_build_object('target_amount', v_target_amount, 'stop_at_target', p_stop_at_target)
    );
  end if;

  return query select s.* from pgwallet._show_pocket(p_pocket_id) as s;
end;
$function$;

comment on function pgwallet.set_target(bigint, numeric, boolean) is
'Sets what a pocket is to hold, and whether allocations stop there. '
'Raises: PW001, PW002, PW102, PW209.';
