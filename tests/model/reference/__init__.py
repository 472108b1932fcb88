"""A ledger in plain Python with exact arithmetic, to hold the real one against.

Written from what the docs promise, not from the SQL. It has the driver's functions, by the same
names and arguments, with `Books` where the driver takes a connection; they return the driver's
results and raise its exceptions. Amounts are whole minor units inside. Its ids are its own.
"""

from .accounts import freeze_account, set_credit_limit, unfreeze_account
from .allocations import allocate_deposit, allocate_deposits, preview_allocation
from .books import Books
from .corrections import (
    cancel_pledge,
    change_pledge,
    dispute_escrow,
    refund_release,
    resolve_dispute,
)
from .escrow import (
    pledge,
    pledge_many,
    refund_escrow,
    refund_escrows,
    refund_expired_escrows,
    release_escrow,
    release_escrows,
)
from .looking_up import (
    find_project,
    find_transaction,
    get_escrow,
    get_project,
    get_transaction,
    list_escrows,
    list_pockets,
    list_projects,
    list_settled_escrows,
    list_wallets,
)
from .pockets import (
    close_pocket,
    create_pocket,
    rename_pocket,
    set_allocation,
    set_target,
    transfer_from_pocket,
    transfer_to_pocket,
)
from .projects import close_project, collect_earnings, create_project, payout
from .reading import (
    balance,
    balance_at,
    check_ledger,
    check_seals,
    list_events,
    list_seals,
    statement,
)
from .reversals import reverse_transaction
from .transfers import transfer
from .wallets import close_wallet, create_wallet, deposit, deposit_many, erase_owner, withdraw
from .watching import currency_metrics, ledger_metrics, record_check

__all__ = [
    "Books",
    "allocate_deposit",
    "allocate_deposits",
    "balance",
    "balance_at",
    "cancel_pledge",
    "change_pledge",
    "check_ledger",
    "check_seals",
    "close_pocket",
    "close_project",
    "close_wallet",
    "collect_earnings",
    "create_pocket",
    "create_project",
    "create_wallet",
    "currency_metrics",
    "deposit",
    "deposit_many",
    "dispute_escrow",
    "erase_owner",
    "find_project",
    "find_transaction",
    "freeze_account",
    "get_escrow",
    "get_project",
    "get_transaction",
    "ledger_metrics",
    "list_escrows",
    "list_events",
    "list_pockets",
    "list_projects",
    "list_seals",
    "list_settled_escrows",
    "list_wallets",
    "payout",
    "pledge",
    "pledge_many",
    "preview_allocation",
    "record_check",
    "refund_escrow",
    "refund_escrows",
    "refund_expired_escrows",
    "refund_release",
    "release_escrow",
    "release_escrows",
    "rename_pocket",
    "resolve_dispute",
    "reverse_transaction",
    "set_allocation",
    "set_credit_limit",
    "set_target",
    "statement",
    "transfer",
    "transfer_from_pocket",
    "transfer_to_pocket",
    "unfreeze_account",
    "withdraw",
]
