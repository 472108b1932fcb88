"""What the functions of pockets and allocations return."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Pocket:
    """A pocket, its share of what is allocated and what it holds.

    `lacking_amount` is what it lacks of its target, None without one. With `stop_at_target` no
    allocation gives it more than that; with `takes_rest` it receives what the others leave.
    """

    pocket_id: int
    wallet_id: int
    name: str
    allocation_percentage: Decimal
    balance: Decimal
    pocket_type: str | None
    target_amount: Decimal | None
    stop_at_target: bool
    takes_rest: bool
    lacking_amount: Decimal | None


@dataclass(frozen=True, slots=True)
class PocketTransfer:
    """The balances of the pocket and of its wallet after a transfer between them."""

    balance: Decimal
    wallet_balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class PocketClosing:
    """What a closed pocket gave back to its wallet, and the wallet's balance after that."""

    pocket_id: int
    wallet_id: int
    amount: Decimal
    wallet_balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Share:
    """What one pocket gets of an allocation; `balance` is the pocket's."""

    pocket_id: int
    name: str
    allocation_percentage: Decimal
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """An amount split over pockets.

    `shares` come largest percentage first, then lowest pocket id. `allocated` is their sum
    and `remaining` the part of the amount that stays in the wallet. `transaction_id` is None
    in a preview.
    """

    shares: tuple[Share, ...]
    allocated: Decimal
    remaining: Decimal
    transaction_id: int | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class ShareRow:
    """What one pocket got in `allocate_deposits`; `balance` is the pocket's.

    Where no pocket of a wallet got anything, one row has an `amount` of 0 and no pocket.
    """

    wallet_id: int
    pocket_id: int | None
    name: str | None
    allocation_percentage: Decimal | None
    amount: Decimal
    balance: Decimal | None
    transaction_id: int
    replayed: bool
