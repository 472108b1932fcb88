"""The vectors of release: commission, fee and net exact, in value and in decimals."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.conftest import Connect
from tests.ledger.calling import funded

pytestmark = pytest.mark.sql

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())["release"]


def pledged(conn: psycopg.Connection, vector: dict[str, Any], reference: str) -> tuple[int, int]:
    """The project and the escrow of a vector."""
    amount = Decimal(vector["amount"])
    wallet_id = funded(conn, "ada", amount, vector["currency"])
    project_id = pgwallet.create_project(
        conn,
        reference,
        vector["currency"],
        Decimal(vector["commission_rate"]),
        Decimal(vector["fee_rate"]),
        Decimal(10**14),
    ).project_id
    return project_id, pgwallet.pledge(conn, wallet_id, project_id, amount).escrow_id


def parts(vector: dict[str, Any]) -> tuple[str, str, str]:
    return vector["commission"], vector["fee"], vector["net"]


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_one_escrow_is_divided_exactly(conn: psycopg.Connection, vector: dict[str, Any]) -> None:
    project_id, escrow_id = pledged(conn, vector, "single")
    release = pgwallet.release_escrow(conn, escrow_id)
    taken = (release.commission_amount, release.fee_amount, release.net_amount)
    assert tuple(map(str, taken)) == parts(vector)
    assert str(release.released_amount) == vector["amount"]
    assert release.status == "released"
    assert str(pgwallet.balance(conn, project_id)) == vector["net"]

    project_id, _ = pledged(conn, vector, "batch")
    pgwallet.close_project(conn, project_id, "succeeded")
    batch = pgwallet.release_escrows(conn, project_id)
    taken = (batch.commission_amount, batch.fee_amount, batch.net_amount)
    assert tuple(map(str, taken)) == parts(vector)
    assert str(batch.gross_amount) == vector["amount"]


def test_whole_projects_are_divided_exactly(connect: Connect) -> None:
    conn = connect(autocommit=True)
    for number, vector in enumerate(VECTORS):
        project_id, _ = pledged(conn, vector, f"driver {number}")
        (batch,) = pgwallet.release_project(conn, project_id)
        taken = (batch.commission_amount, batch.fee_amount, batch.net_amount)
        assert tuple(map(str, taken)) == parts(vector)

        project_id, escrow_id = pledged(conn, vector, f"procedure {number}")
        conn.execute("call pgwallet.release_project(%s)", [project_id])
        row = conn.execute(
            """
            select commission_amount, fee_amount, net_amount
            from pgwallet.escrow where escrow_id = %s
            """,
            [escrow_id],
        ).fetchone()
        assert row is not None
        assert row == tuple(map(Decimal, parts(vector)))
    assert pgwallet.check_ledger(conn) == []
