"""What the functions return: one frozen dataclass for each kind of row.

Fields have the names and the order of the SQL columns. Amounts and balances are `Decimal`
in major units with exactly the currency's decimals. `transaction_id` names what the call
recorded in the ledger; `replayed` is true when an earlier call had used the idempotency key,
and the figures are those of that call.
"""

from .escrow import (
    Dispute,
    Escrow,
    ExpiredBatch,
    Pledge,
    PledgeRow,
    Refund,
    Release,
    ReleaseRefund,
    ResolvedDispute,
)
from .ledger import (
    CurrencyMetrics,
    Event,
    FeedRow,
    LedgerMetrics,
    Reversal,
    SkippedIds,
    StatementRow,
    Transaction,
    Violation,
)
from .pockets import (
    Allocation,
    Pocket,
    PocketClosing,
    PocketTransfer,
    Share,
    ShareRow,
)
from .projects import (
    Collection,
    Payout,
    Project,
    ProjectState,
    RefundBatch,
    ReleaseBatch,
)
from .seals import (
    NewSeal,
    Seal,
    WrongSeal,
)
from .wallets import (
    CreditLimit,
    Currency,
    Deposit,
    DepositRow,
    Erasure,
    Freeze,
    Transfer,
    Wallet,
    Withdrawal,
)

__all__ = [
    "Allocation",
    "Collection",
    "CreditLimit",
    "Currency",
    "CurrencyMetrics",
    "Deposit",
    "DepositRow",
    "Dispute",
    "Erasure",
    "Escrow",
    "Event",
    "ExpiredBatch",
    "FeedRow",
    "Freeze",
    "LedgerMetrics",
    "NewSeal",
    "Payout",
    "Pledge",
    "PledgeRow",
    "Pocket",
    "PocketClosing",
    "PocketTransfer",
    "Project",
    "ProjectState",
    "Refund",
    "RefundBatch",
    "Release",
    "ReleaseBatch",
    "ReleaseRefund",
    "ResolvedDispute",
    "Reversal",
    "Seal",
    "Share",
    "ShareRow",
    "SkippedIds",
    "StatementRow",
    "Transaction",
    "Transfer",
    "Violation",
    "Wallet",
    "Withdrawal",
    "WrongSeal",
]
