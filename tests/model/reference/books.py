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
)
from pgwallet.results import Allocation, Share, ShareRow

from .money import EXPONENTS, check_amount, minor_units
from .records import (
    NOT_FOUND,
    Account,
    Escrow,
    Happening,
    Movement,
    Pocket,
    ProjectRecord,
    Settings,
    Transaction,
    Wallet,
)

R = TypeVar("R")

SLOTS = 1024
# What the reference does not say, since another test does or nobody can.
ANYTHING: Any = object()


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
