-- Closes open pockets of one wallet: nothing is in them any more, and their names and percentages
-- are free. Writes an event for each.
--
-- Locks nothing more: the caller has locked the wallet.
create or replace function pgwallet._close_pockets(p_pocket_ids bigint[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_closed_at timestamptz := clock_timestamp();
begin
  perform pgwallet._insert_event(
    'close_pocket', k.pocket_id,
    jsonb_build_object(
      'closed_at', null, 'allocation_percentage', k.allocation_percentage,
      'takes_rest', k.takes_rest
    ),
    jsonb_build_object(
      'closed_at', v_closed_at, 'allocation_percentage', 0, 'takes_rest', false
    )
  )
  from pgwallet.pocket as k
  where k.pocket_id = any (p_pocket_ids)
  order by k.pocket_id;

  update pgwallet.wallet as w
  set allocation_percentage = trim_scale(w.allocation_percentage - d.percentage)
  from (
    select k.wallet_id, sum(k.allocation_percentage) as percentage
    from pgwallet.pocket as k
    where k.pocket_id = any (p_pocket_ids)
    group by k.wallet_id
  ) as d
  where w.wallet_id = d.wallet_id;

  update pgwallet.pocket as k
  set closed_at = v_closed_at, allocation_percentage = 0, takes_rest = false
  where k.pocket_id = any (p_pocket_ids);

  perform pgwallet._note_rules(k.wallet_id)
  from pgwallet.pocket as k
  where k.pocket_id = any (p_pocket_ids)
  group by k.wallet_id;

  update pgwallet.account as a
  set closed_at = v_closed_at, balance = a.balance - a.balance
  where a.account_id = any (p_pocket_ids);
end;
$function$;
