"""What the commands take: each argument and option once, and how its text is read.

They have the names of the SQL arguments without `p_`. What the ledger can judge goes to it as
it is; only what is no number, time or JSON at all is wrong usage here.
"""

import inspect
import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, get_args
from uuid import UUID

import typer

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_WALLET_AMOUNT = re.compile(r"(\d{1,40})=(.*)", re.ASCII | re.DOTALL)


class Rounding(StrEnum):
    """How an allocation is rounded."""

    HALF_UP = "half_up"
    LARGEST_REMAINDER = "largest_remainder"


class Outcome(StrEnum):
    """How a project can end."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Basis(StrEnum):
    """Which of its two times a posting is read by."""

    RECORDED = "recorded"
    EFFECTIVE = "effective"


@dataclass(frozen=True, slots=True)
class WalletAmount:
    """One of many wallets, and the amount that is meant for it."""

    wallet_id: int
    amount: Decimal


def _number(value: object) -> Decimal:
    """Digits and a point; typer also passes the default here, which is a Decimal."""
    if not _NUMBER.fullmatch(str(value)):
        raise typer.BadParameter("this is not a number such as 12.34 (digits and a point)")
    return Decimal(str(value))


def _wallet_amount(value: str) -> WalletAmount:
    found = _WALLET_AMOUNT.fullmatch(value)
    if found is None:
        raise typer.BadParameter("this is not a wallet and its amount such as 508398=12.34")
    return WalletAmount(int(found[1]), _number(found[2]))


def time_of(text: str) -> datetime | None:
    """A time that has its time zone; None for any other text."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if time.utcoffset() is None else time


def json_of(text: str) -> Any:
    """A JSON value, without the constants that JSON has not; raises ValueError."""
    try:
        return json.loads(text, parse_constant=_no_json)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def time(value: str) -> datetime:
    read = time_of(value)
    if read is None:
        raise typer.BadParameter(
            "this is not a time with its time zone such as 2026-01-31T12:00:00Z"
        )
    return read


def _metadata(value: str) -> Any:
    try:
        return json_of(value)
    except ValueError:
        raise typer.BadParameter('this is not JSON such as {"order": 17}') from None


def _no_json(constant: str) -> None:
    raise ValueError(constant)


# What a function of the ledger demands is an argument of its command, what it has a default for
# an option.
ARGUMENTS: dict[str, Any] = {
    "account_id": typer.Argument(metavar="ACCOUNT_ID", help="Id of a wallet, pocket, project..."),
    "allocation_percentage": typer.Argument(
        parser=_number, metavar="PERCENTAGE", help="From 0 to 100, such as 33.3333."
    ),
    "account": typer.Argument(metavar="ACCOUNT", help="commission or fee."),
    "amount": typer.Argument(
        parser=_number, metavar="AMOUNT", help="In major units, such as 12.34."
    ),
    "credit_limit": typer.Argument(
        parser=_number, metavar="LIMIT", help="How much it may owe, in major units; 0 for nothing."
    ),
    "currency": typer.Argument(
        metavar="CODE", help="Its code: 2 to 12 capital letters and digits, such as POINTS."
    ),
    "escrow_id": typer.Argument(
        metavar="ESCROW_ID", help="Id of the escrow, which the pledge returned."
    ),
    "from_account_id": typer.Argument(
        metavar="FROM_ID", help="Id of the wallet that pays, or of one of its pockets."
    ),
    "outcome": typer.Argument(metavar="OUTCOME", help="upheld or rejected."),
    "exponent": typer.Argument(
        metavar="DECIMALS", help="How many decimals it has, from 0 to 18; that never changes."
    ),
    "name": typer.Argument(metavar="NAME", help="Its name, which people see."),
    "owner_id": typer.Argument(metavar="OWNER_ID", help="Whose wallet, in words of your own."),
    "pocket_id": typer.Argument(metavar="POCKET_ID", help="Id of the pocket."),
    "project_id": typer.Argument(metavar="PROJECT_ID", help="Id of the project."),
    "reason": typer.Argument(metavar="REASON", help="Why, in a few words: it is kept."),
    "reference": typer.Argument(metavar="REFERENCE", help="Your own name for it, used once."),
    "to_account_id": typer.Argument(
        metavar="TO_ID", help="Id of another wallet, or of another pocket of the same one."
    ),
    "transaction_id": typer.Argument(
        metavar="TRANSACTION_ID", help="Id of the transaction, which its call returned."
    ),
    "wallet_id": typer.Argument(metavar="WALLET_ID", help="Id of the wallet."),
}
_RATE = typer.Option(
    parser=_number, metavar="RATE", help="A fraction of 1, such as 0.05. Default: the setting."
)
OPTIONS: dict[str, Any] = {
    "after_escrow_id": typer.Option(
        metavar="ID", help="The last escrow of the batch before, to save time."
    ),
    "allocation_percentage": typer.Option(
        parser=_number,
        metavar="PERCENTAGE",
        help="Share of what is allocated, from 0 to 100.",
    ),
    "amount": typer.Option(
        parser=_number, metavar="AMOUNT", help="A part of it. Default: all that is left."
    ),
    "commission_rate": _RATE,
    "currency": typer.Option(metavar="CODE", help="Of ISO 4217, such as EUR, or created."),
    "effective_at": typer.Option(
        parser=time, metavar="TIME", help="When it happened outside. Default: now."
    ),
    "expires_at": typer.Option(
        parser=time,
        metavar="TIME",
        help="From when it is only given back, unless the project has succeeded.",
    ),
    "fee_fixed": typer.Option(
        parser=_number,
        metavar="AMOUNT",
        help="What each pledge pays once when it is released. Default: the setting.",
    ),
    "fee_rate": _RATE,
    "idempotency_key": typer.Option(
        metavar="KEY", help="The same key again returns the first result."
    ),
    "keep_fees": typer.Option("--keep-fees", help="Commission and fee keep what they took."),
    "limit": typer.Option(min=1, metavar="NUMBER", help="Escrows settled at most."),
    "max_pledge": typer.Option(
        parser=_number, metavar="AMOUNT", help="Limit of one pledge. Default: the setting."
    ),
    "metadata": typer.Option(parser=_metadata, metavar="JSON", help="Kept with the transaction."),
    "pocket_type": typer.Option(metavar="WORD", help="A kind of your own."),
    "project_id": typer.Option(
        metavar="ID", help="For operators who move projects over: an unused multiple of 1024."
    ),
    "stop_at_target": typer.Option(
        "--stop-at-target", help="No allocation gives it more than it lacks of its target."
    ),
    "target_amount": typer.Option(
        parser=_number, metavar="AMOUNT", help="What it is to hold one day."
    ),
    "takes_rest": typer.Option("--takes-rest", help="It gets what the other pockets leave."),
    "wait": typer.Option("--wait", help="Wait for escrows in use instead of leaving them out."),
}


