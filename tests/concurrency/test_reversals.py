"""Reversals at once: one effect each, in turn with everything that moves the same money."""

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.catalogue.world import World
from tests.concurrency.calls import (
    OF_WALLETS,
    assert_books,
    fresh,
    fresh_project,
    fresh_world,
    move,
)
from tests.concurrency.sessions import ALL_LEVELS, at, at_once, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded

pytestmark = pytest.mark.sql

SESSIONS = 4
TURNS = 100

Mistake = Callable[[psycopg.Connection, World], int]

MISTAKES: dict[str, Mistake] = {
    "deposit": lambda conn, w: pgwallet.deposit(conn, w.wallet, 5).transaction_id,
    "withdrawal": lambda conn, w: pgwallet.withdraw(conn, w.wallet, 5).transaction_id,
    "transfer": lambda conn, w: pgwallet.transfer(conn, w.wallet, w.friend, 5).transaction_id,
    "transfer_to_pocket": lambda conn, w: (
        pgwallet.transfer_to_pocket(conn, w.pocket, 5).transaction_id
    ),
    "allocation": lambda conn, w: pgwallet.allocate_deposit(conn, w.wallet, 10).transaction_id or 0,
}


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def held(conn: psycopg.Connection, world: World) -> list[Decimal]:
    return [
        pgwallet.balance(conn, account_id)
        for account_id in (world.wallet, world.friend, world.pocket, world.open)
    ]


