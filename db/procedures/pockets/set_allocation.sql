-- Sets the percentage of allocated deposits that a pocket receives, or that it receives what the
-- others leave of them.
--
-- Locks, in order: the wallet, so that an allocation under way ends first; the pocket's row.
create or replace function pgwallet.set_allocation(
  p_pocket_id bigint,
  p_allocation_percentage numeric,
  p_takes_rest boolean default false
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
  v_before pgwallet.pocket;
begin
  perform pgwallet._check_percentage(p_allocation_percentage, p_takes_rest);
  v_before := pgwallet._hold_pocket(p_pocket_id);
  perform pgwallet._add_percentage(
    v_before.wallet_id, p_allocation_percentage - v_before.allocation_percentage
  );
  if p_takes_rest then
    perform pgwallet._check_rest(v_before.wallet_id, p_pocket_id);
  end if;

  if v_before.allocation_percentage <> p_allocation_percentage
    or v_before.takes_rest <> p_takes_rest
  then
    update pgwallet.pocket as k
    set allocation_percentage = trim_scale(p_allocation_percentage), takes_rest = p_takes_rest
    where k.pocket_id = p_pocket_id;
    if v_before.takes_rest <> p_takes_rest then
      perform pgwallet._note_rules(v_before.wallet_id);
    end if;
    perform pgwallet._insert_event(
      'set_allocation', p_pocket_id,
      jsonb_build_object(
        'allocation_percentage', v_before.allocation_percentage, 'takes_rest', v_before.takes_rest
      ),
      jsonb_build_object(
        'allocation_percentage', trim_scale(p_allocation_percentage), 'takes_rest', p_takes_rest
      )
    );
  end if;

  return query select s.* from pgwallet._show_pocket(p_pocket_id) as s;
end;
$function$;

comment on function pgwallet.set_allocation(bigint, numeric, boolean) is
'Sets the percentage of deposits that a pocket receives, or that it takes their rest. '
'Raises: PW002, PW102, PW209, PW302.';
