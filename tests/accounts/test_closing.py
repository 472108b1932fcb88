"""Closing pockets and wallets."""

from dataclasses import replace

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, project, refused

pytestmark = pytest.mark.sql


def test_a_closed_pocket_gives_back_what_it_held(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 40).pocket_id
    pgwallet.allocate_deposit(conn, wallet_id, 50)
    closing = pgwallet.close_pocket(conn, pocket_id, "once")
    assert closing.amount == 20
    assert closing.wallet_balance == 100
    assert not closing.replayed
    assert pgwallet.check_ledger(conn) == []
    assert pgwallet.list_pockets(conn, wallet_id) == []
    with refused(conn, "PW209") as said:
        pgwallet.close_pocket(conn, pocket_id)
    assert said[0].message == f"pocket {pocket_id} is closed"
    for again in (
        lambda: pgwallet.transfer_to_pocket(conn, pocket_id, 1),
        lambda: pgwallet.transfer_from_pocket(conn, pocket_id, 1),
        lambda: pgwallet.set_allocation(conn, pocket_id, 1),
    ):
        with refused(conn, "PW209"):
            again()

    # Name and percentage are free.
    other = pgwallet.create_pocket(conn, wallet_id, "holiday", 100)
    assert other.pocket_id != pocket_id
    (share,) = pgwallet.allocate_deposit(conn, wallet_id, 50).shares
    assert share.pocket_id == other.pocket_id
    assert pgwallet.close_pocket(conn, pocket_id, "once") == replace(closing, replayed=True)
    assert pgwallet.check_ledger(conn) == []


def test_closing_an_empty_pocket_moves_nothing_and_uses_its_key(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 40).pocket_id
    closing = pgwallet.close_pocket(conn, pocket_id, "once")
    assert closing.amount == 0
    assert closing.wallet_balance == 100
    # What comes later changes nothing about it.
    pgwallet.withdraw(conn, wallet_id, 30)
    assert pgwallet.close_pocket(conn, pocket_id, "once") == replace(closing, replayed=True)
    assert pgwallet.get_transaction(conn, closing.transaction_id).posting_count == 0
    assert pgwallet.check_ledger(conn) == []


def test_a_wallet_is_closed_once_nothing_is_left_in_it(conn: psycopg.Connection) -> None:
    wallet_id, project_id = funded(conn, "ada", 100), project(conn)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 40).pocket_id
    pgwallet.transfer_to_pocket(conn, pocket_id, 30)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 20).escrow_id
    pgwallet.release_escrow(conn, escrow_id, 5)
    for empty_next, held in (
        (lambda: pgwallet.withdraw(conn, wallet_id, 50), (50, 30, 15)),
        (lambda: pgwallet.transfer_from_pocket(conn, pocket_id, 30), (0, 30, 15)),
        (lambda: pgwallet.withdraw(conn, wallet_id, 30), (30, 0, 15)),
        (lambda: pgwallet.release_escrow(conn, escrow_id), (0, 0, 15)),
    ):
        with refused(conn, "PW210") as said:
            pgwallet.close_wallet(conn, wallet_id)
        balance, pockets, pledges = held
        assert said[0].detail == (
            f"Its balance is {balance}.00, its pockets hold {pockets}.00, its pledges {pledges}.00."
        )
        empty_next()

    wallet = pgwallet.close_wallet(conn, wallet_id)
    assert wallet.closed_at is not None
    assert pgwallet.close_wallet(conn, wallet_id) == wallet
    assert pgwallet.create_wallet(conn, "ada") == wallet
    assert pgwallet.list_wallets(conn, "ada") == [wallet]
    assert pgwallet.list_pockets(conn, wallet_id) == []
    for move in (
        lambda: pgwallet.deposit(conn, wallet_id, 1),
        lambda: pgwallet.deposit_many(conn, [wallet_id], [1]),
        lambda: pgwallet.withdraw(conn, wallet_id, 1),
        lambda: pgwallet.pledge(conn, wallet_id, project_id, 1),
        lambda: pgwallet.pledge_many(conn, project_id, [wallet_id], [1]),
        lambda: pgwallet.allocate_deposit(conn, wallet_id, 1),
        lambda: pgwallet.allocate_deposit(conn, wallet_id, 1, "largest_remainder"),
        lambda: pgwallet.allocate_deposits(conn, [wallet_id], [1]),
        lambda: pgwallet.create_pocket(conn, wallet_id, "late"),
        lambda: pgwallet.transfer_to_pocket(conn, pocket_id, 1),
        lambda: pgwallet.set_credit_limit(conn, wallet_id, 1),
    ):
        with refused(conn, "PW209"):
            move()
    assert pgwallet.check_ledger(conn) == []