@pytest.mark.parametrize("level", ALL_LEVELS)
@pytest.mark.parametrize("kind", MISTAKES)
def test_of_two_reversals_of_one_transaction_one_has_an_effect(
    connect: Connect, kind: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    before = held(observer, world)
    mistake = MISTAKES[kind](observer, world)
    at(second, level)
    done = pgwallet.reverse_transaction(first, mistake)
    reversal = partial(pgwallet.reverse_transaction, second, mistake, fresh("key"))
    refused = level == IsolationLevel.READ_COMMITTED
    with blocked(second, observer, reversal) as waiting:
        first.commit()
        with pytest.raises(
            pgwallet.NotReversible if refused else psycopg.errors.SerializationFailure
        ) as caught:
            waiting.result()
    second.rollback()
    if refused:
        assert str(done.transaction_id) in str(caught.value)
    assert held(observer, world) == before
    assert pgwallet.check_ledger(observer) == []


def test_of_two_reversals_the_second_goes_on_where_the_first_was_rolled_back(
    connect: Connect,
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    before = held(observer, world)
    mistake = MISTAKES["allocation"](observer, world)
    pgwallet.reverse_transaction(first, mistake, "one key")
    reversal = partial(pgwallet.reverse_transaction, second, mistake, "another key")
    with blocked(second, observer, reversal) as waiting:
        first.rollback()
        assert not waiting.result().replayed
    second.commit()
    assert held(observer, world) == before


def test_the_same_reversal_at_once_replays_the_first(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    mistake = MISTAKES["transfer"](observer, world)
    done = pgwallet.reverse_transaction(first, mistake, "the same")
    reversal = partial(pgwallet.reverse_transaction, second, mistake, "the same")
    with blocked(second, observer, reversal) as waiting:
        first.commit()
        again = waiting.result()
    second.commit()
    assert (again.replayed, again.transaction_id) == (True, done.transaction_id)


@pytest.mark.parametrize("name", OF_WALLETS)
def test_a_reversal_and_any_other_call_of_its_wallets_take_turns(
    connect: Connect, name: str
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    for mistake in [make(observer, world) for make in MISTAKES.values()]:
        move(first, name, world, 1)
        reversal = partial(pgwallet.reverse_transaction, second, mistake)
        with blocked(second, observer, reversal) as waiting:
            first.commit()
            waiting.result()
        with blocked(first, observer, partial(move, first, name, world, 1)) as waiting_too:
            second.commit()
            waiting_too.result()
        first.commit()
    assert pgwallet.check_ledger(observer) == []


def test_money_moves_between_pockets_and_back_under_the_lock_of_their_wallet(
    connect: Connect,
) -> None:
    """Whoever allocates comes to the pockets in another order, and trusts in that lock."""
    holder, second, third = connect(), connect(), connect()
    observer = connect(autocommit=True)
    world = fresh_world(observer)
    rent = pgwallet.create_pocket(observer, world.wallet, "rent").pocket_id
    mistake = pgwallet.transfer(observer, world.pocket, rent, 5).transaction_id
    for call in (
        partial(pgwallet.transfer, second, world.pocket, rent, 5),
        partial(pgwallet.reverse_transaction, second, mistake),
    ):
        holder.execute(
            "select from pgwallet.account where account_id = %s for update", [world.wallet]
        )
        with blocked(second, observer, call) as waiting:
            third.execute(
                "select from pgwallet.account where account_id = any (%s) for update nowait",
                [[world.pocket, rent]],
            )
            third.rollback()
            holder.rollback()
            waiting.result()
        second.commit()
    assert_books(observer, {world.pocket: 15, rent: 5})


def test_the_reversal_of_a_transfer_locks_its_wallets_by_their_ids(connect: Connect) -> None:
    holder, second, third = connect(), connect(), connect()
    observer = connect(autocommit=True)
    world = fresh_world(observer)
    lower, higher = sorted((world.wallet, world.friend))
    row = "select from pgwallet.account where account_id = %s for update"
    for payer, payee in ((lower, higher), (higher, lower)):
        mistake = pgwallet.transfer(observer, payer, payee, 5).transaction_id
        holder.execute(row, [higher])
        reversal = partial(pgwallet.reverse_transaction, second, mistake)
        with blocked(second, observer, reversal) as waiting:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                third.execute(f"{row} nowait".encode(), [lower])
            third.rollback()
            holder.rollback()
            waiting.result()
        second.commit()
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_what_was_spent_meanwhile_does_not_come_back(
    connect: Connect, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    refused = level == IsolationLevel.READ_COMMITTED
    for mistake, spend in (
        (
            pgwallet.deposit(observer, world.wallet, 5).transaction_id,
            partial(pgwallet.withdraw, first, world.wallet, 101),
        ),
        (
            pgwallet.transfer_to_pocket(observer, world.pocket, 4).transaction_id,
            partial(pgwallet.transfer_from_pocket, first, world.pocket, 21),
        ),
    ):
        at(second, level)
        spend()
        with blocked(
            second, observer, partial(pgwallet.reverse_transaction, second, mistake)
        ) as waiting:
            first.commit()
            with pytest.raises(
                pgwallet.InsufficientFunds if refused else psycopg.errors.SerializationFailure
            ):
                waiting.result()
        second.rollback()
    assert pgwallet.check_ledger(observer) == []


def test_a_payout_comes_back_while_its_project_is_released_and_paid(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    mistake = pgwallet.payout(observer, world.open, 16).transaction_id
    pgwallet.release_escrow(first, world.escrow, 10)
    reversal = partial(pgwallet.reverse_transaction, second, mistake)
    with blocked(second, observer, reversal) as waiting:
        first.commit()
        assert waiting.result().amount == 16
    with blocked(first, observer, partial(pgwallet.payout, first, world.open, 8)) as paying:
        second.commit()
        assert paying.result().balance == 16
    first.commit()
    assert pgwallet.check_ledger(observer) == []


def a_day_of(
    wallets: list[int], projects: list[int], made: list[int], number: int
) -> Callable[[psycopg.Connection], Any]:
    """What can be taken back, and taking back what anybody made."""
    chance = random.Random(number)

    def work(conn: psycopg.Connection) -> None:
        for turn in range(TURNS):
            source, target = chance.sample(wallets, 2)
            project_id = chance.choice(projects)
            amount = Decimal(chance.randint(1, 300)) / 100

            def release(wallet_id: int = source, project_id: int = project_id) -> Any:
                pledge = pgwallet.pledge(conn, wallet_id, project_id, 1)
                return pgwallet.release_escrow(conn, pledge.escrow_id)

            calls: list[Callable[[], Any]] = [
                partial(pgwallet.transfer, conn, source, target, amount),
                partial(pgwallet.deposit, conn, source, amount),
                partial(pgwallet.allocate_deposit, conn, source, amount),
                partial(pgwallet.payout, conn, project_id, Decimal("0.5")),
                release,
            ]
            if turn > 2:
                calls += 3 * [
                    partial(pgwallet.reverse_transaction, conn, chance.choice(made[-40:]))
                ]
            call = chance.choice(calls)
            try:
                made.append(call().transaction_id)
            except (pgwallet.InsufficientFunds, pgwallet.NotReversible):
                pass
            except psycopg.errors.DeadlockDetected as error:
                raise AssertionError(f"{call} met a deadlock") from error

    return work


def test_reversals_of_anything_by_anybody_never_deadlock(connect: Connect) -> None:
    observer = connect(autocommit=True)
    wallets = [funded(observer, fresh("owner"), 50) for _ in range(4)]
    pockets = [
        pgwallet.create_pocket(observer, wallet_id, name, 30).pocket_id
        for wallet_id in wallets
        for name in "ab"
    ]
    projects = [fresh_project(observer) for _ in range(2)]
    made = [pgwallet.deposit(observer, each, 1).transaction_id for each in wallets]
    at_once(
        [
            partial(a_day_of(wallets, projects, made, number), connect(autocommit=True))
            for number in range(SESSIONS)
        ]
    )
    accounts = [*wallets, *pockets, *projects]
    assert_books(observer, {each: pgwallet.balance(observer, each) for each in accounts})
