-- Gives a pocket another name, which no other open pocket of its wallet may have.
--
-- Locks, in order: the wallet's account, the pocket's row, the wallet's row. The latter is updated,
-- so that of two sessions under repeatable read that want one name the second one fails.
create or replace function pgwallet.rename_pocket(p_pocket_id bigint, p_name text)
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
  v_other_id bigint;
begin
  perform pgwallet._check_text('name', p_name);
  v_before := pgwallet._hold_pocket(p_pocket_id);

  if v_before.name <> p_name collate "C" then
    update pgwallet.wallet as w
    set allocation_percentage = w.allocation_percentage
    where w.wallet_id = v_before.wallet_id;
    select k.pocket_id into v_other_id
    from pgwallet.pocket as k
    where k.wallet_id = v_before.wallet_id and k.name = p_name collate "C" and k.closed_at is null;
    if found then
      raise exception using
        errcode = 'PW002',
        message = format('wallet %s has another pocket %L', v_before.wallet_id, p_name),
        detail = format('It is pocket %s.', v_other_id),
        hint = 'Take another name, or rename that one first.';
    end if;

    update pgwallet.pocket as k set name = p_name where k.pocket_id = p_pocket_id;
    perform pgwallet._insert_event(
      'rename_pocket', p_pocket_id,
      jsonb_build_object('name', v_before.name), jsonb_build_object('name', p_name)
    );
  end if;

  return query select s.* from pgwallet._show_pocket(p_pocket_id) as s;
end;
$function$;

comment on function pgwallet.rename_pocket(bigint, text) is
'Gives a pocket another name. Raises: PW002, PW102, PW209.';
