"""From a frozen wallet or project nothing leaves; what comes in goes on."""

from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, project, refused

pytestmark = pytest.mark.sql


def events(conn: psycopg.Connection, subject_id: int) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select kind, reason, before, after from pgwallet.event where subject_id = %s "
        "order by event_id",
        [subject_id],
    ).fetchall()


def test_a_frozen_wallet_takes_in_and_gives_nothing_out(conn: psycopg.Connection) -> None:
    wallet_id, project_id = funded(conn, "ada", 100), project(conn)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 50).pocket_id
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 10).escrow_id
    frozen = pgwallet.freeze_account(conn, wallet_id, "court order 17")
    assert (frozen.account_id, frozen.frozen) == (wallet_id, True)
    assert pgwallet.list_wallets(conn, "ada")[0].frozen_at == frozen.frozen_at

    for leave in (
        lambda: pgwallet.withdraw(conn, wallet_id, 1),
        lambda: pgwallet.pledge(conn, wallet_id, project_id, 1),
        lambda: pgwallet.pledge_many(conn, project_id, [wallet_id], [1]),
    ):
        with refused(conn, "PW208") as said:
            leave()
        assert said[0].message == f"wallet {wallet_id} is frozen"
        assert said[0].detail == f"It was frozen at {shown(conn, wallet_id)}."
    pgwallet.deposit(conn, wallet_id, 10)
    pgwallet.allocate_deposit(conn, wallet_id, 20)
    pgwallet.transfer_to_pocket(conn, pocket_id, 5)
    pgwallet.transfer_from_pocket(conn, pocket_id, 2)
    pgwallet.refund_escrow(conn, escrow_id, 3)
    pgwallet.release_escrow(conn, escrow_id)
    pgwallet.close_pocket(conn, pocket_id)
    assert pgwallet.balance(conn, wallet_id) == 103

    assert not pgwallet.unfreeze_account(conn, wallet_id, "order lifted").frozen
    assert pgwallet.withdraw(conn, wallet_id, 103).balance == 0
    assert pgwallet.check_ledger(conn) == []


def shown(conn: psycopg.Connection, account_id: int) -> str:
    row = conn.execute(
        "select frozen_at::text from pgwallet.account where account_id = %s", [account_id]
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_frozen_project_takes_no_pledges_and_pays_nothing_out(conn: psycopg.Connection) -> None:
    wallet_id, project_id = funded(conn, "ada", 100), project(conn)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 50).escrow_id
    pgwallet.release_escrow(conn, escrow_id, 20)
    frozen = pgwallet.freeze_account(conn, project_id, "fraud?")
    assert pgwallet.get_project(conn, project_id).frozen_at == frozen.frozen_at
    for leave in (
        lambda: pgwallet.payout(conn, project_id, 1),
        lambda: pgwallet.pledge(conn, wallet_id, project_id, 1),
        lambda: pgwallet.pledge_many(conn, project_id, [wallet_id], [1]),
    ):
        with refused(conn, "PW208") as said:
            leave()
        assert said[0].message == f"project {project_id} is frozen"
    pgwallet.release_escrow(conn, escrow_id, 10)
    pgwallet.refund_escrow(conn, escrow_id, 10)
    assert pgwallet.check_ledger(conn) == []
    pgwallet.unfreeze_account(conn, project_id, "no")
    pgwallet.payout(conn, project_id, 1)
    pgwallet.pledge(conn, wallet_id, project_id, 1)
    assert pgwallet.check_ledger(conn) == []


def test_a_freeze_is_an_event_with_its_reason_and_once_more_it_is_none(
    conn: psycopg.Connection,
) -> None:
    wallet_id = funded(conn, "ada", 100)
    first = pgwallet.freeze_account(conn, wallet_id, "court order 17")
    assert pgwallet.freeze_account(conn, wallet_id, "again") == first
    pgwallet.unfreeze_account(conn, wallet_id, "lifted")
    pgwallet.unfreeze_account(conn, wallet_id, "again")
    frozen, unfrozen = (e for e in events(conn, wallet_id) if "freeze" in e[0])
    assert frozen[:3] == ("freeze_account", "court order 17", {"frozen_at": None})
    assert frozen[3]["frozen_at"]
    assert unfrozen == ("unfreeze_account", "lifted", frozen[3], {"frozen_at": None})


@pytest.mark.parametrize("freeze", [pgwallet.freeze_account, pgwallet.unfreeze_account])
def test_what_is_no_wallet_and_no_project_cannot_be_frozen(
    conn: psycopg.Connection, freeze: Any
) -> None:
    wallet_id = funded(conn, "ada", 0)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday").pocket_id
    with refused(conn, "PW105") as said:
        freeze(conn, pocket_id, "why")
    assert said[0].detail == "The id is that of another account: pocket."
    assert said[0].hint == "Use the id of its wallet, which holds for its pockets, too."
    row = conn.execute("select fee_account_id from pgwallet.currency limit 1").fetchone()
    assert row is not None
    with refused(conn, "PW105"):
        freeze(conn, row[0], "why")
