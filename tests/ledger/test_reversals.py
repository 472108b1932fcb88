"""Taking back what a transaction moved: whole, once, and only while the money is there."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, project, refused

pytestmark = pytest.mark.sql

Mistake = Callable[[psycopg.Connection, "People"], int]


@dataclass(frozen=True, slots=True)
class People:
    """Ada has 100 and three pockets, the first with 20; Bob has 10; the project can pay out 16."""

    ada: int
    bob: int
    pockets: tuple[int, ...]
    project: int
    escrow: int


@pytest.fixture
def people(conn: psycopg.Connection) -> People:
    ada, bob = funded(conn, "ada", 150), funded(conn, "bob", 10)
    pockets = tuple(
        pgwallet.create_pocket(conn, ada, name, Decimal(percentage)).pocket_id
        for name, percentage in (("holiday", "50"), ("rent", "33.3333"), ("tax", "10"))
    )
    pgwallet.transfer_to_pocket(conn, pockets[0], 20)
    tenth = Decimal("0.1")
    film = project(conn, "film", commission_rate=tenth, fee_rate=tenth)
    escrow = pgwallet.pledge(conn, ada, film, 30).escrow_id
    pgwallet.release_escrow(conn, escrow, 20)
    return People(ada, bob, pockets, film, escrow)


# One of each kind that can be taken back, and what it gives as kind and amount.
MISTAKES: dict[str, Mistake] = {
    "deposit": lambda conn, p: pgwallet.deposit(conn, p.ada, Decimal("12.5")).transaction_id,
    "withdrawal": lambda conn, p: pgwallet.withdraw(conn, p.ada, Decimal("12.5")).transaction_id,
    "payout": lambda conn, p: pgwallet.payout(conn, p.project, Decimal("12.5")).transaction_id,
    "transfer": lambda conn, p: (
        pgwallet.transfer(conn, p.ada, p.bob, Decimal("12.5")).transaction_id
    ),
    "transfer_to_pocket": lambda conn, p: (
        pgwallet.transfer_to_pocket(conn, p.pockets[1], Decimal("12.5")).transaction_id
    ),
    "transfer_from_pocket": lambda conn, p: (
        pgwallet.transfer_from_pocket(conn, p.pockets[0], Decimal("12.5")).transaction_id
    ),
}


def balances(conn: psycopg.Connection) -> dict[int, Decimal]:
    rows = conn.execute(
        "select account_id, balance from pgwallet.account where balance is not null"
    )
    return dict(rows.fetchall())


def mark(conn: psycopg.Connection, account_id: int, what: str, value: object) -> None:
    """As an operator's function would, for a test that is not about that function."""
    conn.execute(
        f"update pgwallet.account set {what} = %s where account_id = %s".encode(),
        [value, account_id],
    )


@pytest.mark.parametrize("kind", MISTAKES)
def test_what_a_call_moved_is_where_it_was_before(
    conn: psycopg.Connection, people: People, kind: str
) -> None:
    before = balances(conn)
    mistake = MISTAKES[kind](conn, people)
    assert balances(conn) != before
    back = pgwallet.reverse_transaction(conn, mistake, "undo", {"why": "bounced"})
    assert balances(conn) == before
    assert (back.reversed_transaction_id, back.kind) == (mistake, kind)
    assert (str(back.amount), back.currency, back.replayed) == ("12.50", "EUR", False)
    assert pgwallet.check_ledger(conn) == []

    undone = pgwallet.get_transaction(conn, back.transaction_id)
    assert (undone.kind, undone.reversed_transaction_id) == ("reversal", mistake)
    assert (undone.amount, undone.metadata, undone.reversed_by) == (
        Decimal("12.50"),
        {"why": "bounced"},
        None,
    )
    wrong = pgwallet.get_transaction(conn, mistake)
    assert (wrong.reversed_by, wrong.reversed_transaction_id) == (back.transaction_id, None)
    assert pgwallet.find_transaction(conn, "undo") == undone


def test_an_allocation_comes_back_from_every_pocket(
    conn: psycopg.Connection, people: People
) -> None:
    before = balances(conn)
    mistake = pgwallet.allocate_deposit(conn, people.ada, 50)
    assert [str(share.amount) for share in mistake.shares] == ["25.00", "16.67", "5.00"]
    assert mistake.transaction_id
    back = pgwallet.reverse_transaction(conn, mistake.transaction_id)
    assert str(back.amount) == "46.67"
    assert balances(conn) == before
    # Each posting has the balance after it, so check_ledger goes from one to the next.
    assert pgwallet.check_ledger(conn) == []
    rows = pgwallet.statement(conn, people.ada, newest_first=True, limit=3)
    assert [str(row.balance) for row in rows] == ["100.00", "95.00", "78.33"]
    assert {row.reversed_transaction_id for row in rows} == {mistake.transaction_id}
    assert [row.counterpart_id for row in rows] == [*people.pockets[::-1]]