def taken_from(parameter: inspect.Parameter) -> inspect.Parameter:
    """A parameter of a function of the ledger, as its command takes it."""
    known = ARGUMENTS if parameter.default is parameter.empty else OPTIONS
    # Typer takes no union; the text of an amount is read as a Decimal, that of a name is one.
    kinds = get_args(parameter.annotation)
    kind = Decimal if Decimal in kinds else str if UUID in kinds else parameter.annotation
    return parameter.replace(annotation=Annotated[kind, known[parameter.name]])


# For commands that are written out, because they do more than pass a call on.
WalletId = Annotated[int, ARGUMENTS["wallet_id"]]
ProjectId = Annotated[int, ARGUMENTS["project_id"]]
AccountId = Annotated[int, ARGUMENTS["account_id"]]
PocketId = Annotated[int, ARGUMENTS["pocket_id"]]
Amount = Annotated[Decimal, ARGUMENTS["amount"]]
TargetAmount = Annotated[
    Decimal | None,
    typer.Argument(parser=_number, metavar="[AMOUNT]", help="In major units, such as 1500."),
]
StopAtTarget = Annotated[bool, OPTIONS["stop_at_target"]]
IdempotencyKey = Annotated[str | None, OPTIONS["idempotency_key"]]
Metadata = Annotated[Any, OPTIONS["metadata"]]
EffectiveAt = Annotated[datetime | None, OPTIONS["effective_at"]]

OfWallet = Annotated[int | None, typer.Option(metavar="ID", help="Only those of this wallet.")]
OfProject = Annotated[int | None, typer.Option(metavar="ID", help="Only those to this project.")]
Page = Annotated[int, typer.Option(min=1, metavar="NUMBER", help="Rows to show at most.")]
WalletAmounts = Annotated[
    list[WalletAmount],
    typer.Argument(
        parser=_wallet_amount, metavar="WALLET_ID=AMOUNT...", help="Any number of them."
    ),
]
IdempotencyKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--idempotency-key", metavar="KEY", help="Once for each amount, in the same order."
    ),
]
RoundingOption = Annotated[
    Rounding, typer.Option(metavar="METHOD", help="half_up or largest_remainder.")
]
At = Annotated[
    datetime | None,
    typer.Option(parser=time, metavar="TIME", help="What it held then. Default: now."),
]
By = Annotated[
    Basis,
    typer.Option(
        metavar="TIMES", help="recorded, or effective: when it happened, as is known today."
    ),
]
BatchSize = Annotated[
    int, typer.Option(min=1, metavar="NUMBER", help="Escrows settled in one transaction.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
