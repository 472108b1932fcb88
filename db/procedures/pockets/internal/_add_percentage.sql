-- Adds to the total of a wallet's percentages, which may not pass 100.
--
-- Locks: the wallet's account, which guards its pockets, then the wallet's row. That row is
-- updated, so that of two sessions under repeatable read the second one fails.
create or replace function pgwallet._add_percentage(p_wallet_id bigint, p_change numeric)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_total numeric;
begin
  update pgwallet.wallet as w
  set allocation_percentage = trim_scale(w.allocation_percentage + p_change)
  where w.wallet_id = p_wallet_id and w.allocation_percentage + p_change <= 100;

  if not found then
    select w.allocation_percentage into v_total
    from pgwallet.wallet as w where w.wallet_id = p_wallet_id;
    raise exception using
      errcode = 'PW302',
      message = format('the pockets of wallet %s would pass 100 percent', p_wallet_id),
      detail = format('Their percentages sum to %s, this would add %s.', v_total, p_change),
      hint = format('Add at most %s, or lower another pocket first.', 100 - v_total);
  end if;
end;
$function$;
