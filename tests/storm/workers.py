"""Many connections that call everything at once, and write down what they were told."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from random import Random
from threading import Event
from traceback import format_exc
from typing import Any, ClassVar

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.errors import PgWalletError, refusal
from tests.storm.plans import WEIGHTS, Planner
from tests.storm.shared import PROJECTS, WALLETS, Element, Fact, Plan, Shared
from tests.storm.told import Record, Told, told_by, told_in_notices

logger = logging.getLogger("pgwallet.storm")

# They end transactions of their own, so they are called outside of one.
SETTLING = {
    "release_project": "succeeded",
    "refund_project": "failed",
    "call release_project": "succeeded",
    "call refund_project": "failed",
}
STATEMENT_TIMEOUT = "120s"  # for a machine that is slow; only a call that hangs reaches it
DEADLINE = 60.0  # seconds, in which calls on any machine get on
PAUSE_BETWEEN_SEALS = 0.05  # seconds
PAUSE_BETWEEN_CHECKS = 1.0  # seconds; the rest of the machine is for the storm

Connection = psycopg.Connection[Any]


class Storm:
    """What happened: `records` were acknowledged, `undone` are ids of what was rolled back."""

    def __init__(self, conninfo: str, level: IsolationLevel, seed: str, pause: float) -> None:
        isolation = level.name.lower().replace("_", "\\ ")
        self.conninfo = make_conninfo(
            conninfo,
            options=f"-c default_transaction_isolation={isolation}"
            f" -c statement_timeout={STATEMENT_TIMEOUT}",
        )
        self.level = level
        self.seed = seed
        self.pause = pause
        self.shared = Shared()
        self.over = Event()
        self.records: list[Record] = []
        self.undone: list[int] = []
        self.unsure: list[Plan] = []  # calls that gave no answer, and may have been done
        self.failures: list[str] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.done: set[str] = set()  # what was called with success
        self.calls = 0  # so far; of those that end at the same moment it may miss some
        self.checks = 0

    def connect(self) -> Connection:
        return psycopg.connect(self.conninfo, autocommit=True)

    def attend(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            self.fail(format_exc())

    def fail(self, what: str) -> None:
        self.failures.append(what)
        self.over.set()

    def worker(self, number: int) -> "Worker":
        return Worker(self, number)

    def crew(self, connections: int) -> list["Worker"]:
        """Who calls at the same time."""
        return [self.worker(number) for number in range(1, connections + 1)]

    def besides(self) -> list[Callable[[], None]]:
        """What goes on meanwhile."""
        return [partial(watch, self), partial(seal, self)]

    def is_wrong(self, violation: pgwallet.Violation) -> bool:
        """Whether a check may not find this while the storm goes on."""
        return True

    def has_parts(self, account: str) -> bool:
        """Whether each of several databases has its part of this account."""
        return False

    def until_called(self, calls: int, functions: set[str]) -> None:
        """Returns once the clients have made so many calls, or the storm is over.

        By chance a function may not have done anything by then: it is waited for a while longer.
        """

        def lacks() -> bool:
            return self.calls < calls or (self.calls < 5 * calls and not functions <= self.done)

        while lacks() and not self.over.wait(0.05):
            pass

    def until_told(self, more: int) -> None:
        """Returns once the clients were told so many things more, or the storm is over."""
        enough = len(self.records) + more
        deadline = time.monotonic() + DEADLINE
        while len(self.records) < enough and not self.over.wait(0.01):
            assert time.monotonic() < deadline, f"the calls stand still: {self.records[-1]}"

    def acknowledge(self, heard: list[Record]) -> None:
        for record in heard:
            if isinstance(record, Fact):
                self.shared.learn(record)
            elif isinstance(record, Told) and record.kind and record.moved is not None:
                self.shared.remember_movement(record.transaction_id, record.moved)
        self.records += heard

    def summary(self) -> str:
        by_outcome: Counter[str] = Counter()
        for (_, outcome), count in self.outcomes.items():
            by_outcome[outcome] += count
        counts = ", ".join(f"{count} {outcome}" for outcome, count in by_outcome.most_common())
        level = self.level.name.lower().replace("_", " ")
        return (
            f"{level}: {by_outcome.total()} calls, {counts}; "
            f"the ledger was checked {self.checks} times meanwhile; seed {self.seed}"
        )


@contextmanager
def storm(
    conninfo: str, level: IsolationLevel, seed: str, connections: int, pause: float = 0
) -> Iterator[Storm]:
    """Goes on until the block ends, or something happens that may not.

    With a pause, in seconds, between the calls of a connection it leaves room for other work.
    """
    with raged(Storm(conninfo, level, seed, pause), connections) as raging:
        yield raging


@contextmanager
def raged(raging: Storm, connections: int) -> Iterator[Storm]:
    set_up(raging)
    workers, besides = raging.crew(connections), raging.besides()
    with ThreadPoolExecutor(len(workers) + len(besides)) as threads:
        for work in besides + [worker.work for worker in workers]:
            threads.submit(raging.attend, work)
        try:
            yield raging
        finally:
            raging.over.set()
    for worker in workers:
        raging.outcomes += worker.outcomes
    logger.info("%s", raging.summary())


def set_up(raging: Storm) -> None:
    """Wallets with money and pockets, open projects, and one closed with each outcome."""
    worker = raging.worker(0)
    shared, plans = raging.shared, worker.planner
    with raging.connect() as conn:

        def call(function: str, /, **arguments: Any) -> None:
            raging.acknowledge(worker.hear(conn, Plan(function, arguments)))

        number = 0
        for currency, count in WALLETS.items():
            for _ in range(count):
                call("create_wallet", owner_id=f"owner {number}", currency=currency)
                number += 1
        everybody = [wallet_id for known in shared.wallets.values() for wallet_id in known]
        for wallet_id in everybody:
            for place, percentage in enumerate([30, 20], start=1):
                arguments = {"name": f"pocket {place}", "allocation_percentage": percentage}
                call("create_pocket", wallet_id=wallet_id, **arguments)
        call(
            "deposit_many", **plans.arrays([Element(each, 500, plans.key()) for each in everybody])
        )
        for outcome in ("succeeded", "failed"):
            call("create_project", **plans.project(shared.next_reference("EUR")))
            project_id = shared.projects[-1]
            pledges = plans.arrays([Element(each, 10, plans.key()) for each in everybody[:100]])
            call("pledge_many", project_id=project_id, **pledges)
            call("close_project", project_id=project_id, outcome=outcome)
            shared.closed.append(project_id)
        for currency, count in PROJECTS.items():
            for _ in range(count):
                call("create_project", **plans.project(shared.next_reference(currency)))
        shared.open = [project for project in shared.projects if project not in shared.closed]


def watch(raging: Storm) -> None:
    """Checks the ledger again and again, all of it or what came after some transaction."""
    since = 0
    with raging.connect() as conn:
        # Whoever reads everything as serializable makes everybody else fail.
        conn.execute("set default_transaction_isolation = 'read committed'")
        while not raging.over.wait(PAUSE_BETWEEN_CHECKS):
            found = pgwallet.check_ledger(conn, since)
            violations = [each for each in found if raging.is_wrong(each)]
            raging.checks += 1
            if violations:
                raging.fail(f"while it went on, since {since}: {violations}")
            told = [record for record in raging.records[-100:] if isinstance(record, Told)]
            since = told[0].transaction_id if told and raging.checks % 2 else 0


def seal(raging: Storm) -> None:
    """Seals again and again what came since, while others have ids that they do not commit."""
    with raging.connect() as conn:
        conn.execute("set default_transaction_isolation = 'read committed'")
        while not raging.over.wait(PAUSE_BETWEEN_SEALS):
            pgwallet.seal_ledger(conn)


class Worker:
    """One connection and its dice."""

    # How often it calls in which way.
    WAYS: ClassVar = {"alone": 45, "repeated": 35, "in_a_transaction": 15, "undone_first": 5}
    # So many of its calls have a key.
    KEYED = 0.5

    def __init__(self, raging: Storm, number: int, weights: dict[str, int] = WEIGHTS) -> None:
        self.storm = raging
        self.chance = Random(f"{raging.seed} {number}")
        self.planner = Planner(raging.shared, self.chance, weights, self.KEYED)
        self.outcomes: Counter[tuple[str, str]] = Counter()

    def work(self) -> None:
        with self.storm.connect() as conn:
            while not self.storm.over.wait(self.storm.pause):
                self.turn(conn, self.planner.next())

    def turn(self, conn: Connection, plan: Plan) -> None:
        """Makes the call in one of the ways that clients have."""
        if plan.name in SETTLING:
            way: Callable[[Connection, Plan], list[Record]] = self.alone
        else:
            (name,) = self.chance.choices(list(self.WAYS), list(self.WAYS.values()))
            way = getattr(self, name)
        outcome = self.outcome_of(conn, plan, way)
        self.outcomes[plan.name, outcome] += 1
        if outcome == "done":
            self.storm.done.add(plan.name)
        self.storm.calls += 1
        closing = plan.name in SETTLING or plan.name == "close_project"
        ended = outcome == "PW204" or (closing and outcome == "done")
        if ended and "project_id" in plan.arguments:
            self.replace(conn, plan.arguments["project_id"])
        refused = outcome.startswith("PW")
        lost_a_race = outcome == "40001" and self.storm.level != IsolationLevel.READ_COMMITTED
        if plan.spoiled and not (refused or lost_a_race):
            self.storm.fail(f"{plan} was not refused: {outcome}")
        elif outcome not in ("done", "replayed") and not (refused or lost_a_race):
            self.storm.fail(f"{plan}: {outcome}")

    def outcome_of(
        self, conn: Connection, plan: Plan, way: Callable[[Connection, Plan], list[Record]]
    ) -> str:
        try:
            heard = way(conn, plan)
        except PgWalletError as error:
            return error.sqlstate
        except psycopg.Error as error:
            refused = refusal(error)
            return refused.sqlstate if refused else error.sqlstate or repr(error)
        replays = [record.replayed for record in heard if isinstance(record, Told)]
        return "replayed" if replays and all(replays) else "done"

    def alone(self, conn: Connection, plan: Plan) -> list[Record]:
        """In a transaction of its own; what a settling call did before it failed stays done."""
        heard: list[Record] = []
        try:
            self.hear(conn, plan, heard)
        finally:
            self.storm.acknowledge(heard)
        return heard

    def repeated(self, conn: Connection, plan: Plan) -> list[Record]:
        """As often as needed, through `run_transaction`."""
        heard = pgwallet.run_transaction(conn, lambda conn: self.hear(conn, plan))
        self.storm.acknowledge(heard)
        return heard

    def surely(self, conn: Connection, plan: Plan) -> list[Record]:
        """Whoever else is in the way."""
        return pgwallet.run_transaction(conn, lambda conn: self.hear(conn, plan), 100)

    def in_a_transaction(self, conn: Connection, plan: Plan) -> list[Record]:
        with conn.transaction():
            heard = self.hear(conn, plan)
        self.storm.acknowledge(heard)
        return heard

    def undone_first(self, conn: Connection, plan: Plan) -> list[Record]:
        """Rolled back on purpose, then made again with the same keys, which must be free."""
        plan = self.planner.with_new_keys(plan)
        with conn.transaction():
            undone = self.hear(conn, plan)
            raise psycopg.Rollback
        again = self.repeated(conn, plan)
        for record in undone + again:
            if isinstance(record, Told) and record.replayed:
                self.storm.fail(f"{plan} was rolled back, and its key was not free: {record}")
        self.storm.undone += [r.transaction_id for r in undone if isinstance(r, Told)]
        return again

    def hear(self, conn: Connection, plan: Plan, heard: list[Record] | None = None) -> list[Record]:
        """Makes the call and adds what it told; step by step, if it commits step by step."""
        heard = [] if heard is None else heard
        name = plan.name.removeprefix("call ")
        try:
            if name != plan.name:
                self.hear_notices(conn, plan, name, heard)
            elif plan.name in SETTLING:
                for batch in getattr(pgwallet, name)(conn, **plan.arguments):
                    heard += told_by(self.storm.shared, plan, batch)
            else:
                result = getattr(pgwallet, name)(conn, **plan.arguments)
                heard += told_by(self.storm.shared, plan, result)
        except psycopg.errors.DeadlockDetected as error:
            self.storm.fail(f"{plan}: {error!r}")  # run_transaction would hide it
            raise
        if plan.name in SETTLING:
            heard.append(Fact("outcome", plan.arguments["project_id"], SETTLING[plan.name]))
        return heard

    def hear_notices(self, conn: Connection, plan: Plan, name: str, heard: list[Record]) -> None:
        notices: list[str] = []

        def note(diagnostic: psycopg.errors.Diagnostic) -> None:
            notices.append(diagnostic.message_primary or "")

        conn.add_notice_handler(note)
        try:
            arguments = plan.arguments
            conn.execute(
                f"call pgwallet.{name}(p_project_id => %s, p_batch_size => %s)".encode(),
                [arguments["project_id"], arguments["batch_size"]],
            )
        finally:
            conn.remove_notice_handler(note)
            heard += told_in_notices(notices)

    def replace(self, conn: Connection, project_id: int) -> None:
        """Has a new project stand where one was closed."""
        shared = self.storm.shared
        place = shared.leave(project_id)
        if place is None:
            return
        reference = shared.next_reference(shared.currency[project_id])
        plan = Plan("create_project", self.planner.project(reference))
        for record in self.surely(conn, plan):
            assert isinstance(record, Fact)
            self.storm.acknowledge([record])
            shared.open[place] = record.value
