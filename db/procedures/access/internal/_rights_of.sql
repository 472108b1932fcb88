-- What an access gives: the names of functions to execute and of views to read; null for an unknown
-- one. The lists below are the only place that says who may what.
create or replace function pgwallet._rights_of(p_access text)
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- What `pgwallet status` calls.
  c_status constant text[] := array['list_rights', 'list_sequences', 'show_deployment'];
  c_reading constant text[] := array[
    'balance', 'balance_at', 'statement', 'get_transaction', 'find_transaction',
    'list_wallets', 'list_pockets', 'list_escrows', 'get_escrow', 'list_settled_escrows',
    'get_project', 'find_project', 'list_projects'
  ];
  c_application constant text[] := array[
    'create_wallet', 'create_pocket', 'rename_pocket', 'set_allocation', 'set_target',
    'create_project',
    'deposit', 'deposit_many', 'withdraw', 'transfer',
    'allocate_deposit', 'allocate_deposits', 'preview_allocation',
    'transfer_to_pocket', 'transfer_from_pocket', 'close_pocket', 'close_wallet',
    'pledge', 'pledge_many', 'change_pledge', 'cancel_pledge'
  ];
  c_operation constant text[] := array[
    'close_project', 'release_escrow', 'refund_escrow',
    'release_escrows', 'refund_escrows', 'refund_expired_escrows', 'payout',
    'release_project', 'refund_project',
    'freeze_account', 'unfreeze_account', 'set_credit_limit', 'reverse_transaction',
    'refund_release', 'dispute_escrow', 'resolve_dispute', 'erase_owner', 'collect_earnings',
    'seal_ledger'
  ];
  c_audit constant text[] := array[
    'check_ledger', 'record_check', 'list_events', 'read_feed', 'check_seals', 'list_seals'
  ];
  c_metrics constant text[] := array['currency_metrics', 'ledger_metrics', 'platform_summary'];
  -- Not for an application: they show everybody's movements and metadata.
  c_views constant text[] := array[
    'wallet_summary', 'pocket_summary', 'project_summary', 'escrow_summary',
    'transaction_log'
  ];
begin
  return case p_access
    when 'app' then c_status || c_reading || c_application
    when 'operator' then
      c_status || c_reading || c_application || c_operation || c_audit || c_metrics
      || c_views
    when 'auditor' then c_status || c_reading || c_audit || c_metrics || c_views
    when 'monitor' then c_status || c_metrics
  end;
end;
$function$;
