"""Which access suffices for what was refused, so that nobody is given more than that."""

import re

from psycopg import errors

# Where they are: _rights_of in the database, which a test compares this with.
_OPERATION = frozenset(
    {
        "erase_owner",
        "collect_earnings",
        *("close_project", "payout", "release_escrow", "refund_escrow", "release_escrows"),
        *("refund_escrows", "refund_expired_escrows", "release_project", "refund_project"),
        *("freeze_account", "unfreeze_account", "set_credit_limit", "reverse_transaction"),
        *("refund_release", "dispute_escrow", "resolve_dispute", "seal_ledger"),
    }
)
_READING = frozenset(
    {
        *("balance", "balance_at", "statement", "list_events"),
        *("check_ledger", "record_check", "read_feed", "check_seals", "list_seals"),
        *("get_transaction", "find_transaction", "list_wallets", "list_pockets", "list_escrows"),
        *("list_settled_escrows", "get_escrow", "get_project", "find_project", "list_projects"),
        *("wallet_summary", "pocket_summary", "project_summary", "escrow_summary"),
        "transaction_log",
    }
)
_MONITORING = frozenset(
    {
        *("list_rights", "list_sequences", "show_deployment"),
        *("currency_metrics", "ledger_metrics", "platform_summary"),
    }
)
_APPLICATION = frozenset(
    {
        *("create_wallet", "create_pocket", "rename_pocket", "set_allocation", "set_target"),
        "create_project",
        *("deposit", "deposit_many", "withdraw", "transfer", "pledge", "pledge_many"),
        *("allocate_deposit", "allocate_deposits", "preview_allocation"),
        *("transfer_to_pocket", "transfer_from_pocket", "close_pocket", "close_wallet"),
        *("change_pledge", "cancel_pledge"),
    }
)
LEAST_ACCESS = {
    **dict.fromkeys(_OPERATION, "operator"),
    **dict.fromkeys(_MONITORING, "monitor"),
    **dict.fromkeys(_READING, "auditor"),
    **dict.fromkeys(_APPLICATION, "app"),
}


def hint_of(error: errors.InsufficientPrivilege) -> str:
    """What the role lacks: by what the command calls, which is its note, else by the message."""
    said = [*getattr(error, "__notes__", ()), error.diag.message_primary or str(error)]
    for word in re.findall(r"\w+", " ".join(said)):
        if word in LEAST_ACCESS:
            return (
                "The owner of the schema pgwallet gives what this needs, and no more, with: "
                f"pgwallet grant {LEAST_ACCESS[word]} ROLE"
            )
    return (
        "Only the owner of the schema pgwallet may do this. To act as the owner, add "
        "options=-crole=OWNER to the connection string."
    )
