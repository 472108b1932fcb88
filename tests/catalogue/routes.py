"""Where a router sends a call: the databases of a cluster that a function concerns."""

from pgwallet.cluster.routing import Route

_BY_ROUTE = {
    # A wallet, with its pockets, escrows and transactions, is on one shard, as its id says.
    Route.BY_ID: """
        allocate_deposit cancel_pledge change_pledge close_pocket close_wallet create_pocket deposit
        dispute_escrow erase_owner get_escrow get_transaction list_pockets list_settled_escrows
        pledge preview_allocation refund_escrow refund_release release_escrow rename_pocket
        resolve_dispute set_allocation set_target transfer_from_pocket transfer_to_pocket withdraw
    """,
    # So are all wallets of an owner.
    Route.BY_OWNER: "create_wallet list_wallets",
    # Projects, currencies and the platform's accounts are on all shards; arrays and a transfer name
    # several wallets; a key, a check and a list may be of any shard.
    Route.BY_HAND: """
        allocate_deposits balance balance_at check_ledger check_seals close_project
        collect_earnings create_currency create_project currency_metrics deposit_many find_project
        find_transaction freeze_account get_project ledger_metrics list_escrows list_events
        list_projects list_seals payout pledge_many read_feed record_check refund_escrows
        refund_expired_escrows release_escrows reverse_transaction seal_ledger set_credit_limit
        statement transfer unfreeze_account
    """,
    # Who may do what is said to the router; of the procedures, each round is a call of its own.
    Route.LOCAL: """
        grant_app grant_auditor grant_monitor grant_operator list_rights refund_project
        release_project show_deployment
    """,
    # A sequence is of one database.
    Route.NOT_HERE: "list_sequences skip_ids",
}

ROUTES = {name: route for route, names in _BY_ROUTE.items() for name in names.split()}
