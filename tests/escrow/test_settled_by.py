"""Which escrows a transaction settled, and why one went back."""

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, project, refused

pytestmark = pytest.mark.sql

EXPIRE = "update pgwallet.escrow set expires_at = now() - interval '1 second' where escrow_id = %s"


def settled_by(conn: psycopg.Connection, escrow_id: int) -> int | None:
    return pgwallet.get_escrow(conn, escrow_id).settled_by


def listed(conn: psycopg.Connection, transaction_id: int | None) -> list[int]:
    assert transaction_id is not None
    return [each.escrow_id for each in pgwallet.list_settled_escrows(conn, transaction_id)]


def pledged(conn: psycopg.Connection, project_id: int, number: int, amount: int = 10) -> list[int]:
    wallet_id = funded(conn, "ada", number * amount)
    rows = pgwallet.pledge_many(conn, project_id, [wallet_id] * number, [amount] * number)
    return [row.escrow_id for row in rows]


def test_who_takes_the_last_of_an_escrow_is_noted(conn: psycopg.Connection) -> None:
    film = project(conn)
    one, other = pledged(conn, film, 2)
    first = pgwallet.release_escrow(conn, one, 4)
    assert settled_by(conn, one) is None
    pgwallet.refund_escrow(conn, one, 1)
    assert settled_by(conn, one) is None
    last = pgwallet.refund_escrow(conn, one)
    assert settled_by(conn, one) == last.transaction_id
    assert listed(conn, last.transaction_id) == [one]
    assert listed(conn, first.transaction_id) == []
    whole = pgwallet.release_escrow(conn, other)
    assert listed(conn, whole.transaction_id) == [other]
    # Whatever comes back later, that was its end.
    pgwallet.refund_release(conn, other)
    assert listed(conn, whole.transaction_id) == [other]
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_batch_tells_which_escrows_it_settled(conn: psycopg.Connection, outcome: str) -> None:
    film, play = project(conn, "film"), project(conn, "play")
    ids = pledged(conn, film, 7)
    pledged(conn, play, 2)
    pgwallet.release_escrow(conn, ids[1], 3)
    pgwallet.refund_escrow(conn, ids[2])
    settle = pgwallet.release_escrows if outcome == "succeeded" else pgwallet.refund_escrows
    for each in (film, play):
        pgwallet.close_project(conn, each, outcome)
    first, second = settle(conn, film, 4), settle(conn, film, 4)
    settle(conn, play)
    assert listed(conn, first.transaction_id) == [ids[0], ids[1], ids[3], ids[4]]
    assert listed(conn, second.transaction_id) == ids[5:]
    assert first.transaction_id is not None
    page = pgwallet.list_settled_escrows(conn, first.transaction_id, ids[0], 2)
    assert [each.escrow_id for each in page] == [ids[1], ids[3]]
    assert {each.settled_by for each in page} == {first.transaction_id}
    assert pgwallet.check_ledger(conn) == []


def test_a_batch_of_expired_ones_tells_them_of_every_project(conn: psycopg.Connection) -> None:
    ids = [
        escrow_id
        for name in ("film", "play", "song")
        for escrow_id in pledged(conn, project(conn, name), 2)
    ]
    for escrow_id in ids[1:]:
        conn.execute(EXPIRE, [escrow_id])
    batch = pgwallet.refund_expired_escrows(conn)
    assert listed(conn, batch.transaction_id) == ids[1:]
    assert batch.transaction_id is not None
    page = pgwallet.list_settled_escrows(conn, batch.transaction_id, ids[1], 3)
    assert [each.escrow_id for each in page] == ids[2:5]
    assert {each.status for each in page} == {"expired"}
    assert pgwallet.check_ledger(conn) == []


def test_what_settled_nothing_lists_nothing(conn: psycopg.Connection) -> None:
    deposit = pgwallet.deposit(conn, funded(conn, "ada", 0), 5)
    assert pgwallet.list_settled_escrows(conn, deposit.transaction_id) == []
    for wrong in (0, -1, 2**62):
        with refused(conn, "PW002"):
            pgwallet.list_settled_escrows(conn, wrong)


def test_what_went_back_because_it_had_expired_says_so(conn: psycopg.Connection) -> None:
    film = project(conn)
    whole, in_parts, half_released, in_time, batch = pledged(conn, film, 5)
    pgwallet.refund_escrow(conn, in_parts, 4)
    pgwallet.release_escrow(conn, half_released, 4)
    pgwallet.refund_escrow(conn, in_time)
    for escrow_id in (whole, in_parts, half_released, in_time, batch):
        conn.execute(EXPIRE, [escrow_id])
    assert pgwallet.refund_escrow(conn, whole).status == "expired"
    assert pgwallet.refund_escrow(conn, in_parts).status == "expired"
    assert pgwallet.refund_escrow(conn, half_released).status == "settled"
    assert pgwallet.get_escrow(conn, in_time).status == "refunded"
    # The project's failure is why this one goes back.
    pgwallet.close_project(conn, film, "failed")
    pgwallet.refund_escrows(conn, film)
    assert pgwallet.get_escrow(conn, batch).status == "refunded"
    assert pgwallet.check_ledger(conn) == []
    counts = conn.execute(
        "select refunded_count, expired_count, settled_count from pgwallet.project_summary"
    ).fetchone()
    assert counts == (2, 2, 1)


def test_what_expired_after_the_success_went_back_for_another_reason(
    conn: psycopg.Connection,
) -> None:
    film = project(conn)
    (escrow_id,) = pledged(conn, film, 1)
    pgwallet.close_project(conn, film, "succeeded")
    conn.execute(
        "update pgwallet.escrow as e set expires_at = p.closed_at + interval '1 microsecond' "
        "from pgwallet.project as p where p.project_id = e.project_id"
    )
    assert pgwallet.refund_escrow(conn, escrow_id).status == "refunded"


def test_an_expired_one_is_listed_by_that_status(conn: psycopg.Connection) -> None:
    film = project(conn)
    gone, there = pledged(conn, film, 2)
    conn.execute(EXPIRE, [gone])
    pgwallet.refund_expired_escrows(conn)
    for found in (
        pgwallet.list_escrows(conn, status="expired"),
        pgwallet.list_escrows(conn, project_id=film, status="expired"),
    ):
        assert [each.escrow_id for each in found] == [gone]
    assert [each.escrow_id for each in pgwallet.list_escrows(conn, status="locked")] == [there]
