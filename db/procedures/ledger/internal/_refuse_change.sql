-- Refuses to change what was recorded, and to delete what that refers to, for everybody, the owner
-- too. Only the metadata of a transaction may give way to their digest, whoever does it. The
-- migrations that make the tables have attached it to them.
create or replace function pgwallet._refuse_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_erased pgwallet.transaction;
begin
  if tg_table_name = 'transaction' and tg_level = 'ROW' and tg_op = 'UPDATE' then
    v_erased := old;
    v_erased.metadata := null;
    v_erased.metadata_digest := sha256(convert_to(old.metadata::text, 'UTF8'));
    if old.metadata is not null and new is not distinct from v_erased then
      return new;
    end if;
  end if;
  raise exception using
    errcode = 'PW901',
    message = format('%s of %s.%s is refused', lower(tg_op), tg_table_schema, tg_table_name),
    detail = case
      when tg_table_name in (
        'transaction', 'posting', 'event', 'seal', 'seal_balance', 'seal_flow', 'seal_project'
      )
        then 'Transactions, postings, events and seals are only ever inserted.'
      when tg_table_name = 'currency'
        then 'Balances and escrows have the decimals that their currency had at first.'
      when tg_table_name = 'settings' then 'Calls read rates and limits from its one row.'
      else 'What moved money refers to its rows, so they stay.'
    end,
    hint = case tg_table_name
      when 'currency' then 'Withdraw what is in it, and go on in another currency.'
      when 'settings' then 'Update it to what is wanted.'
      when 'account' then 'Leave it: an account that holds nothing does no harm.'
      when 'wallet' then 'Withdraw what the wallet holds, and leave it empty.'
      when 'pocket' then 'Move what the pocket holds to its wallet, and set its percentage to 0.'
      when 'project' then 'End it with pgwallet.close_project.'
      when 'escrow' then 'Give it back with pgwallet.refund_escrow.'
      when 'event' then 'What is different now is an event of its own.'
      when 'seal' then 'Seal what came since by pgwallet.seal_ledger.'
      when 'seal_balance' then 'Seal what came since by pgwallet.seal_ledger.'
      when 'seal_flow' then 'Seal what came since by pgwallet.seal_ledger.'
      when 'seal_project' then 'Seal what came since by pgwallet.seal_ledger.'
      else 'Take a mistake back by pgwallet.reverse_transaction.'
    end;
end;
$function$;
