-- Notes in a wallet's account whether its pockets have rules: one that stops at its target, or one
-- that takes the rest. Allocations read it there with the balance, and ask no more if it says no.
--
-- Locks: the wallet. It is written even where it stays: at repeatable read two who change rules
-- would not see each other's, and whoever takes away the last that it sees would note none.
create or replace function pgwallet._note_rules(p_wallet_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_has_rules boolean := exists (
    select
    from pgwallet.pocket as k
    where k.wallet_id = p_wallet_id and k.closed_at is null
      and (k.stop_at_target or k.takes_rest)
  );
begin
  update pgwallet.account as a
  set has_rules = v_has_rules
  where a.account_id = p_wallet_id;
end;
$function$;
