"""What an argument is, by its name: which values no function takes for it, and with which code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from tests.catalogue.world import World

Value = Callable[[World], Any]

LONG = "x" * 201
VERY_LONG = "x" * 10_000
BLANK = ("", "\u200b\u2003", " ", " \t\r\n ")


class Stage(IntEnum):
    """In which order faults are found, whatever the order of the arguments."""

    AMOUNT = 1
    ARGUMENT = 2
    LOOKUP = 3  # first what comes first among the arguments
    DECIMALS = 4
    KEY = 5
    STATE = 6


@dataclass(frozen=True, slots=True)
class Kind:
    """`code` refuses `wrong` values, of which the first is to meet other faults beside it.

    `other` makes of an argument one that a key was not used with; with `same`, which is a value,
    a call is still the same one to its key. An argument that has neither comes in no keyed call.
    `example` is a value for an argument that a good call leaves out.
    """

    stage: Stage = Stage.ARGUMENT
    code: str = ""
    wrong: Sequence[Value] = ()
    refuses_null: bool = True
    other: Callable[[World, Any], Any] | None = None
    same: Any = None
    example: Any = None


def always(*values: Any) -> list[Value]:
    def value_of(value: Any) -> Value:
        return lambda world: value

    return [value_of(value) for value in values]


def _id(its_kind: str, code: str, other: str | None = None) -> Kind:
    """Ids of everything else are wrong; all but an escrow have an account by the same id."""
    of: dict[str, Value] = {
        "wallet": lambda w: w.wallet,
        "pocket": lambda w: w.pocket,
        "project": lambda w: w.open,
        "escrow": lambda w: w.escrow,
    }
    others = ["escrow"] if its_kind == "account" else [kind for kind in of if kind != its_kind]
    wrong = [*always(1, 0, -1, 12345, 2**63 - 1, -(2**63)), *(of[kind] for kind in others)]
    if other is None:
        return Kind(Stage.LOOKUP, code, wrong)
    return Kind(Stage.LOOKUP, code, wrong, other=lambda w, _: getattr(w, other))


def _text(*wrong: str, example: str | None = None) -> Kind:
    return Kind(Stage.ARGUMENT, "PW002", always(*wrong), example=example)


AMOUNT = Kind(
    Stage.AMOUNT,
    "PW001",
    always("-0.001", "NaN", "Infinity", "-Infinity", 0, -1, "1e15", "1e30", "-1e30"),
    other=lambda w, amount: amount + 1,
    example="500.50",
)
# Null takes it away.
TARGET = replace(AMOUNT, refuses_null=False)
# A part of an amount that may be nothing.
FEE = Kind(
    Stage.AMOUNT,
    "PW001",
    always("-0.001", "NaN", "Infinity", "-Infinity", -1, "1e15", "1e30", "-1e30"),
    example="0.30",
)
# What has no more decimals than its currency.
MONEY = (AMOUNT, TARGET, FEE)
LIMIT = Kind(Stage.ARGUMENT, "PW002", always(0, -1), example=10)
# After which id to go on; any number will do.
POSITION = Kind(refuses_null=False, example=0)
YES_OR_NO = Kind(refuses_null=False, example=True)
# One that goes with the examples of the other arguments, and one that does not.
FLAG = Kind(Stage.ARGUMENT, "PW002", example=True)
NO_FLAG = replace(FLAG, example=False)
# How many ids to leave out.
MARGIN = Kind(Stage.ARGUMENT, "PW002", always(0, -1, 999_999, 10**9 + 1, 2**63 - 1), example=10**6)
KEY = _text(*BLANK, LONG, "k" * 1000, VERY_LONG)
NAME = _text(*BLANK, LONG, VERY_LONG)
NOTE = _text(LONG, VERY_LONG, example="home")
METADATA = Kind(
    Stage.ARGUMENT,
    "PW002",
    always(f'{{"a": "{VERY_LONG}"}}'),
    same='{"a": 1}',
    example='{"note": ["a", 1.50, null]}',
)
PERCENTAGE = Kind(
    Stage.ARGUMENT,
    "PW002",
    always(101, -1, "-0.0001", "100.0001", "NaN", "Infinity", "1.00001"),
    example="12.5",
)
RATE = Kind(
    Stage.ARGUMENT,
    "PW002",
    always(2, "-0.01", "1.01", "NaN", "Infinity", "-Infinity"),
    example="0.07",
)
_NO_TIMES = ("infinity", "-infinity", "10000-01-01 00:00:00+00", "4000-01-01 00:00:00+00 BC")
TIME = Kind(
    Stage.ARGUMENT,
    "PW002",
    always(*_NO_TIMES),
    same="2020-01-01 00:00:00+00",
    example="2026-03-01 12:00:00+00",
)
EXPIRY = Kind(
    Stage.ARGUMENT,
    "PW002",
    [*always(*_NO_TIMES), lambda w: datetime.now(UTC) - timedelta(seconds=1)],
    same="2999-01-01 00:00:00+00",
    example="2200-01-01 00:00:00+00",
)
ROUNDING = Kind(
    Stage.ARGUMENT,
    "PW002",
    always("none", "halfup", "HALF_UP", "", VERY_LONG),
    other=lambda w, _: "largest_remainder",
    example="largest_remainder",
)
# Compared with a key's first call, as it decides what is moved.
CHOICE = Kind(refuses_null=False, other=lambda w, chosen: not chosen, example=False)
DISPUTE_OUTCOME = _text("won", "UPHELD", "succeeded", "", VERY_LONG)
OUTCOME = _text("lost", "open", "SUCCEEDED", "", VERY_LONG)
CURRENCY = Kind(  # before decimals, of which it decides
    Stage.LOOKUP,
    "PW003",
    always("ABC", "eur", "EURO", "", " EUR", VERY_LONG),
    example="EUR",
)
# That of a new currency.
CODE = _text("A", "ABCDEFGHIJKLM", "points", "P-S", "", " EUR", "EUR\n", "\u00c9CU", VERY_LONG)
EXPONENT = Kind(Stage.ARGUMENT, "PW002", always(-1, 19, 2**31 - 1), example=2)
# Also of a call with a key.
EARNED_IN = replace(CURRENCY, other=lambda w, _: "USD")
EARNINGS = Kind(
    Stage.ARGUMENT,
    "PW002",
    always("external", "wallet", "COMMISSION", "", VERY_LONG),
    other=lambda w, _: "fee",
    example="fee",
)
ROLE = _text("nobody here", "", "  ", "public", "PUBLIC", "a%s'; --")
WALLET = _id("wallet", "PW101", other="yen_wallet")
POCKET = _id("pocket", "PW102", other="yen_pocket")
PROJECT = _id("project", "PW103", other="succeeded")
ESCROW = _id("escrow", "PW104", other="succeeded_escrow")
ACCOUNT = _id("account", "PW105")


def _side(missing: int) -> Kind:
    """A wallet or a pocket; the two of a transfer are not the same, so neither is what is wrong."""
    wrong = [*always(missing, 0, -1, 12345, 2**63 - 1, -(2**63))]
    return Kind(
        Stage.LOOKUP,
        "PW105",
        [*wrong, lambda w: w.open, lambda w: w.escrow],
        other=lambda w, _: w.yen_wallet,
    )


# Of an account that may be frozen or owe something: a wallet or a project.
HOLDER = Kind(
    Stage.LOOKUP,
    "PW105",
    [*always(1, 0, -1, 12345, 2**63 - 1, -(2**63)), lambda w: w.pocket, lambda w: w.escrow],
)
REASON = _text(*BLANK, LONG, VERY_LONG, example="court order 17")
TRANSACTION = Kind(
    Stage.LOOKUP,
    "PW002",
    [*always(0, -1, 2**63 - 1, -(2**63)), lambda w: w.wallet],
    other=lambda w, _: w.spent,
)
BY = _text("created", "EFFECTIVE", "", VERY_LONG, example="effective")
STATUS = _text("lost", "LOCKED", "", VERY_LONG, example="locked")
PROJECT_STATUS = _text("lost", "OPEN", "", VERY_LONG, example="open")
# The id that a new project is to have.
FREE_ID = Kind(
    Stage.ARGUMENT,
    "PW002",
    [*always(1, 0, -1024, 1025, 2**45, 2**63 - 1), lambda w: w.open],
    example=2**40,
)

KINDS = {
    "p_account": EARNINGS,
    "p_account_id": ACCOUNT,
    "p_after_escrow_id": POSITION,
    "p_after_project_id": POSITION,
    "p_after_event_id": POSITION,
    "p_after_posting_id": POSITION,
    "p_after_seal_id": POSITION,
    "p_allocation_percentage": PERCENTAGE,
    "p_amount": AMOUNT,
    "p_amounts": AMOUNT,
    "p_at": TIME,
    "p_batch_size": LIMIT,
    "p_by": BY,
    "p_commission_rate": RATE,
    "p_credit_limit": FEE,
    "p_currency": CURRENCY,
    "p_dry_run": YES_OR_NO,
    "p_effective_at": TIME,
    "p_escrow_id": ESCROW,
    "p_expires_at": EXPIRY,
    "p_exponent": EXPONENT,
    "p_fee_fixed": FEE,
    "p_fee_rate": RATE,
    "p_from": TIME,
    "p_from_account_id": _side(missing=1),
    "p_idempotency_key": KEY,
    "p_idempotency_keys": KEY,
    "p_keep_fees": CHOICE,
    "p_limit": LIMIT,
    "p_margin": MARGIN,
    "p_max_pledge": AMOUNT,
    "p_metadata": METADATA,
    "p_name": NAME,
    "p_newest_first": YES_OR_NO,
    "p_outcome": OUTCOME,
    "p_owner_id": NAME,
    "p_pocket_id": POCKET,
    "p_pocket_type": NOTE,
    "p_project_id": PROJECT,
    "p_reason": REASON,
    "p_reference": NAME,
    "p_role": ROLE,
    "p_rounding": ROUNDING,
    "p_since_seal_id": POSITION,
    "p_since_transaction_id": POSITION,
    "p_status": STATUS,
    "p_stop_at_target": FLAG,
    "p_subject_id": POSITION,
    "p_takes_rest": NO_FLAG,
    "p_target_amount": AMOUNT,
    "p_to_account_id": _side(missing=2),
    "p_transaction_id": TRANSACTION,
    "p_until": TIME,
    "p_until_seal_id": POSITION,
    "p_wait": YES_OR_NO,
    "p_wallet_id": WALLET,
    "p_wallet_ids": WALLET,
}
