"""A storm through a router: 8 customers, 2 operators, one who refunds what has expired, and one who
kills servers and ends sessions of the router and of the shards, whatever they are about.

A call that was broken off is made again, with its key, until it is answered. Calls with keys have
one effect however often that was; of the others nobody knows, and it shows in the ledger.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from random import Random
from traceback import format_exc
from typing import ClassVar

import psycopg
from psycopg import IsolationLevel

import pgwallet
from tests.catalogue.calls import given_to
from tests.cluster.killing import Killable
from tests.faults.server import KillableServer
from tests.ledger.calling import value
from tests.storm.plans import WEIGHTS
from tests.storm.shared import Plan
from tests.storm.told import Record
from tests.storm.workers import DEADLINE, Connection, Storm, Worker, seal, watch

SHARDS_AGREE = 8  # the invariant
CUSTOMERS = 8
OPERATORS = 2
PAUSE_BETWEEN_CRASHES = 0.4  # seconds
PAUSE_BETWEEN_REFUNDS = 0.2
PAUSE_WHILE_DOWN = 0.02
PATIENCE = 60.0  # seconds, after which a call that is broken off again and again has failed

AS_CUSTOMER = {name: WEIGHTS[name] for name in given_to("app") if name in WEIGHTS}
AS_OPERATOR = {name: each for name, each in WEIGHTS.items() if name not in AS_CUSTOMER}
# What says that something else is the matter.
FINAL = (
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.InvalidAuthorizationSpecification,
)
SOME_SESSIONS = """
select count(pg_terminate_backend(a.pid)) from pg_stat_activity as a
where a.backend_type = 'client backend' and a.pid <> pg_backend_pid() and random() < 0.3
"""


class RoutedStorm(Storm):
    """`app` and `operator` are connection strings of the router of what is killed."""

    def __init__(self, app: str, operator: str, killable: Killable, seed: str) -> None:
        super().__init__(operator, IsolationLevel.READ_COMMITTED, seed, 0)
        self.app = Storm(app, IsolationLevel.READ_COMMITTED, seed, 0).conninfo
        self.killable = killable
        self.sessions = ExitStack()
        self.answered: set[Worker] = set()  # since nothing crashes
        self.ended = 0
        self.crashes = 0

    def worker(self, number: int) -> "Insistent":
        return Insistent(self, number, WEIGHTS, self.conninfo)

    def crew(self, connections: int) -> list[Worker]:
        customers = [
            Insistent(self, number, AS_CUSTOMER, self.app) for number in range(1, CUSTOMERS + 1)
        ]
        operators = [
            Insistent(self, number, AS_OPERATOR, self.conninfo)
            for number in range(CUSTOMERS + 1, CUSTOMERS + OPERATORS + 1)
        ]
        return [*customers, *operators, Reaper(self, 0, WEIGHTS, self.conninfo)]

    def besides(self) -> list[Callable[[], None]]:
        return [partial(watch, self), partial(seal, self), self.crash]

    def attend(self, work: Callable[[], None]) -> None:
        """Again, where its session was ended."""
        while not self.over.is_set():
            try:
                work()
            except FINAL:
                self.fail(format_exc())
            except psycopg.OperationalError:
                self.over.wait(PAUSE_WHILE_DOWN)
            except Exception:
                self.fail(format_exc())

    def crash(self) -> None:
        chance = Random(f"{self.seed} crasher")
        while not self.over.wait(chance.uniform(0, 2 * PAUSE_BETWEEN_CRASHES)):
            if chance.random() < 0.5:
                self.let_everybody_be_answered()
            server = chance.choice([*self.killable.shards, self.killable.routers])
            if chance.random() < 0.5:
                self.ended += sessions_ended(server)
            else:
                self.crashes += 1
                server.kill()
                server.start()

    def let_everybody_be_answered(self) -> None:
        """So that on a slow machine long calls get through as well."""
        self.answered.clear()
        while len(self.answered) <= CUSTOMERS + OPERATORS:
            if self.over.wait(0.05):
                return

    def for_seconds(self, seconds: float) -> None:
        """Returns after that time, and once all of it was seen, or the storm is over."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends or not (self.checks and self.crashes and self.ended):
            if self.over.wait(0.05) or time.monotonic() > ends + DEADLINE:
                return

    def is_wrong(self, violation: pgwallet.Violation) -> bool:
        """What a call left on one shard, its repeat completes, once the others are back."""
        return violation.invariant != SHARDS_AGREE

    def has_parts(self, account: str) -> bool:
        """What is everywhere has an id below the ranges of all shards."""
        return int(account) < 1 << 46

    def summary(self) -> str:
        return (
            f"{super().summary()}; {self.crashes} servers killed, {self.ended} sessions ended, "
            f"{len(self.unsure)} attempts with them"
        )


def sessions_ended(server: KillableServer) -> int:
    """Of everybody there: customers of a router, or routers of shards; some of them."""
    with suppress(psycopg.OperationalError), psycopg.connect(server.conninfo) as admin:
        return int(value(admin, SOME_SESSIONS))
    return 0


class Insistent(Worker):
    """Makes a call again until it is answered, by a new session where the last one was ended."""

    WAYS: ClassVar = {"alone": 1}
    KEYED = 1

    storm: RoutedStorm

    def __init__(
        self, raging: RoutedStorm, number: int, weights: dict[str, int], conninfo: str
    ) -> None:
        super().__init__(raging, number, weights)
        self.conninfo = conninfo
        self.session: Connection | None = None

    def work(self) -> None:
        while not self.storm.over.is_set():
            self.turn(self.connected(), self.planned())
            self.storm.answered.add(self)

    def planned(self) -> Plan:
        return self.planner.next()

    def hear(self, conn: Connection, plan: Plan, heard: list[Record] | None = None) -> list[Record]:
        """On whichever session there is."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return super().hear(self.connected(), plan, heard)
            except FINAL:
                raise
            except pgwallet.PgWalletError:
                if "wallet_ids" in plan.arguments:
                    # Other shards may have done their parts.
                    self.storm.unsure.append(plan)
                raise
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                self.storm.unsure.append(plan)
                time.sleep(PAUSE_WHILE_DOWN)

    def surely(self, conn: Connection, plan: Plan) -> list[Record]:
        return self.hear(conn, plan)

    def connected(self) -> Connection:
        if self.session is None or self.session.closed:
            self.session = psycopg.connect(self.conninfo, autocommit=True)
            self.storm.sessions.callback(self.session.close)
        return self.session


class Reaper(Insistent):
    """Refunds what has expired."""

    def planned(self) -> Plan:
        self.storm.over.wait(PAUSE_BETWEEN_REFUNDS)
        return Plan("refund_expired_escrows", {"limit": 100})
