"""The vectors of allocation: every share exact, in value and in decimals."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded

pytestmark = pytest.mark.sql

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())["allocation"]


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_every_way_to_allocate_gives_the_exact_shares(
    conn: psycopg.Connection, vector: dict[str, Any]
) -> None:
    amount = Decimal(vector["amount"])
    rounding = vector["rounding"]
    wallet_id = funded(conn, "ada", 2 * amount, vector["currency"])
    pockets = [
        pgwallet.create_pocket(conn, wallet_id, f"pocket {place}", Decimal(percentage)).pocket_id
        for place, percentage in enumerate(vector["percentages"])
    ]
    percentages = dict(zip(pockets, map(Decimal, vector["percentages"]), strict=True))
    # As text, so that 0.10 and 0.1 differ. A pocket that receives nothing has no row.
    expected = {
        pocket: share
        for pocket, share in zip(pockets, vector["shares"], strict=True)
        if Decimal(share) > 0
    }
    order = sorted(expected, key=lambda pocket: (-percentages[pocket], pocket))

    preview = pgwallet.preview_allocation(conn, wallet_id, amount, rounding)
    single = pgwallet.allocate_deposit(conn, wallet_id, amount, rounding)
    bulk = pgwallet.allocate_deposits(conn, [wallet_id], [amount], rounding=rounding)

    received = [share for share in bulk if share.pocket_id is not None]
    for shares in (preview.shares, single.shares, received):
        assert {share.pocket_id: str(share.amount) for share in shares} == expected
        assert [share.pocket_id for share in shares] == order
    assert single.allocated == sum(map(Decimal, expected.values()))
    assert single.remaining == amount - single.allocated >= 0
    for pocket, share in expected.items():
        assert str(pgwallet.balance(conn, pocket)) == str(2 * Decimal(share))
    assert pgwallet.balance(conn, wallet_id) == 2 * single.remaining
