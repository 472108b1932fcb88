"""Wallets, pockets and escrow as PostgreSQL functions: the Python driver.

Every function takes a psycopg connection first, and returns its result on a
psycopg.Connection, a coroutine of it on a psycopg.AsyncConnection:

    pgwallet.deposit(conn, wallet_id, Decimal("12.34"), idempotency_key="order-1")
    await pgwallet.deposit(aconn, wallet_id, Decimal("12.34"), idempotency_key="order-1")

It runs in the transaction that the connection is in and never ends one; `run_transaction`,
`release_project` and `refund_project` are the exceptions. What the ledger refuses is a
`PgWalletError`; what it warns of goes to the logger `pgwallet`.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from .deployment import DeploymentError, migrate, status
from .errors import (
    AccountClosed,
    AccountFrozen,
    AccountNotEmpty,
    AccountNotFound,
    AllocationExceeds100,
    CurrencyMismatch,
    EscrowAmountExceeded,
    EscrowNotFound,
    EscrowNotLocked,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidAmount,
    InvalidArgument,
    LedgerImmutable,
    NotFound,
    NotReversible,
    PgWalletError,
    PledgeLimitExceeded,
    PocketNotFound,
    ProjectClosed,
    ProjectNotClosed,
    ProjectNotFound,
    WalletNotFound,
)
from .escrow import (
    get_escrow,
    list_escrows,
    pledge,
    pledge_many,
    refund_escrow,
    refund_escrows,
    refund_expired_escrows,
    release_escrow,
    release_escrows,
)
from .ledger import (
    balance,
    balance_at,
    check_ledger,
    find_transaction,
    get_transaction,
    list_events,
    statement,
)
from .pockets import (
    allocate_deposit,
    allocate_deposits,
    create_pocket,
    list_pockets,
    preview_allocation,
    set_allocation,
    transfer_from_pocket,
    transfer_to_pocket,
)
from .projects import (
    close_project,
    create_project,
    find_project,
    get_project,
    list_projects,
    payout,
    refund_project,
    release_project,
)
from .results import (
    Allocation,
    Deposit,
    DepositRow,
    Escrow,
    Event,
    ExpiredBatch,
    Payout,
    Pledge,
    PledgeRow,
    Pocket,
    PocketTransfer,
    Project,
    ProjectState,
    Refund,
    RefundBatch,
    Release,
    ReleaseBatch,
    Share,
    ShareRow,
    StatementRow,
    Transaction,
    Transfer,
    Violation,
    Wallet,
    Withdrawal,
)
from .transactions import run_transaction
from .wallets import (
    create_wallet,
    deposit,
    deposit_many,
    list_wallets,
    transfer,
    withdraw,
)

__version__ = version("pgwallet")

__all__ = [
    "AccountClosed",
    "AccountFrozen",
    "AccountNotEmpty",
    "AccountNotFound",
    "Allocation",
    "AllocationExceeds100",
    "CurrencyMismatch",
    "DeploymentError",
    "Deposit",
    "DepositRow",
    "Escrow",
    "EscrowAmountExceeded",
    "EscrowNotFound",
    "EscrowNotLocked",
    "Event",
    "ExpiredBatch",
    "IdempotencyConflict",
    "InsufficientFunds",
    "InvalidAmount",
    "InvalidArgument",
    "LedgerImmutable",
    "NotFound",
    "NotReversible",
    "Payout",
    "PgWalletError",
    "Pledge",
    "PledgeLimitExceeded",
    "PledgeRow",
    "Pocket",
    "PocketNotFound",
    "PocketTransfer",
    "Project",
    "ProjectClosed",
    "ProjectNotClosed",
    "ProjectNotFound",
    "ProjectState",
    "Refund",
    "RefundBatch",
    "Release",
    "ReleaseBatch",
    "Share",
    "ShareRow",
    "StatementRow",
    "Transaction",
    "Transfer",
    "Violation",
    "Wallet",
    "WalletNotFound",
    "Withdrawal",
    "__version__",
    "allocate_deposit",
    "allocate_deposits",
    "balance",
    "balance_at",
    "check_ledger",
    "close_project",
    "create_pocket",
    "create_project",
    "create_wallet",
    "deposit",
    "deposit_many",
    "find_project",
    "find_transaction",
    "get_escrow",
    "get_project",
    "get_transaction",
    "list_escrows",
    "list_events",
    "list_pockets",
    "list_projects",
    "list_wallets",
    "migrate",
    "payout",
    "pledge",
    "pledge_many",
    "preview_allocation",
    "refund_escrow",
    "refund_escrows",
    "refund_expired_escrows",
    "refund_project",
    "release_escrow",
    "release_escrows",
    "release_project",
    "run_transaction",
    "set_allocation",
    "statement",
    "status",
    "transfer",
    "transfer_from_pocket",
    "transfer_to_pocket",
    "withdraw",
]


def __getattr__(name: str) -> Any:
    # Not imported with the rest: it needs a POSIX system, which the driver does not.
    if name == "embedded":
        return import_module(".embedded", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
