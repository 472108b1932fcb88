"""An account may owe as much as its credit says when money leaves it."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import call, funded, project, refused

pytestmark = pytest.mark.sql


def test_a_wallet_goes_below_zero_to_the_last_unit_of_its_credit(conn: psycopg.Connection) -> None:
    wallet_id, project_id = funded(conn, "ada", 10), project(conn)
    given = pgwallet.set_credit_limit(conn, wallet_id, 50)
    assert (str(given.credit_limit), str(given.balance)) == ("50.00", "10.00")
    assert pgwallet.withdraw(conn, wallet_id, 20).balance == -10
    assert pgwallet.pledge(conn, wallet_id, project_id, 30).balance == -40
    with refused(conn, "PW201") as said:
        pgwallet.pledge_many(conn, project_id, [wallet_id] * 2, [5, Decimal("5.01")])
    assert said[0].detail == "Its balance is -40.00, its credit 50.00, the amount 10.01."
    assert pgwallet.pledge_many(conn, project_id, [wallet_id] * 2, [5, 5])[1].balance == -50
    for leave in (
        lambda: pgwallet.withdraw(conn, wallet_id, Decimal("0.01")),
        lambda: pgwallet.pledge(conn, wallet_id, project_id, Decimal("0.01")),
    ):
        with refused(conn, "PW201") as said:
            leave()
        assert said[0].detail == "Its balance is -50.00, its credit 50.00, the amount 0.01."
    assert str(pgwallet.balance(conn, wallet_id)) == "-50.00"
    assert pgwallet.statement(conn, wallet_id)[-1].balance == -50
    (wallet,) = pgwallet.list_wallets(conn, "ada")
    assert (str(wallet.balance), str(wallet.credit_limit)) == ("-50.00", "50.00")
    assert pgwallet.deposit(conn, wallet_id, 60).balance == 10
    assert pgwallet.check_ledger(conn) == []


def test_a_project_pays_out_on_credit(conn: psycopg.Connection) -> None:
    project_id = project(conn)
    pgwallet.set_credit_limit(conn, project_id, 20)
    assert pgwallet.payout(conn, project_id, 20).balance == -20
    with refused(conn, "PW201"):
        pgwallet.payout(conn, project_id, Decimal("0.01"))
    state = pgwallet.get_project(conn, project_id)
    assert (str(state.balance), str(state.credit_limit)) == ("-20.00", "20.00")
    wallet_id = funded(conn, "ada", 30)
    pgwallet.release_escrow(conn, pgwallet.pledge(conn, wallet_id, project_id, 30).escrow_id)
    assert pgwallet.balance(conn, project_id) > 0
    assert pgwallet.check_ledger(conn) == []


def test_credit_never_fills_a_pocket(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 100).pocket_id
    pgwallet.set_credit_limit(conn, wallet_id, 500)
    many: dict[str, object] = {"p_wallet_ids": [wallet_id], "p_amounts": [11]}
    for rounding in ("half_up", "largest_remainder"):
        with refused(conn, "PW201") as said:
            pgwallet.allocate_deposit(conn, wallet_id, 11, rounding)
        assert said[0].detail == "Its balance is 10.00, the amount 11.00."
        with refused(conn, "PW201"):
            call(conn, "allocate_deposits", **many, p_rounding=rounding)
    with refused(conn, "PW201"):
        pgwallet.transfer_to_pocket(conn, pocket_id, 11)


def test_what_a_pocket_holds_comes_back_to_a_wallet_that_owes(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 30)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 100).pocket_id
    pgwallet.transfer_to_pocket(conn, pocket_id, 30)
    pgwallet.set_credit_limit(conn, wallet_id, 100)
    pgwallet.withdraw(conn, wallet_id, 100)
    assert pgwallet.transfer_from_pocket(conn, pocket_id, 10).wallet_balance == -90
    for rounding in ("half_up", "largest_remainder"):
        with refused(conn, "PW201"):
            pgwallet.allocate_deposit(conn, wallet_id, 1, rounding)
    assert pgwallet.close_pocket(conn, pocket_id).wallet_balance == -70
    assert pgwallet.check_ledger(conn) == []


def test_a_limit_holds_what_is_owed_already(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pgwallet.set_credit_limit(conn, wallet_id, 50)
    pgwallet.withdraw(conn, wallet_id, 30)
    for limit in (Decimal("29.99"), 0):
        with refused(conn, "PW201") as said:
            pgwallet.set_credit_limit(conn, wallet_id, limit)
        assert said[0].message == f"wallet {wallet_id} owes more than that limit"
    assert pgwallet.set_credit_limit(conn, wallet_id, 30).credit_limit == 30
    pgwallet.deposit(conn, wallet_id, 30)
    assert str(pgwallet.set_credit_limit(conn, wallet_id, 0).credit_limit) == "0.00"
    with refused(conn, "PW201"):
        pgwallet.withdraw(conn, wallet_id, 1)


def test_a_limit_is_an_event_unless_it_is_the_same(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    for limit in (Decimal("50.00"), 50, 20):
        pgwallet.set_credit_limit(conn, wallet_id, limit)
    rows = conn.execute(
        "select before, after from pgwallet.event "
        "where subject_id = %s and kind = 'set_credit_limit' order by event_id",
        [wallet_id],
    ).fetchall()
    assert rows == [
        ({"credit_limit": 0}, {"credit_limit": 50}),
        ({"credit_limit": 50}, {"credit_limit": 20}),
    ]


def test_a_limit_in_yen_has_no_decimals(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0, "JPY")
    with refused(conn, "PW001"):
        pgwallet.set_credit_limit(conn, wallet_id, Decimal("0.5"))
    assert str(pgwallet.set_credit_limit(conn, wallet_id, Decimal("5.0")).credit_limit) == "5"
