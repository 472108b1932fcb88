-- What moved in each currency since the ledger began, as platform_summary counts it: what was
-- taken back counts against what it took back. Not from that view: a session may refuse to read
-- views.
create or replace function pgwallet._sum_flows()
returns table (
  currency text, deposited numeric, withdrawn numeric, pledged numeric, released numeric,
  refunded numeric, commission numeric, fee numeric, net numeric, paid_out numeric,
  collected numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    c.currency, round(m.deposited, c.exponent), round(m.withdrawn, c.exponent),
    round(m.pledged, c.exponent), round(m.released, c.exponent), round(m.refunded, c.exponent),
    round(m.commission, c.exponent), round(m.fee, c.exponent), round(m.net, c.exponent),
    round(m.paid_out, c.exponent), round(m.collected, c.exponent)
  from (
    select
      f.currency,
      coalesce(sum(f.amount) filter (where f.kind = 'deposit'), 0) as deposited,
      coalesce(sum(f.amount) filter (where f.kind = 'withdrawal'), 0) as withdrawn,
      coalesce(sum(f.amount) filter (where f.kind in ('pledge', 'pledge_change')), 0) as pledged,
      coalesce(sum(f.amount) filter (where f.kind in ('release', 'release_refund')), 0) as released,
      coalesce(sum(abs(f.amount)) filter (where f.kind in ('refund', 'release_refund')), 0)
        as refunded,
      coalesce(sum(f.amount) filter (where f.released_to = 'commission'), 0) as commission,
      coalesce(sum(f.amount) filter (where f.released_to = 'fee'), 0) as fee,
      coalesce(sum(f.amount) filter (where f.released_to = 'project'), 0) as net,
      coalesce(sum(f.amount) filter (where f.kind = 'payout'), 0) as paid_out,
      coalesce(sum(f.amount) filter (where f.kind = 'collection'), 0) as collected
    from (
      select
        s.currency,
        coalesce(o.kind, t.kind) as kind,
        case t.kind when 'release' then d.kind when 'release_refund' then s.kind end as released_to,
        case
          when o.kind is not null or t.kind = 'release_refund'
            or (t.kind = 'pledge_change' and s.kind = 'escrow')
            then -p.amount
          else p.amount
        end as amount
      from pgwallet.posting as p
      inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
      inner join pgwallet.account as s on s.account_id = p.source_account_id
      inner join pgwallet.account as d on d.account_id = p.destination_account_id
      left join pgwallet.transaction as o on o.transaction_id = t.reversed_transaction_id
      where s.kind <> 'pocket' and d.kind <> 'pocket'
    ) as f
    group by f.currency
  ) as m
  inner join pgwallet.currency as c on c.currency = m.currency;
end;
$function$;
