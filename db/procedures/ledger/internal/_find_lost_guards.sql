-- Finds triggers, constraints and indexes that are missing or off, sequences behind their tables,
-- and settings that are gone.
--
-- A part of check_ledger. Reads catalogs, and of the tables only the highest ids. What the catalogs
-- write out of a trigger or index would depend on whether a session quotes all identifiers.
create or replace function pgwallet._find_lost_guards()
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $function$
begin
  -- 5. Postings and transactions are never updated, and nothing is deleted. The whole trigger is
  -- compared: one with fewer events, a condition or another function would refuse less.
  return query
  select
    5, format('table pgwallet.%s', g.table_name),
    format('Its trigger %s is missing, disabled or another one.', g.trigger_name)
  from (
    select
      r.name as table_name, l.name as trigger_name,
      'BEFORE DELETE' || case
        when not r.is_history then ''
        when r.name = 'transaction' and l.level = 'STATEMENT'
          then ' OR UPDATE OF transaction_id, created_at, escrow_id, reversed_transaction_id, '
            'effective_at, settled_count, kind, idempotency_key, request'
        else ' OR UPDATE'
      end || l.also as events,
      l.level as condition
    from (
      values
        ('transaction', true), ('posting', true), ('event', true), ('account', false),
        ('wallet', false), ('pocket', false), ('project', false), ('escrow', false),
        ('seal', true), ('seal_balance', true), ('seal_flow', true),
        ('seal_project', true),
        ('settings', false)
    ) as r (name, is_history)
    cross join (
      values
        ('refuse_change', ' OR TRUNCATE', 'STATEMENT'), ('refuse_row_change', '', 'ROW')
    ) as l (name, also, level)
    union all
    values
      ('transaction', 'refuse_changed_row', 'AFTER UPDATE', 'ROW'),
      (
        'currency', 'refuse_other_decimals', 'BEFORE UPDATE OF exponent',
        'ROW WHEN ((old.exponent IS DISTINCT FROM new.exponent))'
      )
  ) as g
  where not exists (
    select
    from pg_trigger as t
    where t.tgrelid = to_regclass('pgwallet.' || g.table_name) and t.tgname = g.trigger_name
      and t.tgenabled = 'A'
      and pg_get_triggerdef(t.oid) = format(
        'CREATE TRIGGER %s %s ON pgwallet.%s FOR EACH %s '
        'EXECUTE FUNCTION pgwallet._refuse_change()',
        g.trigger_name, g.events, g.table_name, g.condition
      )
  );

  -- What refuses a row that would break an invariant.
  return query
  select
    g.invariant, format('table pgwallet.%s', g.table_name),
    format('Its constraint %s is missing or not valid.', n.name)
  from (
    values
      (
        1, 'account',
        array[
          'account_pkey', 'account_balance_check', 'account_kind_check', 'account_currency_fkey'
        ]
      ),
      (1, 'posting', array['posting_pkey', 'posting_amount_check', 'posting_accounts_check']),
      (
        3, 'escrow',
        array['escrow_pkey', 'escrow_amount_check', 'escrow_parts_check', 'escrow_status_check']
      ),
      (6, 'transaction', array['transaction_pkey', 'transaction_key_check']),
      (5, 'event', array['event_pkey', 'event_kind_check', 'event_reason_check']),
      (5, 'seal', array['seal_pkey', 'seal_digest_check']),
      (1, 'seal_balance', array['seal_balance_pkey']),
      (5, 'seal_flow', array['seal_flow_pkey']),
      (3, 'seal_project', array['seal_project_pkey']),
      (
        7, 'wallet',
        array[
          'wallet_pkey', 'wallet_owner_key', 'wallet_owner_id_check', 'wallet_allocation_check',
          'wallet_wallet_id_fkey', 'wallet_currency_fkey'
        ]
      ),
      (
        7, 'pocket',
        array[
          'pocket_pkey', 'pocket_name_check', 'pocket_pocket_type_check', 'pocket_stop_check',
          'pocket_rest_check', 'pocket_closed_check',
          'pocket_allocation_percentage_check', 'pocket_target_amount_check',
          'pocket_pocket_id_fkey', 'pocket_wallet_id_fkey'
        ]
      ),
      (
        7, 'project',
        array[
          'project_pkey', 'project_reference_key', 'project_escrow_account_id_key',
          'project_reference_check', 'project_commission_rate_check', 'project_fee_rate_check',
          'project_fee_fixed_check', 'project_rates_check', 'project_max_pledge_check',
          'project_closed_check', 'project_project_id_fkey', 'project_escrow_account_id_fkey',
          'project_currency_fkey'
        ]
      ),
      (
        7, 'currency',
        array[
          'currency_pkey', 'currency_external_account_id_key',
          'currency_commission_account_id_key', 'currency_fee_account_id_key',
          'currency_currency_check', 'currency_exponent_check', 'currency_max_pledge_check',
          'currency_max_pledge_decimals_check'
        ]
      ),
      (
        7, 'settings',
        array[
          'settings_pkey', 'settings_only_row_check', 'settings_commission_rate_check',
          'settings_fee_rate_check', 'settings_fee_fixed_check', 'settings_rates_check',
          'settings_decimals_check', 'settings_max_pledge_check',
          'settings_max_pockets_per_allocation_check', 'settings_max_metadata_bytes_check'
        ]
      )
  ) as g (invariant, table_name, names)
  cross join unnest(g.names) with ordinality as n (name, place)
  where not exists (
    select
    from pg_constraint as c
    left join pg_index as i on i.indexrelid = c.conindid and c.contype in ('p', 'u')
    where c.conrelid = to_regclass('pgwallet.' || g.table_name) and c.conname = n.name
      and c.convalidated and i.indisvalid is not false
  )
  order by g.invariant, g.table_name, n.place;

  -- One idempotency key has one effect, a transaction is reversed once, a wallet's pockets have
  -- names of their own and at most one takes the rest: an index refuses the second.
  return query
  select
    g.invariant, format('table pgwallet.%s', g.table_name),
    format('Its unique index %s is missing or not valid.', g.name)
  from (
    values
      (
        6, 'transaction', 'transaction_idempotency_key',
        '(idempotency_key) WHERE (idempotency_key IS NOT NULL)'
      ),
      (
        6, 'transaction', 'transaction_reversed_key',
        '(reversed_transaction_id) WHERE (reversed_transaction_id IS NOT NULL)'
      ),
      (7, 'pocket', 'pocket_name_key', '(wallet_id, name) WHERE (closed_at IS NULL)'),
      (7, 'pocket', 'pocket_rest_key', '(wallet_id) WHERE takes_rest')
  ) as g (invariant, table_name, name, what)
  -- By its name: else each index of the database might be written out.
  where pg_get_indexdef(to_regclass('pgwallet.' || g.name)) is distinct from format(
      'CREATE UNIQUE INDEX %s ON pgwallet.%s USING btree %s', g.name, g.table_name, g.what
    )
    or not exists (
      select
      from pg_index as i
      where i.indexrelid = to_regclass('pgwallet.' || g.name) and i.indisvalid and i.indisready
    )
  order by g.invariant, g.table_name, g.name;

  -- 6. Nothing is given out twice: each sequence is ahead of its tables.
  return query
  select
    6, format('sequence %s', s.sequence_name),
    format('It gives out %s next, the tables go up to %s.', s.next_value, s.highest_value)
  from pgwallet.list_sequences() as s
  where s.next_value <= s.highest_value
  order by s.sequence_name;

  -- 7. Calls read rates and limits from one row.
  return query
  select 7, 'table pgwallet.settings', 'Its only row is gone.'
  where not exists (select from pgwallet.settings as s where s.only_row);
end;
$function$;