def test_an_allocation_comes_back_from_what_the_pockets_still_hold_or_not_at_all(
    conn: psycopg.Connection, people: People
) -> None:
    mistake = pgwallet.allocate_deposit(conn, people.ada, 50).transaction_id
    assert mistake
    pgwallet.transfer_from_pocket(conn, people.pockets[1], Decimal("0.01"))
    with refused(conn, "PW201") as said:
        pgwallet.reverse_transaction(conn, mistake)
    assert said[0].message == f"pocket {people.pockets[1]} does not hold enough"
    assert said[0].detail == "Its balance is 16.66, the amount 16.67."
    # Whatever the money came from.
    pgwallet.transfer_to_pocket(conn, people.pockets[1], Decimal("0.01"))
    pgwallet.reverse_transaction(conn, mistake)
    assert pgwallet.balance(conn, people.pockets[1]) == 0


def test_a_single_transaction_of_a_bulk_call_comes_back(
    conn: psycopg.Connection, people: People
) -> None:
    deposits = pgwallet.deposit_many(conn, [people.ada, people.bob, people.ada], [1, 2, 4])
    pgwallet.reverse_transaction(conn, deposits[2].transaction_id)
    assert pgwallet.balance(conn, people.ada) == 101
    assert pgwallet.balance(conn, people.bob) == 12

    rows = pgwallet.allocate_deposits(conn, [people.ada, people.ada], [10, 20])
    first = {row.transaction_id for row in rows if row.amount in (5, Decimal("3.33"), 1)}
    assert len(first) == 1
    pgwallet.reverse_transaction(conn, first.pop())
    assert [pgwallet.balance(conn, each) for each in people.pockets] == [
        Decimal("30.00"),
        Decimal("6.67"),
        Decimal("2.00"),
    ]
    assert pgwallet.check_ledger(conn) == []


def test_a_deposit_that_was_spent_comes_back_only_into_credit(
    conn: psycopg.Connection, people: People
) -> None:
    bounced = pgwallet.deposit(conn, people.bob, 100).transaction_id
    pgwallet.withdraw(conn, people.bob, 60)
    with refused(conn, "PW201") as said:
        pgwallet.reverse_transaction(conn, bounced)
    assert said[0].detail == "Its balance is 50.00, the amount 100.00."
    mark(conn, people.bob, "credit_limit", Decimal("49.99"))
    with refused(conn, "PW201") as said:
        pgwallet.reverse_transaction(conn, bounced)
    assert said[0].detail == "Its balance is 50.00, its credit 49.99, the amount 100.00."
    mark(conn, people.bob, "credit_limit", 50)
    pgwallet.reverse_transaction(conn, bounced)
    assert pgwallet.balance(conn, people.bob) == -50


def test_credit_fills_no_pocket(conn: psycopg.Connection, people: People) -> None:
    mistake = pgwallet.transfer_from_pocket(conn, people.pockets[0], 20).transaction_id
    pgwallet.withdraw(conn, people.ada, 101)
    mark(conn, people.ada, "credit_limit", 1000)
    with refused(conn, "PW201") as said:
        pgwallet.reverse_transaction(conn, mistake)
    assert said[0].detail == "Its balance is 19.00, the amount 20.00."
    pgwallet.deposit(conn, people.ada, 1)
    pgwallet.reverse_transaction(conn, mistake)
    assert pgwallet.balance(conn, people.pockets[0]) == 20


