"""What the commands take: each kind of argument and option once, and how its text is read.

Options have the names of the SQL arguments without `p_`. What the ledger can judge goes to it as
it is; only what is no number, time or JSON at all is wrong usage here.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

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


def _time(value: str) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        time = None
    if time is None or time.utcoffset() is None:
        raise typer.BadParameter(
            "this is not a time with its time zone such as 2026-01-31T12:00:00Z"
        )
    return time


def _metadata(value: str) -> Any:
    try:
        return json.loads(value, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise typer.BadParameter('this is not JSON such as {"order": 17}') from None


def _no_json(constant: str) -> None:
    raise ValueError(constant)


WalletId = Annotated[int, typer.Argument(metavar="WALLET_ID", help="Id of the wallet.")]
PocketId = Annotated[int, typer.Argument(metavar="POCKET_ID", help="Id of the pocket.")]
ProjectId = Annotated[int, typer.Argument(metavar="PROJECT_ID", help="Id of the project.")]
EscrowId = Annotated[
    int, typer.Argument(metavar="ESCROW_ID", help="Id of the escrow, which the pledge returned.")
]
AccountId = Annotated[
    int, typer.Argument(metavar="ACCOUNT_ID", help="Id of a wallet, pocket, project...")
]

Amount = Annotated[
    Decimal,
    typer.Argument(parser=_number, metavar="AMOUNT", help="In major units, such as 12.34."),
]
WalletAmounts = Annotated[
    list[WalletAmount],
    typer.Argument(
        parser=_wallet_amount, metavar="WALLET_ID=AMOUNT...", help="Any number of them."
    ),
]
PartAmount = Annotated[
    Decimal | None,
    typer.Option(
        "--amount",
        parser=_number,
        metavar="AMOUNT",
        help="A part of it. Default: all that is left.",
    ),
]
TargetAmount = Annotated[
    Decimal | None,
    typer.Option(parser=_number, metavar="AMOUNT", help="What it is to hold one day."),
]
MaxPledge = Annotated[
    Decimal | None,
    typer.Option(
        parser=_number, metavar="AMOUNT", help="Limit of one pledge. Default: the setting."
    ),
]
Percentage = Annotated[
    Decimal,
    typer.Argument(parser=_number, metavar="PERCENTAGE", help="From 0 to 100, such as 33.3333."),
]
PercentageOption = Annotated[
    Decimal,
    typer.Option(
        "--allocation-percentage",
        parser=_number,
        metavar="PERCENTAGE",
        help="Share of what is allocated, from 0 to 100.",
    ),
]
Rate = Annotated[
    Decimal | None,
    typer.Option(
        parser=_number, metavar="RATE", help="A fraction of 1, such as 0.05. Default: the setting."
    ),
]
Currency = Annotated[str, typer.Option(metavar="CODE", help="ISO 4217, such as EUR.")]
RoundingOption = Annotated[
    Rounding, typer.Option(metavar="METHOD", help="half_up or largest_remainder.")
]

IdempotencyKey = Annotated[
    str | None,
    typer.Option(metavar="KEY", help="The same key again returns the first result."),
]
IdempotencyKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--idempotency-key", metavar="KEY", help="Once for each amount, in the same order."
    ),
]
Metadata = Annotated[
    Any, typer.Option(parser=_metadata, metavar="JSON", help="Kept with the transaction.")
]
EffectiveAt = Annotated[
    datetime | None,
    typer.Option(parser=_time, metavar="TIME", help="When it happened outside. Default: now."),
]
ExpiresAt = Annotated[
    datetime | None,
    typer.Option(parser=_time, metavar="TIME", help="From when refund-expired gives it back."),
]
At = Annotated[
    datetime | None,
    typer.Option(
        parser=_time, metavar="TIME", help="By when postings were recorded. Default: now."
    ),
]

BatchSize = Annotated[
    int, typer.Option(min=1, metavar="NUMBER", help="Escrows settled in one transaction.")
]
BatchLimit = Annotated[int, typer.Option(min=1, metavar="NUMBER", help="Escrows settled at most.")]
AfterEscrowId = Annotated[
    int, typer.Option(metavar="ID", help="The last escrow of the batch before, to save time.")
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for escrows in use instead of leaving them out.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
