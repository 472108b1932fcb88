"""Where several refusals apply, the first in the order of section 5 is the one that comes.

Each call below is spoilt in every way its function knows; then the faults are mended one after
the other, so that each in turn becomes the first.
"""

from collections.abc import Callable
from typing import Any

import pytest

import pgwallet
from tests.ledger.calling import call, refused
from tests.ledger.world import World

pytestmark = pytest.mark.sql

Mend = tuple[str, dict[str, Any]]

LATE = {"p_effective_at": "infinity"}
NOW: dict[str, Any] = {"p_effective_at": None}


def deposit(w: World) -> list[Mend]:
    return [
        ("PW001", {"p_wallet_id": 1, "p_amount": "-0.001", "p_idempotency_key": "used", **LATE}),
        ("PW002", {"p_amount": "0.001"}),
        ("PW101", NOW),
        ("PW001", {"p_wallet_id": w.wallet}),
        ("PW203", {"p_amount": "7"}),
    ]


def withdraw(w: World) -> list[Mend]:
    return [*deposit(w), ("PW201", {"p_idempotency_key": None, "p_amount": "101"})]


def allocate_deposit(w: World) -> list[Mend]:
    first, second, *others, last = withdraw(w)
    return [
        (first[0], {**first[1], "p_rounding": "none"}),
        second,
        ("PW002", NOW),
        ("PW101", {"p_rounding": "half_up"}),
        *others[1:],
        (last[0], {**last[1], "p_amount": "250"}),
    ]


def transfer_to_pocket(w: World) -> list[Mend]:
    return [
        ("PW001", {"p_pocket_id": 1, "p_amount": "NaN", "p_idempotency_key": "used", **LATE}),
        ("PW002", {"p_amount": "0.001"}),
        ("PW102", NOW),
        ("PW001", {"p_pocket_id": w.pocket}),
        ("PW203", {"p_amount": "1000"}),
        ("PW201", {"p_idempotency_key": None}),
    ]


def pledge(w: World) -> list[Mend]:
    return [
        (
            "PW001",
            {
                "p_wallet_id": 1,
                "p_project_id": 1,
                "p_amount": "1e15",
                "p_expires_at": "2020-01-01 00:00:00+00",
                "p_idempotency_key": "fresh",
                **LATE,
            },
        ),
        ("PW002", {"p_amount": "600.001"}),
        ("PW002", NOW),
        # With a used key the call may be a replay, which may well come after its expiry.
        ("PW101", {"p_expires_at": None, "p_idempotency_key": "used"}),
        ("PW103", {"p_wallet_id": w.yen_wallet}),
        ("PW001", {"p_project_id": w.succeeded}),
        ("PW203", {"p_amount": "600"}),
        ("PW003", {"p_idempotency_key": None}),
        ("PW204", {"p_wallet_id": w.wallet}),
        ("PW301", {"p_project_id": w.open}),
        ("PW201", {"p_amount": "101"}),
    ]


def pledge_many(w: World) -> list[Mend]:
    return [
        (
            "PW001",
            {
                "p_project_id": 1,
                "p_wallet_ids": [w.yen_wallet, 1],
                "p_amounts": ["0", "1", "2"],
                "p_idempotency_keys": ["fresh", "used"],
            },
        ),
        ("PW002", {"p_amounts": ["600.001", "1", "2"]}),
        ("PW103", {"p_amounts": ["600.001", "1"]}),
        ("PW101", {"p_project_id": w.succeeded}),
        ("PW001", {"p_wallet_ids": [w.yen_wallet, w.wallet]}),
        ("PW203", {"p_amounts": ["600", "1"]}),
        ("PW003", {"p_idempotency_keys": None}),
        ("PW204", {"p_wallet_ids": [w.wallet, w.wallet]}),
        ("PW301", {"p_project_id": w.open}),
        ("PW201", {"p_amounts": ["50", "51"]}),
    ]


def deposit_many(w: World) -> list[Mend]:
    return [
        (
            "PW001",
            {
                "p_wallet_ids": [w.wallet, 1],
                "p_amounts": ["0.001", "0"],
                "p_idempotency_keys": ["used"],
            },
        ),
        ("PW002", {"p_amounts": ["0.001", "1"]}),
        ("PW101", {"p_idempotency_keys": ["fresh", "used"]}),
        ("PW001", {"p_wallet_ids": [w.wallet, w.wallet]}),
        ("PW203", {"p_amounts": ["1", "1"]}),
    ]


