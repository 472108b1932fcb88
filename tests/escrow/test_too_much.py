"""More than is left in an escrow is refused as that, and what is settled as settled."""

from typing import Any

import psycopg
import pytest

import pgwallet
from pgwallet import EscrowAmountExceeded, EscrowNotLocked
from tests.ledger.calling import funded, project, refused

pytestmark = pytest.mark.sql

SETTLE: dict[str, Any] = {"release": pgwallet.release_escrow, "refund": pgwallet.refund_escrow}


@pytest.fixture
def escrow_id(conn: psycopg.Connection) -> int:
    return pgwallet.pledge(conn, funded(conn, "ada", 10), project(conn), 10).escrow_id


@pytest.mark.parametrize("settle", SETTLE.values(), ids=SETTLE)
def test_an_escrow_that_is_locked_is_never_called_not_locked(
    conn: psycopg.Connection, escrow_id: int, settle: Any
) -> None:
    settle(conn, escrow_id, 4)
    with refused(conn, "PW206") as said:
        settle(conn, escrow_id, 7)
    assert isinstance(said[0], EscrowAmountExceeded)
    assert said[0].message == f"escrow {escrow_id} does not hold that much"
    assert said[0].detail == "6.00 is left in it, the amount is 7."
    settle(conn, escrow_id, 6)


@pytest.mark.parametrize("settle", SETTLE.values(), ids=SETTLE)
@pytest.mark.parametrize("amount", [None, 1, 100])
def test_an_escrow_that_is_settled_is_not_locked_whatever_the_amount(
    conn: psycopg.Connection, escrow_id: int, settle: Any, amount: int | None
) -> None:
    settle(conn, escrow_id)
    for again in SETTLE.values():
        with refused(conn, "PW202") as said:
            again(conn, escrow_id, amount)
        assert isinstance(said[0], EscrowNotLocked)
        assert said[0].message == f"escrow {escrow_id} is not locked"
