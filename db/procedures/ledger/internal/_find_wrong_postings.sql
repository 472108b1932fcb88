-- Finds postings that do not fit their transaction, their accounts, their escrow or their pocket,
-- and currencies that do not sum to zero.
--
-- A part of check_ledger, whose argument it takes. All in one pass over the postings: each join
-- costs more than what is looked at in it.
create or replace function pgwallet._find_wrong_postings(p_since_transaction_id bigint)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  -- Below any id, also one that was forged.
  v_since bigint := coalesce(p_since_transaction_id, '-9223372036854775808'::bigint);
begin
  return query
  with changed as materialized (
    select
      t.escrow_id,
      sum(case when p.source_balance is null then -p.amount else p.amount end) as amount
    from pgwallet.transaction as t
    inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
    where t.kind in ('pledge_change', 'release_refund') and t.kind = 'pledge_change'
      and t.transaction_id > v_since
    group by t.escrow_id
  ),

  looked_at as (
    select
      p.posting_id, p.transaction_id, p.source_account_id, p.destination_account_id, p.amount,
      p.source_balance, p.destination_balance, t.kind, t.escrow_id, t.request,
      s.kind as source_kind, d.kind as destination_kind,
      s.currency as source_currency, d.currency as destination_currency,
      j.project_id, j.status as project_status, k.pocket_id, k.wallet_id as pocket_wallet_id,
      e.amount as pledged_amount, e.wallet_id as pledging_wallet_id,
      e.project_id as pledged_project_id, c.exponent,
      t.transaction_id is not null as has_transaction,
      s.account_id is not null and d.account_id is not null
      and (s.balance is null and t.kind is distinct from 'collection') = (p.source_balance is null)
      and (d.balance is null) = (p.destination_balance is null) as has_balances,
      scale(p.amount) <= c.exponent or scale(trim_scale(p.amount)) <= c.exponent as has_decimals,
      s.currency = d.currency as is_of_one_currency,
      case t.kind
        when 'deposit' then s.kind = 'external' and d.kind = 'wallet'
        when 'withdrawal' then s.kind = 'wallet' and d.kind = 'external'
        when 'allocation' then s.kind = 'wallet' and d.kind = 'pocket'
        when 'transfer_to_pocket' then s.kind = 'wallet' and d.kind = 'pocket'
        when 'transfer_from_pocket' then s.kind = 'pocket' and d.kind = 'wallet'
        when 'transfer'
          then (s.kind = d.kind and s.kind in ('wallet', 'pocket'))
            or (s.kind = 'wallet' and d.kind = 'in_transit')
            or (s.kind = 'in_transit' and d.kind = 'wallet')
        when 'pocket_closing'
          then s.kind = 'pocket' and d.kind = 'wallet' and p.source_balance = 0
        when 'pledge' then s.kind = 'wallet' and d.kind = 'escrow'
        when 'refund' then s.kind = 'escrow' and d.kind = 'wallet'
        when 'release'
          then s.kind = 'escrow'
            and (d.account_id = j.project_id or d.kind = 'commission' or d.kind = 'fee')
            and (t.escrow_id is not null or j.status = 'succeeded')
        when 'pledge_change'
          then (s.kind = 'wallet' and d.kind = 'escrow')
            or (s.kind = 'escrow' and d.kind = 'wallet')
        when 'release_refund' then d.kind = 'wallet' and s.kind in ('project', 'commission', 'fee')
        when 'payout' then s.kind = 'project' and d.kind = 'external'
        when 'collection'
          then s.kind in ('commission', 'fee') and d.kind = 'external'
            -- A later part of a plan may find less than there was before its first one.
            and (p.source_balance >= 0 or t.idempotency_key ~ ' #[0-9]+[.][1-9][0-9]*$')
        -- As what it took back, which is looked at with the transactions.
        when 'reversal' then true
        else t.kind is null
      end as fits_its_kind,
      k.pocket_id is null
      or k.wallet_id = p.source_account_id or k.wallet_id = p.destination_account_id
      or (s.kind = 'pocket' and d.kind = 'pocket' and exists (
        select
        from pgwallet.pocket as o
        where o.pocket_id = p.source_account_id and o.wallet_id = k.wallet_id
      ))
      as stays_in_its_wallet,
      case t.kind
        when 'pledge'
          then e.project_id = j.project_id and e.wallet_id = p.source_account_id
            and e.amount = p.amount + coalesce(h.amount, 0)
        when 'refund'
          then t.escrow_id is null
            or (e.project_id = j.project_id and e.wallet_id = p.destination_account_id)
        when 'pledge_change'
          then e.project_id = j.project_id
            and e.wallet_id in (p.source_account_id, p.destination_account_id)
        when 'release' then t.escrow_id is null or e.project_id = j.project_id
        when 'release_refund'
          then e.wallet_id = p.destination_account_id
            and (e.project_id = p.source_account_id or s.kind in ('commission', 'fee'))
        else t.escrow_id is null
      end as fits_its_escrow,
      t.request is null or case t.kind
        when 'deposit'
          then t.request = format('deposit(%s, %s)', w.destination, w.amount)
            or t.request = format('deposit_many(%s, %s)', w.destination, w.amount)
        when 'allocation'
          then starts_with(t.request, format('allocate_deposit(%s, ', w.source))
            or starts_with(t.request, format('allocate_deposits(%s, ', w.source))
        when 'transfer_to_pocket'
          then t.request = format('%s(%s, %s)', t.kind, w.destination, w.amount)
        when 'transfer'
          then t.request = format('transfer(%s, %s, %s)', w.source, w.destination, w.amount)
        when 'pocket_closing' then t.request = format('close_pocket(%s)', w.source)
        when 'pledge'
          then t.request = format('pledge(%s, %s, %s)', w.source, j.project_id, w.amount)
            or t.request = format('pledge_many(%s, %s, %s)', j.project_id, w.source, w.amount)
        when 'refund'
          then t.request = format('refund_escrow(%s, %s)', t.escrow_id, w.amount)
            or t.request = format('refund_escrow(%s, null)', t.escrow_id)
            or t.request = format('cancel_pledge(%s)', t.escrow_id)
        when 'pledge_change' then starts_with(t.request, format('change_pledge(%s, ', t.escrow_id))
        when 'release_refund'
          then starts_with(t.request, format('refund_release(%s, ', t.escrow_id))
        when 'release' then starts_with(t.request, format('release_escrow(%s, ', t.escrow_id))
        when 'reversal'
          then t.request = format('reverse_transaction(%s)', t.reversed_transaction_id)
        when 'collection'
          then t.request = format('collect_earnings(%s, %s, %s)', s.currency, s.kind, w.amount)
        else t.request = format('%s(%s, %s)', t.kind, w.source, w.amount)
      end as fits_its_request
    from pgwallet.posting as p
    left join pgwallet.transaction as t on t.transaction_id = p.transaction_id
    left join pgwallet.account as s on s.account_id = p.source_account_id
    left join pgwallet.account as d on d.account_id = p.destination_account_id
    left join pgwallet.currency as c on c.currency = s.currency
    left join pgwallet.escrow as e on e.escrow_id = t.escrow_id
    left join changed as h on h.escrow_id = t.escrow_id and t.kind = 'pledge'
    left join pgwallet.project as j on j.escrow_account_id = case
      when d.kind = 'escrow' then p.destination_account_id
      when s.kind = 'escrow' then p.source_account_id
    end
    left join pgwallet.pocket as k on k.pocket_id = case
      when d.kind = 'pocket' then p.destination_account_id
      when s.kind = 'pocket' then p.source_account_id
    end
    cross join lateral (
      select
        p.source_account_id as source, p.destination_account_id as destination,
        trim_scale(p.amount) as amount
    ) as w
    where p.transaction_id > v_since
  ),

  wrong as materialized (
    select
      l.*,
      format(
        'Posting %s, of %s, goes from %s %s to %s %s.',
        l.posting_id, l.amount, coalesce(l.source_kind::text, 'unknown'), l.source_account_id,
        coalesce(l.destination_kind::text, 'unknown'), l.destination_account_id
      ) as movement
    from looked_at as l
    where (
      l.has_transaction and l.has_balances and l.has_decimals and l.is_of_one_currency
      and l.fits_its_kind and l.stays_in_its_wallet and l.fits_its_escrow and l.fits_its_request
    ) is not true
  )

  select f.invariant, f.subject, f.detail
  from (
    select
      w.posting_id, 1 as invariant, format('posting %s', w.posting_id) as subject,
      format(
        'From %s (%s) to %s (%s), with balances %s and %s.',
        w.source_account_id, coalesce(w.source_kind::text, 'unknown'),
        w.destination_account_id, coalesce(w.destination_kind::text, 'unknown'),
        coalesce(w.source_balance::text, 'null'), coalesce(w.destination_balance::text, 'null')
      ) as detail
    from wrong as w
    where not w.has_balances
    union all
    select
      w.posting_id, 1, format('posting %s', w.posting_id),
      format('It is of %s, %s has %s decimals.', w.amount, w.source_currency, w.exponent)
    from wrong as w
    where not w.has_decimals
    union all
    select
      w.posting_id, 3, coalesce('escrow ' || w.escrow_id, 'transaction ' || w.transaction_id),
      format(
        'It is %s of wallet %s for project %s. %s',
        coalesce(w.pledged_amount::text, 'nothing'), coalesce(w.pledging_wallet_id::text, 'none'),
        coalesce(w.pledged_project_id::text, 'none'), w.movement
      )
    from wrong as w
    where w.has_transaction and w.fits_its_escrow is not true
    union all
    select
      null, 4, format('currency %s', m.currency),
      format(
        'Its postings make %s over all accounts. Posting %s is the first of %s between currencies.',
        sum(m.amount), min(w.posting_id), count(*)
      )
    from wrong as w
    cross join lateral (
      values (w.source_currency, -w.amount), (w.destination_currency, w.amount)
    ) as m (currency, amount)
    where w.is_of_one_currency is not true and m.currency is not null
    group by m.currency
    union all
    select
      w.posting_id, 5, format('posting %s', w.posting_id),
      format('Its transaction %s does not exist.', w.transaction_id)
    from wrong as w
    where not w.has_transaction
    union all
    select
      w.posting_id, 6, format('transaction %s', w.transaction_id),
      format('Its request is %s. %s', w.request, w.movement)
    from wrong as w
    where not w.fits_its_request
    union all
    select
      w.posting_id, 7, format('transaction %s', w.transaction_id),
      format('It is a %s%s. %s', w.kind, ' of a project that is ' || w.project_status, w.movement)
    from wrong as w
    where w.fits_its_kind is not true and w.has_transaction
    union all
    select
      w.posting_id, 7, format('pocket %s', w.pocket_id),
      format('It is in wallet %s. %s', w.pocket_wallet_id, w.movement)
    from wrong as w
    where not w.stays_in_its_wallet
  ) as f
  order by f.invariant, f.posting_id;
end;
$function$;
