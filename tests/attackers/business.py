"""A day of honest calls: each function that an access may call, with good arguments."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tests.attackers import attempts
from tests.catalogue.world import World
from tests.ledger.calling import call

Arguments = Callable[[World], dict[str, Any]]
Answers = dict[str, list[list[dict[str, Any]]]]

LATER = datetime(2200, 1, 1, tzinfo=UTC)


def keyed(name: str) -> dict[str, Any]:
    return {
        "p_idempotency_key": f"the day's {name}",
        "p_metadata": Jsonb({"note": ["a", 1.50, None]}),
        "p_effective_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
    }


READING: list[tuple[str, Arguments]] = [
    ("balance", lambda w: {"p_account_id": w.wallet}),
    ("balance_at", lambda w: {"p_account_id": w.wallet, "p_at": LATER}),
    ("statement", lambda w: {"p_account_id": w.wallet}),
]
AUDIT: list[tuple[str, Arguments]] = [("check_ledger", lambda w: {})]
APPLICATION: list[tuple[str, Arguments]] = [
    ("create_wallet", lambda w: {"p_owner_id": "grace"}),
    (
        "create_pocket",
        lambda w: {
            "p_wallet_id": w.wallet,
            "p_name": "rent",
            "p_allocation_percentage": "12.5",
            "p_pocket_type": "home",
            "p_target_amount": "500.50",
        },
    ),
    ("set_allocation", lambda w: {"p_pocket_id": w.pocket, "p_allocation_percentage": "33.3333"}),
    ("deposit", lambda w: {"p_wallet_id": w.wallet, "p_amount": "100.10", **keyed("deposit")}),
    ("deposit", lambda w: {"p_wallet_id": w.wallet, "p_amount": "100.10", **keyed("deposit")}),
    (
        "deposit_many",
        lambda w: {
            "p_wallet_ids": [w.wallet, w.yen_wallet, w.wallet],
            "p_amounts": ["1.50", "7", "2.25"],
            "p_idempotency_keys": ["one", "two", "three"],
        },
    ),
    ("withdraw", lambda w: {"p_wallet_id": w.wallet, "p_amount": "3.33", **keyed("withdraw")}),
    ("preview_allocation", lambda w: {"p_wallet_id": w.wallet, "p_amount": "9.99"}),
    (
        "allocate_deposit",
        lambda w: {"p_wallet_id": w.wallet, "p_amount": "9.99", **keyed("allocation")},
    ),
    (
        "allocate_deposits",
        lambda w: {
            "p_wallet_ids": [w.wallet, w.wallet],
            "p_amounts": ["10.01", "0.07"],
            "p_idempotency_keys": ["four", "five"],
            "p_rounding": "largest_remainder",
        },
    ),
    (
        "transfer_to_pocket",
        lambda w: {"p_pocket_id": w.pocket, "p_amount": "4.20", **keyed("transfer in")},
    ),
    (
        "transfer_from_pocket",
        lambda w: {"p_pocket_id": w.pocket, "p_amount": "6.60", **keyed("transfer out")},
    ),
    (
        "create_project",
        lambda w: {
            "p_reference": "bridge",
            "p_commission_rate": "0.07",
            "p_fee_rate": "0.0125",
            "p_max_pledge": "750.25",
        },
    ),
    (
        "pledge",
        lambda w: {
            "p_wallet_id": w.wallet,
            "p_project_id": w.open,
            "p_amount": "12.34",
            "p_expires_at": LATER,
            **keyed("pledge"),
        },
    ),
    (
        "pledge_many",
        lambda w: {
            "p_project_id": w.open,
            "p_wallet_ids": [w.wallet, w.wallet],
            "p_amounts": ["5", "6.01"],
            "p_idempotency_keys": ["six", "seven"],
        },
    ),
]
OPERATION: list[tuple[str, Arguments]] = [
    (
        "release_escrow",
        lambda w: {"p_escrow_id": w.escrow, "p_amount": "10.01", **keyed("release")},
    ),
    ("refund_escrow", lambda w: {"p_escrow_id": w.escrow, "p_amount": "5.55", **keyed("refund")}),
    ("payout", lambda w: {"p_project_id": w.open, "p_amount": "15.15", **keyed("payout")}),
    ("refund_expired_escrows", lambda w: {}),
    ("release_escrows", lambda w: {"p_project_id": w.succeeded, "p_limit": 1}),
    ("refund_escrows", lambda w: {"p_project_id": w.failed, "p_limit": 1}),
    (
        "release_escrows",
        lambda w: {
            "p_project_id": w.succeeded,
            "p_limit": 10,
            "p_after_escrow_id": 0,
            "p_wait": True,
        },
    ),
    (
        "refund_escrows",
        lambda w: {"p_project_id": w.failed, "p_limit": 10, "p_after_escrow_id": 0, "p_wait": True},
    ),
    ("close_project", lambda w: {"p_project_id": w.open, "p_outcome": "failed"}),
]
DAYS = {
    "app": APPLICATION + READING,
    "operator": APPLICATION + OPERATION + READING + AUDIT,
    "auditor": READING + AUDIT,
}

# What each role may call; the two procedures commit, so they have no place in a day undone.
PROCEDURES = {"release_project", "refund_project"}
RIGHTS: dict[str, set[str]] = {
    "app": {name for name, _ in DAYS["app"]},
    "operator": {name for name, _ in DAYS["operator"]} | PROCEDURES,
    "auditor": {name for name, _ in DAYS["auditor"]},
    "nobody": set(),
}
MOVING_MONEY = {name for name, _ in APPLICATION + OPERATION} - {"preview_allocation"} | PROCEDURES


def told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the rows say, without ids and times, which are others each time."""
    return [
        {
            column: value
            for column, value in row.items()
            if not column.endswith(("_id", "_at")) and value != ""
        }
        for row in rows
    ]


def day(conn: psycopg.Connection, world: World, access: str) -> Answers:
    """What each function answers to the access; in the end all of it is undone."""
    answers: Answers = {}
    with conn.transaction(force_rollback=True):
        for name, arguments in DAYS[access]:
            attempts.tried.append(name)
            answers.setdefault(name, []).append(told(call(conn, name, **arguments(world))))
    return answers
