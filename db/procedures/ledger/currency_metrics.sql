-- What moved in each currency since the ledger began, where it is now, and what waits there. Sums
-- of the whole ledger only: whoever reads them learns of no owner and no account.
--
-- What is where follows from what moved, so that no account is read.
create or replace function pgwallet.currency_metrics()
returns table (
  currency text,
  deposited_amount numeric, withdrawn_amount numeric, pledged_amount numeric,
  released_amount numeric, refunded_amount numeric, commission_amount numeric, fee_amount numeric,
  paid_out_amount numeric, collected_amount numeric,
  wallet_amount numeric, locked_amount numeric, disputed_amount numeric, ready_amount numeric,
  earned_amount numeric,
  disputed_count bigint, expired_count bigint, unsettled_count bigint,
  oldest_expired_at timestamptz, oldest_locked_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    m.currency, m.deposited, m.withdrawn, m.pledged, m.released, m.refunded, m.commission, m.fee,
    m.paid_out, m.collected,
    m.deposited - m.withdrawn - m.pledged + m.refunded,
    m.pledged - m.released - m.refunded,
    round(coalesce(w.disputed_amount, 0), scale(m.pledged)),
    m.net - m.paid_out,
    m.commission + m.fee - m.collected,
    coalesce(w.disputed_count, 0), coalesce(w.expired_count, 0), coalesce(w.unsettled_count, 0),
    w.expired_at, w.locked_at
  from pgwallet._sum_flows() as m
  left join pgwallet._find_waiting_escrows() as w on w.currency = m.currency
  order by m.currency;
end;
$function$;

comment on function pgwallet.currency_metrics() is
'What moved in each currency since the ledger began, where it is now, and what waits there.';
