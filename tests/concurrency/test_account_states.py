"""Freezes, closings and limits against calls that move money at the same time.

Whoever comes second waits, and finds the state that the first one left. At a higher level it fails
instead, and finds the same when it is run again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.concurrency.calls import fresh
from tests.concurrency.sessions import ALL_LEVELS, HIGHER, at, at_once, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project

pytestmark = pytest.mark.sql

levels = pytest.mark.parametrize(
    "level", ALL_LEVELS, ids=[each.name.lower() for each in ALL_LEVELS]
)


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


@dataclass(frozen=True, slots=True)
class Stage:
    """A wallet with 10 EUR, 10 in its pocket, which receives all, and 10 pledged to a project that
    has 10 to pay out; another wallet whose 10 are pledged, so that it is empty."""

    wallet: int
    pocket: int
    project: int
    pledged_wallet: int
    escrow: int


def stage(conn: psycopg.Connection) -> Stage:
    wallet, pledged = (funded(conn, fresh("owner"), amount) for amount in (40, 10))
    pocket = pgwallet.create_pocket(conn, wallet, "all", 100).pocket_id
    pgwallet.transfer_to_pocket(conn, pocket, 10)
    film = project(conn, fresh("project"), commission_rate=0, fee_rate=0)
    pgwallet.pledge(conn, wallet, film, 10)
    pgwallet.release_escrow(conn, pgwallet.pledge(conn, wallet, film, 10).escrow_id)
    escrow = pgwallet.pledge(conn, pledged, film, 10).escrow_id
    return Stage(wallet, pocket, film, pledged, escrow)


Move = Callable[[psycopg.Connection, Stage], Any]

MOVES: dict[str, Move] = {
    "deposit": lambda c, s: pgwallet.deposit(c, s.wallet, 1),
    "deposit_many": lambda c, s: pgwallet.deposit_many(c, [s.wallet], [1]),
    "withdraw": lambda c, s: pgwallet.withdraw(c, s.wallet, 1),
    "pledge": lambda c, s: pgwallet.pledge(c, s.wallet, s.project, 1),
    "pledge_many": lambda c, s: pgwallet.pledge_many(c, s.project, [s.wallet], [1]),
    "payout": lambda c, s: pgwallet.payout(c, s.project, 1),
    "allocate_deposit": lambda c, s: pgwallet.allocate_deposit(c, s.wallet, 1),
    "allocate_deposits": lambda c, s: pgwallet.allocate_deposits(c, [s.wallet], [1]),
    "transfer_to_pocket": lambda c, s: pgwallet.transfer_to_pocket(c, s.pocket, 1),
    "transfer_from_pocket": lambda c, s: pgwallet.transfer_from_pocket(c, s.pocket, 1),
    "create_pocket": lambda c, s: pgwallet.create_pocket(c, s.wallet, "late"),
    "set_allocation": lambda c, s: pgwallet.set_allocation(c, s.pocket, 50),
    "close_pocket": lambda c, s: pgwallet.close_pocket(c, s.pocket),
    "freeze the wallet": lambda c, s: pgwallet.freeze_account(c, s.wallet, "why"),
    "freeze the project": lambda c, s: pgwallet.freeze_account(c, s.project, "why"),
    "unfreeze the wallet": lambda c, s: pgwallet.unfreeze_account(c, s.wallet, "why"),
    "raise the limit": lambda c, s: pgwallet.set_credit_limit(c, s.wallet, 50),
    "take away the limit": lambda c, s: pgwallet.set_credit_limit(c, s.wallet, 0),
    "withdraw on credit": lambda c, s: pgwallet.withdraw(c, s.wallet, 30),
    "close the wallet": lambda c, s: pgwallet.close_wallet(c, s.wallet),
    "close the pledged wallet": lambda c, s: pgwallet.close_wallet(c, s.pledged_wallet),
    "deposit into the pledged wallet": lambda c, s: pgwallet.deposit(c, s.pledged_wallet, 1),
    "refund the escrow": lambda c, s: pgwallet.refund_escrow(c, s.escrow),
}

INTO_A_WALLET = ("deposit", "deposit_many", "pledge", "pledge_many")

# What the second one is told once the first one has committed.
PAIRS = [
    *(("freeze the wallet", each, "PW208") for each in ("withdraw", "pledge", "pledge_many")),
    *(("freeze the project", each, "PW208") for each in ("payout", "pledge", "pledge_many")),
    *((each, "freeze the wallet", "") for each in ("withdraw", "pledge", "pledge_many")),
    *((each, "freeze the project", "") for each in ("payout", "pledge", "pledge_many")),
    *(("freeze the wallet", each, "") for each in ("deposit", "allocate_deposit", "close_pocket")),
    ("freeze the wallet", "unfreeze the wallet", ""),
    *(("close_pocket", each, "PW209") for each in ("transfer_to_pocket", "transfer_from_pocket")),
    *(("close_pocket", each, "PW209") for each in ("set_allocation", "close_pocket")),
    *(("close_pocket", each, "") for each in ("allocate_deposit", "allocate_deposits")),
    *((each, "close_pocket", "") for each in ("allocate_deposit", "transfer_from_pocket")),
    *((each, "close_pocket", "") for each in ("set_allocation", "create_pocket")),
    ("deposit into the pledged wallet", "close the pledged wallet", "PW210"),
    ("refund the escrow", "close the pledged wallet", "PW210"),
]


def outcome(conn: psycopg.Connection, name: str, its: Stage) -> str:
    """The code of a refusal; nothing if there was none. Commits."""
    try:
        MOVES[name](conn, its)
    except (psycopg.Error, pgwallet.PgWalletError) as error:
        conn.rollback()
        return str(error.sqlstate)
    conn.commit()
    return ""


# One session plans every function once, so each test goes through all pairs.


@levels
def test_the_second_waits_and_finds_what_the_first_left(
    connect: Connect, level: IsolationLevel
) -> None:
    one, other, observer = connect(), connect(), connect(autocommit=True)
    for first, second, told in PAIRS:
        its = stage(observer)
        at(other, level)
        MOVES[first](one, its)
        with blocked(other, observer, partial(outcome, other, second, its)) as end:
            one.commit()
            answer = end.result()
        # A pledge leaves nothing in the project that a freeze of that would not see.
        if level in HIGHER and not (answer == "" and second == "freeze the project"):
            assert answer == "40001", (first, second)
            answer = outcome(other, second, its)
        assert answer == told, (first, second)
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", HIGHER, ids=[each.name.lower() for each in HIGHER])
def test_an_older_snapshot_does_not_get_past_a_state(
    connect: Connect, level: IsolationLevel
) -> None:
    """Nobody waits: the state was committed after the snapshot was taken."""
    one, other = connect(autocommit=True), connect()
    for first, second, told in PAIRS:
        if told in ("PW208", "PW209"):
            its = stage(one)
            at(other, level)
            MOVES[first](one, its)
            assert outcome(other, second, its) == "40001", (first, second)


def test_a_limit_is_not_taken_away_from_who_is_using_it(connect: Connect) -> None:
    one, other, observer = connect(), connect(), connect(autocommit=True)
    its = stage(observer)
    MOVES["raise the limit"](observer, its)
    MOVES["withdraw on credit"](one, its)
    with blocked(other, observer, partial(outcome, other, "take away the limit", its)) as end:
        one.commit()
        assert end.result() == "PW201"
    assert pgwallet.check_ledger(observer) == []


@levels
def test_a_call_waits_for_the_closing_of_its_wallet_and_is_refused(
    connect: Connect, level: IsolationLevel
) -> None:
    closing, calling, observer = connect(), connect(), connect(autocommit=True)
    film = project(observer, fresh("project"))
    for name in (*INTO_A_WALLET, "allocate_deposit", "allocate_deposits", "create_pocket"):
        its = Stage(funded(observer, fresh("owner"), 0), 0, film, 0, 0)
        pgwallet.set_credit_limit(observer, its.wallet, 5)  # so that there is something to pledge
        at(calling, level)
        pgwallet.close_wallet(closing, its.wallet)
        with blocked(calling, observer, partial(outcome, calling, name, its)) as end:
            closing.commit()
            answer = end.result()
        assert answer == ("40001" if level in HIGHER else "PW209"), name
        assert outcome(calling, name, its) == "PW209", name
    assert pgwallet.check_ledger(observer) == []


@levels
def test_a_closing_waits_for_a_call_and_finds_what_it_left(
    connect: Connect, level: IsolationLevel
) -> None:
    closing, calling, observer = connect(), connect(), connect(autocommit=True)
    film = project(observer, fresh("project"))
    for name in INTO_A_WALLET:
        amount = 0 if name.startswith("deposit") else 1
        its = Stage(funded(observer, fresh("owner"), amount), 0, film, 0, 0)
        at(closing, level)
        MOVES[name](calling, its)
        with blocked(closing, observer, partial(outcome, closing, "close the wallet", its)) as end:
            calling.commit()
            answer = end.result()
        assert answer == ("40001" if level in HIGHER else "PW210"), name
        assert outcome(closing, "close the wallet", its) == "PW210", name


def test_of_two_closings_of_a_wallet_both_are_told_the_same(connect: Connect) -> None:
    one, other, observer = connect(), connect(), connect(autocommit=True)
    wallet = funded(observer, fresh("owner"), 0)
    pgwallet.create_pocket(observer, wallet, "all")
    first = pgwallet.close_wallet(one, wallet)
    with blocked(other, observer, lambda: pgwallet.close_wallet(other, wallet)) as second:
        one.commit()
        assert second.result() == first
    events = pgwallet.list_events(observer, wallet)
    assert [each.kind for each in events].count("close_wallet") == 1


def test_freezes_closings_and_moves_in_any_order_never_deadlock(connect: Connect) -> None:
    observer = connect(autocommit=True)
    its = stage(observer)
    names = [name for name in MOVES if "close" not in name and "pledged" not in name]

    def work(conn: psycopg.Connection, turn: int) -> set[str]:
        chosen = names[turn:] + names[:turn]
        return {outcome(conn, name, its) for name in chosen * 3}

    conns = [connect() for _ in range(6)]
    told = at_once([partial(work, conn, 3 * number) for number, conn in enumerate(conns)])
    assert set().union(*told) <= {"", "PW201", "PW202", "PW208", "PW002"}
    assert pgwallet.check_ledger(observer) == []
