"""What the functions of currencies, wallets and accounts return."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: how many decimals its amounts have, and the accounts that it has by itself."""

    currency: str
    exponent: int
    name: str
    external_account_id: int
    commission_account_id: int
    fee_account_id: int


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet and what it holds outside its pockets; below 0 is what it owes."""

    wallet_id: int
    owner_id: str
    currency: str
    balance: Decimal
    credit_limit: Decimal
    frozen_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Freeze:
    """Whether nothing may leave an account, and since when."""

    account_id: int
    frozen: bool
    frozen_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreditLimit:
    """How far below 0 the balance of an account may go, and where it is."""

    account_id: int
    credit_limit: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Erasure:
    """A wallet under its made-up owner, and of how many transactions metadata were erased."""

    wallet_id: int
    owner_id: str
    currency: str
    transaction_count: int
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Deposit:
    """The wallet's balance after money came in."""

    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The wallet's balance after money left."""

    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """The balances of the account that paid and of the one that received."""

    from_balance: Decimal
    to_balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class DepositRow:
    """One deposit of `deposit_many`."""

    wallet_id: int
    balance: Decimal
    transaction_id: int
    replayed: bool
