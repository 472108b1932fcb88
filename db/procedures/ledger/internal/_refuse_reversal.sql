-- Refuses to take back a transaction, and names what has done it already, or does it instead.
create or replace function pgwallet._refuse_reversal(
  p_transaction_id bigint,
  p_kind pgwallet.transaction_kind,
  p_reversal_id bigint
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW207',
    message = format('%s %s cannot be reversed', replace(p_kind, '_', ' '), p_transaction_id),
    detail = case
      when p_reversal_id is not null
        then format('Transaction %s has taken it back already.', p_reversal_id)
      else case p_kind
        when 'pledge' then 'A pledge goes back by cancel_pledge or refund_escrow.'
        when 'pledge_change' then 'A pledge is set to another amount by change_pledge.'
        when 'release' then 'A release goes back by refund_release.'
        when 'refund' then 'A refund is undone by a new pledge.'
        when 'release_refund' then 'A refund is undone by a new pledge.'
        when 'pocket_closing'
          then 'A pocket is made anew by create_pocket, and filled by transfer_to_pocket.'
        when 'collection' then 'Earnings that have left do not come back.'
        when 'reversal' then 'A reversal is undone by making the call anew that it took back.'
        else 'It moved nothing, so there is nothing to take back.'
      end
    end,
    hint = case
      when p_reversal_id is not null
        then 'pgwallet.get_transaction shows both. If it was right after all, make the call anew.'
      else 'Only deposits, withdrawals, payouts, allocations and transfers that moved money are '
        'reversed.'
    end;
end;
$function$;
