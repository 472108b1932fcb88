"""A call whose connection was cut has moved its money once, when it is made again with its key."""

import random
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from tests.catalogue.calls import KEYED
from tests.catalogue.keyed_calls import KeyedCall, keyed_call, recorded
from tests.catalogue.world import world_in
from tests.conftest import Connect
from tests.faults.attempts import WAYS, Attempt
from tests.faults.campaign import BATCHES, Progress, campaign_in, check_complete, check_interrupted
from tests.faults.relay import Cut, Relay, at_byte, before_answer_to_commit, before_commit, relay_to
from tests.faults.releasing import by_driver
from tests.faults.repeating import count, repeatedly
from tests.faults.server import KillableServer
from tests.faults.watching import wait_until_gone
from tests.ledger.calling import value

CUTS = ["before_commit", "before_its_answer", "anywhere"]


@repeatedly
@pytest.mark.parametrize("where", CUTS)
def test_every_call_moves_its_money_once_though_its_connection_was_cut(
    killable: KillableServer, database: str, connect: Connect, where: str, number: int
) -> None:
    rng = random.Random(number)
    observer = connect(autocommit=True)
    with relay_to(killable.socket) as relay:
        conninfo = relay.conninfo(database)
        for name in KEYED[number % 3 :: 3]:  # three numbers take them all
            with observer.transaction():
                world = world_in(observer, f" of {name}")
            call = keyed_call(name, name, [(world, 10), (world, 5)])
            way = rng.choice(WAYS)
            cut = cut_of_call(where, relay, conninfo, call, rng)
            transactions, keys = count_transactions(observer), recorded(observer).keys()

            first = Attempt(call.run, partial(setattr, relay, "cut", cut))
            with pytest.raises(psycopg.OperationalError):
                way(first, conninfo)
            assert relay.cut is None, "the connection was not cut"

            again = Attempt(call.run, lambda: None)
            way(again, conninfo)  # at once: the first one may still be at work

            assert count_transactions(observer) == transactions + len(call.moves)
            moved = {
                key: moves for key, (_, moves) in recorded(observer).items() if key not in keys
            }
            assert moved == call.moves
            assert pgwallet.check_ledger(observer) == []
            (seen,) = again.seen
            assert is_replay(seen.result) == (writers(observer, call) != {seen.transaction_id})
            count("connection of a call cut", is_replay(seen.result))
            if where == "before_commit":
                assert not is_replay(seen.result)
            if where == "before_its_answer":
                # Once: whether it was committed is not for run_transaction to guess.
                assert [replay_of(each.result) for each in first.seen] == [seen.result]


@repeatedly
@pytest.mark.parametrize("where", CUTS)
def test_a_release_goes_on_after_its_connection_was_cut(
    killable: KillableServer, database: str, connect: Connect, where: str, number: int
) -> None:
    rng = random.Random(number)
    conn = connect()
    campaign = campaign_in(conn, rng)
    told: Progress = []
    last = rng.randint(2, BATCHES - 2)  # batches before the cut
    with relay_to(killable.socket) as relay:
        conninfo = make_conninfo(relay.conninfo(database), application_name="cut")
        with psycopg.connect(conninfo) as releaser:

            def tell(progress: tuple[int, Decimal]) -> None:
                told.append(progress)
                if len(told) == last:
                    relay.cut = {
                        "before_commit": before_commit(),
                        "before_its_answer": before_answer_to_commit(),
                        # About as much as passes for a batch, or less.
                        "anywhere": at_byte(rng.randrange(relay.passed // last)),
                    }[where]

            with pytest.raises(psycopg.OperationalError):
                by_driver(releaser, campaign.project_id, tell)
    wait_until_gone(conn, "cut")
    conn.commit()
    untold = check_interrupted(conn, campaign, told)
    if where == "anywhere":
        assert untold <= 1
    else:
        assert untold == (where == "before_its_answer")
    count("connection of a release cut", untold)
    conn.commit()

    told_later: Progress = []
    by_driver(connect(autocommit=True), campaign.project_id, told_later.append)
    check_complete(conn, campaign, told_later)


def cut_of_call(
    where: str, relay: Relay, conninfo: str, call: KeyedCall, rng: random.Random
) -> Cut:
    if where == "before_commit":
        return before_commit()
    if where == "before_its_answer":
        return before_answer_to_commit()
    with psycopg.connect(conninfo) as conn:
        before = relay.passed
        call.run(conn)
        conn.rollback()
        return at_byte(rng.randrange(relay.passed - before))


def count_transactions(conn: psycopg.Connection) -> int:
    return int(value(conn, "select count(*) from pgwallet.transaction"))


def writers(conn: psycopg.Connection, call: KeyedCall) -> set[int]:
    """Ids of PostgreSQL's own transactions that have used the keys."""
    rows = conn.execute(
        "select xmin::text::bigint from pgwallet.transaction where idempotency_key = any (%s)",
        [list(call.moves)],
    ).fetchall()
    return {row[0] for row in rows}


def replay_of(result: Any) -> Any:
    if isinstance(result, list):
        return [replace(row, replayed=True) for row in result]
    return replace(result, replayed=True)


def is_replay(result: Any) -> bool:
    (replayed,) = {row.replayed for row in (result if isinstance(result, list) else [result])}
    assert isinstance(replayed, bool)
    return replayed
