"""What the reference ledger keeps of each account, pledge, movement and event."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pgwallet.errors import (
    PgWalletError,
    PocketNotFound,
    ProjectNotFound,
    WalletNotFound,
)
from pgwallet.results import Project

NOT_FOUND: dict[str, type[PgWalletError]] = {
    "wallet": WalletNotFound,
    "pocket": PocketNotFound,
    "project": ProjectNotFound,
}


@dataclass(slots=True)
class Account:
    account_id: int
    kind: str
    currency: str
    balance: int = 0
    credit: int = 0
    frozen: bool = False
    closed: bool = False

    @property
    def keeps_balance(self) -> bool:
        return self.kind in NOT_FOUND


@dataclass(slots=True)
class Wallet:
    owner_id: str
    account: Account
    is_erased: bool = False


@dataclass(slots=True)
class Pocket:
    account: Account
    wallet: Account
    name: str
    percentage: Decimal
    pocket_type: str | None
    target_amount: int | None
    stop_at_target: bool = False
    takes_rest: bool = False


@dataclass(slots=True)
class ProjectRecord:
    account: Account
    escrow_account: Account
    shown: Project
    arguments: tuple[Any, ...]
    closed_at: datetime | None = None


@dataclass(slots=True)
class Escrow:
    escrow_id: int
    project: ProjectRecord
    wallet: Account
    amount: int
    expires_at: datetime | None
    released: int = 0
    refunded: int = 0
    commission: int = 0
    fee: int = 0
    net: int = 0
    disputed: bool = False
    went_back_expired: bool = False
    settled_by: int | None = None

    @property
    def left(self) -> int:
        return self.amount - self.released - self.refunded

    @property
    def affordable(self) -> int:
        """The most that its wallet could raise it to."""
        return self.amount + self.wallet.balance + self.wallet.credit

    def has_expired(self, now: datetime) -> bool:
        """Whether it is only refunded: its time came before its project succeeded, if it did."""
        project = self.project
        until = project.closed_at if project.shown.status == "succeeded" else now
        return self.expires_at is not None and until is not None and self.expires_at <= until

    @property
    def status(self) -> str:
        if self.left:
            return "disputed" if self.disputed else "locked"
        if not self.refunded:
            return "released"
        if self.released:
            return "settled"
        return "expired" if self.went_back_expired else "refunded"

    def took(self, transaction: "Transaction") -> None:
        """Notes which transaction took the last of it."""
        self.settled_by = None if self.left else transaction.transaction_id


@dataclass(slots=True)
class Transaction:
    transaction_id: int
    kind: str
    metadata: Any
    effective_at: datetime | None
    escrow_id: int | None = None
    key: str | None = None
    reversed_id: int | None = None
    reversal_id: int | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """A posting; balances after it where the account keeps one."""

    posting_id: int
    transaction: Transaction
    source: Account
    destination: Account
    amount: int
    source_balance: int | None
    destination_balance: int | None


@dataclass(frozen=True, slots=True)
class Happening:
    """An event; whoever noted none of what changed is not held to it."""

    event_id: int
    subject_id: int | None
    kind: str
    reason: str | None
    before: Any
    after: Any


@dataclass(slots=True)
class Settings:
    commission_rate: Decimal = Decimal("0.05")
    fee_rate: Decimal = Decimal("0.029")
    fee_fixed: Decimal = Decimal(0)
    max_pledge: Decimal = Decimal(100000)
    max_pockets_per_allocation: int = 100