def test_a_payout_comes_back_whole_when_the_project_has_ended(
    conn: psycopg.Connection, people: People
) -> None:
    for outcome in ("succeeded", "failed"):
        film = project(conn, outcome)
        pledge = pgwallet.pledge(conn, people.ada, film, 10)
        pgwallet.release_escrow(conn, pledge.escrow_id)
        there = pgwallet.balance(conn, film)
        sent = pgwallet.payout(conn, film, there).transaction_id
        pgwallet.close_project(conn, film, outcome)
        assert pgwallet.reverse_transaction(conn, sent).amount == there
        assert pgwallet.balance(conn, film) == there
        pgwallet.payout(conn, film, there)
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_transaction_is_taken_back_once(
    conn: psycopg.Connection, people: People, kind: str
) -> None:
    mistake = MISTAKES[kind](conn, people)
    back = pgwallet.reverse_transaction(conn, mistake, "once").transaction_id
    with refused(conn, "PW207") as said:
        pgwallet.reverse_transaction(conn, mistake)
    assert said[0].detail == f"Transaction {back} has taken it back already."
    with refused(conn, "PW207"):
        pgwallet.reverse_transaction(conn, mistake, "another key")
    with refused(conn, "PW207"):
        pgwallet.reverse_transaction(conn, back)
    assert pgwallet.reverse_transaction(conn, mistake, "once").replayed
    # The same again is another transaction, which can be taken back too.
    again = MISTAKES[kind](conn, people)
    assert not pgwallet.reverse_transaction(conn, again).replayed


def test_other_kinds_name_their_own_way_back(conn: psycopg.Connection, people: People) -> None:
    pledge = pgwallet.pledge(conn, people.ada, people.project, 5)
    refund = pgwallet.refund_escrow(conn, pledge.escrow_id)
    release = pgwallet.release_escrow(conn, people.escrow)
    for transaction_id, way in (
        (pledge.transaction_id, "refund_escrow"),
        (release.transaction_id, "refund_release"),
        (refund.transaction_id, "a new pledge"),
    ):
        with refused(conn, "PW207") as said:
            pgwallet.reverse_transaction(conn, transaction_id)
        assert way in str(said[0].detail)


def test_what_moved_nothing_cannot_be_taken_back(conn: psycopg.Connection, people: People) -> None:
    nothing = pgwallet.allocate_deposit(conn, people.bob, 5).transaction_id
    assert nothing
    with refused(conn, "PW207") as said:
        pgwallet.reverse_transaction(conn, nothing)
    assert said[0].detail == "It moved nothing, so there is nothing to take back."


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_correction_goes_on_for_a_frozen_account(
    conn: psycopg.Connection, people: People, kind: str
) -> None:
    before = balances(conn)
    mistake = MISTAKES[kind](conn, people)
    for account_id in (people.ada, people.bob, people.project):
        mark(conn, account_id, "frozen_at", "2026-01-01 00:00:00+00")
    pgwallet.reverse_transaction(conn, mistake)
    assert balances(conn) == before


@pytest.mark.parametrize("kind", [kind for kind in MISTAKES if kind != "payout"])
def test_closed_accounts_take_nothing_back(
    conn: psycopg.Connection, people: People, kind: str
) -> None:
    mistake = MISTAKES[kind](conn, people)
    mark(conn, people.ada, "closed_at", "2026-01-01 00:00:00+00")
    with refused(conn, "PW209") as said:
        pgwallet.reverse_transaction(conn, mistake)
    assert str(people.ada) in said[0].message
    # Told before that it was taken back already.
    mark(conn, people.ada, "closed_at", None)
    pgwallet.reverse_transaction(conn, mistake)
    mark(conn, people.ada, "closed_at", "2026-01-01 00:00:00+00")
    with refused(conn, "PW209"):
        pgwallet.reverse_transaction(conn, mistake)


def test_pockets_of_a_closed_wallet_take_nothing_back(
    conn: psycopg.Connection, people: People
) -> None:
    mistake = pgwallet.transfer(conn, people.pockets[0], people.pockets[1], 5).transaction_id
    mark(conn, people.ada, "closed_at", "2026-01-01 00:00:00+00")
    with refused(conn, "PW209") as said:
        pgwallet.reverse_transaction(conn, mistake)
    assert str(people.ada) in said[0].message


@pytest.mark.parametrize("currency", ["JPY", "KWD", "CLF"])
def test_every_currency_comes_back_to_the_last_unit(
    conn: psycopg.Connection, currency: str
) -> None:
    wallet_id = funded(conn, "ada", 3, currency)
    for share in ("33.3333", "33.3333", "33.3334"):
        pgwallet.create_pocket(conn, wallet_id, f"{share} {len(balances(conn))}", Decimal(share))
    before = balances(conn)
    for rounding in ("half_up", "largest_remainder"):
        mistake = pgwallet.allocate_deposit(conn, wallet_id, 2, rounding).transaction_id
        assert mistake
        pgwallet.reverse_transaction(conn, mistake)
        assert balances(conn) == before
    assert pgwallet.check_ledger(conn) == []