def allocate_deposits(w: World) -> list[Mend]:
    first, *others = deposit_many(w)
    return [
        (first[0], {**first[1], "p_rounding": "none"}),
        others[0],
        ("PW002", {"p_idempotency_keys": ["fresh", "used"]}),
        ("PW101", {"p_rounding": "half_up"}),
        *others[2:],
        ("PW201", {"p_idempotency_keys": None, "p_amounts": ["200", "200"]}),
    ]


def release_escrow(w: World) -> list[Mend]:
    return [
        ("PW001", {"p_escrow_id": 1, "p_amount": "0", "p_idempotency_key": "used", **LATE}),
        ("PW002", {"p_amount": "900.001"}),
        ("PW104", NOW),
        ("PW001", {"p_escrow_id": w.failed_escrow}),
        ("PW203", {"p_amount": "900"}),
        ("PW205", {"p_idempotency_key": None}),
        ("PW202", {"p_escrow_id": w.succeeded_escrow}),
    ]


def refund_escrow(w: World) -> list[Mend]:
    same = [mend for mend in release_escrow(w) if mend[0] not in ("PW205", "PW202")]
    return [*same, ("PW202", {"p_idempotency_key": None})]


def payout(w: World) -> list[Mend]:
    return [
        ("PW001", {"p_project_id": 1, "p_amount": None, "p_idempotency_key": "used", **LATE}),
        ("PW002", {"p_amount": "0.001"}),
        ("PW103", NOW),
        ("PW001", {"p_project_id": w.open}),
        ("PW203", {"p_amount": "900"}),
        ("PW201", {"p_idempotency_key": None}),
    ]


def close_project(w: World) -> list[Mend]:
    return [
        ("PW002", {"p_project_id": 1, "p_outcome": "lost"}),
        ("PW103", {"p_outcome": "failed"}),
        ("PW204", {"p_project_id": w.succeeded}),
    ]


def release_escrows(w: World) -> list[Mend]:
    return [
        ("PW002", {"p_project_id": 1, "p_limit": 0}),
        ("PW103", {"p_limit": 1}),
        ("PW205", {"p_project_id": w.open}),
    ]


def create_pocket(w: World) -> list[Mend]:
    return [
        (
            "PW001",
            {
                "p_wallet_id": 1,
                "p_name": " ",
                "p_allocation_percentage": 101,
                "p_target_amount": "-0.001",
            },
        ),
        ("PW002", {"p_target_amount": "0.001"}),
        ("PW002", {"p_name": "rent"}),
        ("PW101", {"p_allocation_percentage": 90}),
        ("PW001", {"p_wallet_id": w.wallet}),
        ("PW302", {"p_target_amount": None}),
    ]


def set_allocation(w: World) -> list[Mend]:
    return [
        ("PW002", {"p_pocket_id": 1, "p_allocation_percentage": 101}),
        ("PW102", {"p_allocation_percentage": 100}),
    ]


def create_project(w: World) -> list[Mend]:
    return [
        (
            "PW001",
            {
                "p_reference": " ",
                "p_currency": "ABC",
                "p_commission_rate": 2,
                "p_max_pledge": "-0.001",
            },
        ),
        ("PW002", {"p_max_pledge": "0.001"}),
        ("PW002", {"p_reference": "bridge"}),
        ("PW003", {"p_commission_rate": 0}),
        ("PW001", {"p_currency": "EUR"}),
    ]


LADDERS: list[Callable[[World], list[Mend]]] = [
    deposit,
    withdraw,
    allocate_deposit,
    transfer_to_pocket,
    pledge,
    pledge_many,
    deposit_many,
    allocate_deposits,
    release_escrow,
    refund_escrow,
    payout,
    close_project,
    release_escrows,
    create_pocket,
    set_allocation,
    create_project,
]


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.__name__)
def test_the_first_refusal_in_order_comes_first(
    world: World, ladder: Callable[[World], list[Mend]]
) -> None:
    conn = world.conn
    with conn.transaction(force_rollback=True):
        pgwallet.deposit(conn, world.yen_wallet, 1, idempotency_key="used")
        arguments: dict[str, Any] = {}
        for code, mended in ladder(world):
            arguments.update(mended)
            with refused(conn, code):
                call(conn, ladder.__name__, **arguments)
