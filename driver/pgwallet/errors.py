"""What the ledger can refuse, one exception for each SQLSTATE of class PW.

PgWalletError                PW000  (base class, never raised)
  InvalidAmount              PW001
  InvalidArgument            PW002
  CurrencyMismatch           PW003
  NotFound                          (base class of these five, never raised)
    WalletNotFound           PW101
    PocketNotFound           PW102
    ProjectNotFound          PW103
    EscrowNotFound           PW104
    AccountNotFound          PW105
  InsufficientFunds          PW201
  EscrowNotLocked            PW202
  IdempotencyConflict        PW203
  ProjectClosed              PW204
  ProjectNotClosed           PW205
  EscrowAmountExceeded       PW206
  NotReversible              PW207
  AccountFrozen              PW208
  AccountClosed              PW209
  AccountNotEmpty            PW210
  PledgeLimitExceeded        PW301
  AllocationExceeds100       PW302
  TransactionNotDistributed  PW401
  LedgerImmutable            PW901

Any other database error (a lost connection, a deadlock) stays the psycopg.Error it is.
"""

from collections.abc import Iterator
from typing import ClassVar

import psycopg

ERRORS_PAGE = "https://pgwallet.readthedocs.io/en/latest/errors/"


class PgWalletError(Exception):
    """Base of all refusals.

    `message` names the object, `detail` gives the figures and `hint` the next step; the last
    two may be None. `url` is where the documentation says more. `str()` shows the message, then
    the others on lines of their own.
    """

    sqlstate: ClassVar[str] = "PW000"

    def __init__(self, message: str, detail: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    @property
    def url(self) -> str:
        return f"{ERRORS_PAGE}#{self.sqlstate.lower()}"

    def __str__(self) -> str:
        return f"{in_lines(self.message, self.detail, self.hint)}\nSee {self.url}"


class InvalidAmount(PgWalletError):
    """Missing, NaN, infinite, not above zero, too large, or with too many decimals."""

    sqlstate = "PW001"


class InvalidArgument(PgWalletError):
    """An argument other than an amount is malformed."""

    sqlstate = "PW002"


class CurrencyMismatch(PgWalletError):
    """The wallet and the project have different currencies, or the currency is unknown."""

    sqlstate = "PW003"


class NotFound(PgWalletError):
    """Nothing has this id, whatever it is the id of; base of the five below."""


class WalletNotFound(NotFound):
    """No wallet has this id."""

    sqlstate = "PW101"


class PocketNotFound(NotFound):
    """No pocket has this id."""

    sqlstate = "PW102"


class ProjectNotFound(NotFound):
    """No project has this id."""

    sqlstate = "PW103"


class EscrowNotFound(NotFound):
    """No escrow has this id."""

    sqlstate = "PW104"


class AccountNotFound(NotFound):
    """No account has this id."""

    sqlstate = "PW105"


class InsufficientFunds(PgWalletError):
    """The account, and its credit, are less than the call would take, or than is owed already."""

    sqlstate = "PW201"


class EscrowNotLocked(PgWalletError):
    """The escrow is settled already, disputed, or expired and to be refunded."""

    sqlstate = "PW202"


class IdempotencyConflict(PgWalletError):
    """The idempotency key was used with other arguments."""

    sqlstate = "PW203"


class ProjectClosed(PgWalletError):
    """The project takes no pledges any more, or was closed with the other outcome."""

    sqlstate = "PW204"


class ProjectNotClosed(PgWalletError):
    """The project was not closed with the outcome that the call needs."""

    sqlstate = "PW205"


class EscrowAmountExceeded(PgWalletError):
    """The escrow holds less than was asked for, or less of it was released."""

    sqlstate = "PW206"


class NotReversible(PgWalletError):
    """The transaction was reversed already, is a reversal, or is undone in another way."""

    sqlstate = "PW207"


class AccountFrozen(PgWalletError):
    """Nothing may leave the wallet or project while it is frozen."""

    sqlstate = "PW208"


class AccountClosed(PgWalletError):
    """The wallet or pocket was closed."""

    sqlstate = "PW209"


class AccountNotEmpty(PgWalletError):
    """The wallet cannot be closed while it, a pocket or a locked escrow of it holds anything."""

    sqlstate = "PW210"


class PledgeLimitExceeded(PgWalletError):
    """The pledge is above the project's limit for one pledge."""

    sqlstate = "PW301"


class AllocationExceeds100(PgWalletError):
    """The percentages of the wallet's pockets would pass 100."""

    sqlstate = "PW302"


class TransactionNotDistributed(PgWalletError):
    """On the router of a cluster, a transaction wrote before this call, which it could not undo."""

    sqlstate = "PW401"


class LedgerImmutable(PgWalletError):
    """Postings and transactions are never changed, and nothing they refer to is deleted."""

    sqlstate = "PW901"


def _leaves(error: type[PgWalletError]) -> Iterator[type[PgWalletError]]:
    """The exceptions that are raised; those above them only stand for several."""
    below = error.__subclasses__()
    if not below:
        yield error
    for each in below:
        yield from _leaves(each)


BY_SQLSTATE = {error.sqlstate: error for error in _leaves(PgWalletError)}


def refusal(error: psycopg.Error) -> PgWalletError | None:
    """The exception for a database error that the ledger raised, None for any other."""
    if error.sqlstate not in BY_SQLSTATE:
        return None
    diag = error.diag
    return BY_SQLSTATE[error.sqlstate](
        diag.message_primary or str(error), diag.message_detail, diag.message_hint
    )


def in_lines(message: str, detail: str | None, hint: str | None) -> str:
    """The parts of an error or a warning, each on its line, as psql shows them."""
    lines = [message]
    if detail:
        lines.append(f"DETAIL: {detail}")
    if hint:
        lines.append(f"HINT: {hint}")
    return "\n".join(lines)