def test_a_wallet_that_owes_is_not_closed(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pgwallet.set_credit_limit(conn, wallet_id, 50)
    pgwallet.withdraw(conn, wallet_id, 30)
    with refused(conn, "PW210") as said:
        pgwallet.close_wallet(conn, wallet_id)
    assert said[0].hint == "Have what it owes paid in first."


def test_of_many_wallets_the_first_closed_one_is_named(conn: psycopg.Connection) -> None:
    ada, bob, eve = (funded(conn, owner, 0) for owner in ("ada", "bob", "eve"))
    for wallet_id in (bob, eve):
        pgwallet.close_wallet(conn, wallet_id)
    for move in (
        lambda: pgwallet.deposit_many(conn, [ada, eve, bob], [1, 1, 1]),
        lambda: pgwallet.allocate_deposits(conn, [ada, eve, bob], [1, 1, 1]),
        lambda: pgwallet.pledge_many(conn, project(conn), [ada, eve, bob], [1, 1, 1]),
    ):
        with refused(conn, "PW209") as said:
            move()
        assert said[0].message == f"wallet {eve} is closed"


def test_a_replay_of_a_bulk_call_does_not_ask_whether_its_wallet_is_closed(
    conn: psycopg.Connection,
) -> None:
    ada, bob = funded(conn, "ada", 0), funded(conn, "bob", 0)
    (first,) = pgwallet.deposit_many(conn, [ada], [5], ["a"])
    pgwallet.withdraw(conn, ada, 5)
    pgwallet.close_wallet(conn, ada)
    again, other = pgwallet.deposit_many(conn, [ada, bob], [5, 5], ["a", "b"])
    assert again == replace(first, replayed=True)
    assert other.balance == 5
    pgwallet.withdraw(conn, bob, 5)
    pgwallet.close_wallet(conn, bob)
    with refused(conn, "PW209") as said:
        pgwallet.deposit_many(conn, [ada, bob], [5, 5], ["a", "c"])
    assert said[0].message == f"wallet {bob} is closed"


def test_what_a_dispute_holds_keeps_its_wallet_open(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    escrow_id = pgwallet.pledge(conn, wallet_id, project(conn), 10).escrow_id
    pgwallet.dispute_escrow(conn, escrow_id, "the card was stolen")
    with refused(conn, "PW210"):
        pgwallet.close_wallet(conn, wallet_id)


def test_a_refund_still_reaches_a_closed_wallet(conn: psycopg.Connection) -> None:
    wallet_id, project_id = funded(conn, "ada", 10), project(conn)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 10).escrow_id
    pgwallet.release_escrow(conn, escrow_id)
    pgwallet.close_wallet(conn, wallet_id)
    assert pgwallet.refund_release(conn, escrow_id, 4).balance == 4
    assert pgwallet.check_ledger(conn) == []
    with refused(conn, "PW209"):
        pgwallet.withdraw(conn, wallet_id, 4)


def test_a_closing_is_an_event_of_each_that_was_closed(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pockets = [pgwallet.create_pocket(conn, wallet_id, name, 30).pocket_id for name in "ab"]
    pgwallet.close_pocket(conn, pockets[0])
    closed_at = pgwallet.close_wallet(conn, wallet_id).closed_at
    for subject_id, kind in zip(
        [*pockets, wallet_id], ["close_pocket", "close_pocket", "close_wallet"], strict=True
    ):
        last = pgwallet.list_events(conn, subject_id)[-1]
        assert last.kind == kind
        assert last.before["closed_at"] is None
        assert last.after["closed_at"] is not None
    assert closed_at is not None


def test_a_wallet_is_not_closed_over_what_one_of_its_pockets_holds(
    conn: psycopg.Connection,
) -> None:
    """Nothing else would keep it open."""
    wallet_id = funded(conn, "ada", 5)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday").pocket_id
    pgwallet.transfer_to_pocket(conn, pocket_id, 5)
    with refused(conn, "PW210") as said:
        pgwallet.close_wallet(conn, wallet_id)
    assert said[0].detail == "Its balance is 0.00, its pockets hold 5.00, its pledges 0.00."
