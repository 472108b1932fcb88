"""What the reference ledger knows: accounts, movements, escrows, and what each key has done."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from pgwallet.errors import (
    AccountClosed,
    AccountFrozen,
    AccountNotFound,
    EscrowNotFound,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidArgument,
    PgWalletError,
    PocketNotFound,
    ProjectNotFound,
    WalletNotFound,
)
from pgwallet.results import Allocation, Project, Share, ShareRow

from .money import EXPONENTS, check_amount, minor_units

R = TypeVar("R")

NOT_FOUND: dict[str, type[PgWalletError]] = {
    "wallet": WalletNotFound,
    "pocket": PocketNotFound,
    "project": ProjectNotFound,
}
SLOTS = 1024
# What the reference does not say, since another test does or nobody can.
ANYTHING: Any = object()


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


@dataclass(slots=True)
class Books:
    """Everything one ledger knows. The functions of this package read and write it."""

    settings: Settings = field(default_factory=Settings)
    accounts: dict[int, Account] = field(default_factory=dict)
    wallets: dict[int, Wallet] = field(default_factory=dict)
    pockets: dict[int, Pocket] = field(default_factory=dict)
    projects: dict[int, ProjectRecord] = field(default_factory=dict)
    escrows: dict[int, Escrow] = field(default_factory=dict)
    transactions: dict[int, Transaction] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    events: list[Happening] = field(default_factory=list)
    # How many pockets allocations have left out: what the ledger warns of.
    left_out: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: count(1))
    _transaction_ids: Iterator[int] = field(default_factory=lambda: count(1))
    platforms: dict[tuple[str, str], Account] = field(default_factory=dict)
    _done: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for currency in EXPONENTS:
            for kind in ("external", "commission", "fee"):
                self.platforms[kind, currency] = self.open(kind, currency)

    def new_id(self, slot: int = 0) -> int:
        return next(self._ids) * SLOTS + slot

    def open(self, kind: str, currency: str, account_id: int | None = None) -> Account:
        account = Account(account_id or self.new_id(), kind, currency)
        self.accounts[account.account_id] = account
        return account

    def platform(self, kind: str, currency: str) -> Account:
        return self.platforms[kind, currency]

    def find(self, kind: str, account_id: int | None) -> Account:
        account = self.accounts.get(account_id or 0)
        if account is None or account.kind != kind:
            raise NOT_FOUND[kind](f"there is no {kind} {account_id}")
        return account

    def find_any(self, account_id: int | None) -> Account:
        account = self.accounts.get(account_id or 0)
        if account is None:
            raise AccountNotFound(f"there is no account {account_id}")
        return account

    def find_escrow(self, escrow_id: int | None) -> Escrow:
        escrow = self.escrows.get(escrow_id or 0)
        if escrow is None:
            raise EscrowNotFound(f"there is no escrow {escrow_id}")
        return escrow

    def record(
        self,
        kind: str,
        metadata: Any = None,
        effective_at: datetime | None = None,
        escrow_id: int | None = None,
    ) -> Transaction:
        transaction_id = next(self._transaction_ids)
        transaction = Transaction(transaction_id, kind, metadata, effective_at, escrow_id)
        self.transactions[transaction_id] = transaction
        return transaction

    def move(
        self, transaction: Transaction, source: Account, destination: Account, amount: int
    ) -> None:
        """Posts an amount, unless there is nothing to move."""
        if not amount:
            return
        source.balance -= amount
        destination.balance += amount
        self.movements.append(
            Movement(
                len(self.movements) + 1,
                transaction,
                source,
                destination,
                amount,
                source.balance
                if source.keeps_balance or transaction.kind == "collection"
                else None,
                destination.balance if destination.keeps_balance else None,
            )
        )

    def note(
        self,
        kind: str,
        subject_id: int | None,
        reason: str | None = None,
        before: Any = ANYTHING,
        after: Any = ANYTHING,
    ) -> None:
        """Writes down what changed without moving money."""
        event_id = len(self.events) + 1
        self.events.append(Happening(event_id, subject_id, kind, reason, before, after))

    def once(self, key: str | None, request: Hashable, do: Callable[[], R]) -> R:
        """Does what a key has not done yet; else returns what came of it then."""
        if key is None:
            return do()
        if key not in self._done:
            result = do()
            self._done[key] = (request, result)
            row: Any = result[0] if isinstance(result, list) else result
            self.transactions[row.transaction_id].key = key
            return result
        if not self.would_replay(key, request):
            raise IdempotencyConflict(f"key {key} was used for something else")
        again: R = self._again(self._done[key][1])
        return again

    def would_replay(self, key: str | None, request: Hashable) -> bool:
        return key in self._done and self._done[key][0] == request

    def new_elements(self, keys: Sequence[str | None], requests: Sequence[Hashable]) -> list[int]:
        """The places of a bulk call that are no replays; refuses keys used for something else."""
        known = {key: request for key, (request, _) in self._done.items()}
        new = []
        for place, (key, request) in enumerate(zip(keys, requests, strict=True)):
            if key is None or key not in known:
                new.append(place)
            elif known[key] != request:
                raise IdempotencyConflict(f"key {key} was used for something else")
            if key is not None:
                known[key] = request
        return new

    def _again(self, result: Any) -> Any:
        """The figures of then, with names and states as they are now."""
        if isinstance(result, list):
            return [self._again(row) for row in result]
        if isinstance(result, Share):
            return replace(result, **self._pocket_now(result.pocket_id))
        if isinstance(result, ShareRow):
            if result.pocket_id is not None:
                result = replace(result, **self._pocket_now(result.pocket_id))
        elif isinstance(result, Allocation):
            shares = tuple(self._again(share) for share in result.shares)
            return replace(result, shares=shares, replayed=True)
        elif hasattr(result, "status"):
            result = replace(result, status=self.escrows[result.escrow_id].status)
        return replace(result, replayed=True)

    def _pocket_now(self, pocket_id: int) -> dict[str, Any]:
        pocket = self.pockets[pocket_id]
        return {"name": pocket.name, "allocation_percentage": pocket.percentage}


def check_text(name: str, text: str | None) -> None:
    if text is None or not text.strip() or len(text) > 200:
        raise InvalidArgument(f"{name} is null, blank or too long")


def check_key(key: str | None) -> None:
    if key is not None:
        check_text("idempotency_key", key)


def check_limit(limit: int | None) -> None:
    if limit is None or limit < 1:
        raise InvalidArgument(f"limit {limit} is not valid")


def check_open(*accounts: Account) -> None:
    for account in accounts:
        if account.closed:
            raise AccountClosed(f"{account.kind} {account.account_id} is closed")


def check_leaving(*accounts: Account) -> None:
    """Refuses to let money leave what is closed or frozen."""
    check_open(*accounts)
    for account in accounts:
        if account.frozen:
            raise AccountFrozen(f"{account.kind} {account.account_id} is frozen")


def check_funds(account: Account, amount: int, credit: int = 0) -> None:
    """Refuses what an account cannot pay; nothing at all it always can, though it owes."""
    if amount and account.balance + credit < amount:
        raise InsufficientFunds(f"{account.balance} and {credit} are less than {amount}")


def check_all_funds(payments: Iterable[tuple[Account, int]], on_credit: bool = False) -> None:
    """Refuses payments that are too much for an account taken together."""
    accounts: dict[int, Account] = {}
    amounts: Counter[int] = Counter()
    for account, amount in payments:
        accounts[account.account_id] = account
        amounts[account.account_id] += amount
    for account_id, amount in amounts.items():
        account = accounts[account_id]
        check_funds(account, amount, account.credit if on_credit else 0)


@dataclass(frozen=True, slots=True)
class Elements:
    """The arrays of a bulk call, one element a place."""

    wallet_ids: list[int | None]
    amounts: list[Decimal]
    keys: list[str | None]

    def in_wallets(self, books: Books) -> list[tuple[Account, int]]:
        """The wallets and minor units; refuses a missing wallet before any decimals."""
        wallets = [books.find("wallet", wallet_id) for wallet_id in self.wallet_ids]
        return [
            (wallet, minor_units(amount, wallet.currency))
            for wallet, amount in zip(wallets, self.amounts, strict=True)
        ]


def elements(
    wallet_ids: list[int | None],
    amounts: list[Decimal | None],
    keys: list[str | None] | None,
) -> Elements:
    """Refuses malformed amounts, then arrays of unequal length, then malformed keys."""
    present = []
    for amount in amounts:
        check_amount(amount)
        if amount is not None:
            present.append(amount)
    if keys is None:
        keys = [None] * len(amounts)
    if not len(wallet_ids) == len(amounts) == len(keys):
        raise InvalidArgument("the arrays are not of one length")
    for key in keys:
        check_key(key)
    return Elements(wallet_ids, present, keys)
