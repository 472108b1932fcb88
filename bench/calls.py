"""Every call that moves money, and the two that read a wallet, through the driver."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from itertools import cycle, islice
from uuid import uuid4

import psycopg

import pgwallet
from bench.contest import Sample
from tests.catalogue.call_of import without_prefix
from tests.catalogue.calls import CALLS, MOVING
from tests.catalogue.world import world_in

MANY = 100  # elements of a bulk call, escrows of a batch
CENT = Decimal("0.01")

# The rows of deposit_many by one bare statement.
BARE_DEPOSITS = """
  with credited as (
    update pgwallet.account set balance = balance + 1.00 where account_id = any (%s)
    returning account_id, external_account_id, balance, nextval('pgwallet.transaction_id_seq') as id
  ),

  recorded as (
    insert into pgwallet.transaction (transaction_id, kind) select id, 'deposit' from credited
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select id, external_account_id, account_id, 1.00, balance from credited
  returning transaction_id, destination_account_id, destination_balance, false
"""

Ready = Callable[[], object]


class Calls:
    """Calls in one ledger, on wallets drawn from all that it has.

    Each method returns so many calls, ready to be made: what they need, an escrow for instance,
    is there, so that nothing but the calls is timed.
    """

    def __init__(
        self, conn: psycopg.Connection, pockets: int = 5, project_id: int | None = None
    ) -> None:
        """`project_id` is the project that is pledged to; without it there is a new one."""
        self._conn = conn
        self.backend_pid = conn.info.backend_pid
        drawn = conn.execute(
            "select w.wallet_id from pgwallet.wallet as w order by random() limit 1000"
        )
        wallets = [row[0] for row in drawn]
        self._savers = [
            pgwallet.create_wallet(conn, f"saver {uuid4()}").wallet_id for _ in range(MANY)
        ]
        pgwallet.deposit_many(conn, wallets, [100_000] * len(wallets))
        pgwallet.deposit_many(conn, self._savers, [100_000] * MANY)
        self._wallets = cycle(wallets)
        self._pockets = [
            pgwallet.create_pocket(conn, wallet, f"pocket {uuid4()}", 100 // pockets).pocket_id
            for wallet in self._savers
            for n in range(pockets)
        ]
        pgwallet.allocate_deposits(conn, self._savers, [10_000] * MANY)
        self._project_id = project_id or self._project()
        for escrow_id in self._escrows(self._project_id, MANY):  # something to pay out
            pgwallet.release_escrow(conn, escrow_id)
        conn.execute("vacuum analyze")

    def ready(self, name: str, count: int) -> list[Ready]:
        """By the method of this name; of a function that has none, by the catalogue."""
        made: list[Ready] = (
            getattr(self, name)(count) if name in vars(Calls) else self.as_catalogued(name, count)
        )
        return made

    def as_catalogued(self, name: str, count: int) -> list[Ready]:
        """Good calls in a world of their own, too small ones to use up what is in it."""
        call = CALLS[name]
        with self._conn.transaction():
            good = call.good(world_in(self._conn, f" {uuid4()}"), CENT)
        arguments = {
            argument: value * MANY if isinstance(value, list) else value
            for argument, value in without_prefix(good).items()
        }
        return [partial(getattr(pgwallet, name), self._conn, **arguments)] * count

    def deposit(self, count: int) -> list[Ready]:
        return [partial(pgwallet.deposit, self._conn, w, 1) for w in self._some(count)]

    def withdraw(self, count: int) -> list[Ready]:
        return [partial(pgwallet.withdraw, self._conn, w, 1) for w in self._some(count)]

    def deposit_many(self, count: int) -> list[Ready]:
        ones = [1] * MANY
        call = pgwallet.deposit_many
        return [partial(call, self._conn, self._some(MANY), ones) for _ in range(count)]

    def bare_deposits(self, count: int) -> list[Ready]:
        """What deposit_many comes to without a function or a check."""
        call = self._conn.execute
        return [partial(call, BARE_DEPOSITS, [self._some(MANY)]) for _ in range(count)]

    def allocate_deposit(self, count: int) -> list[Ready]:
        savers = islice(cycle(self._savers), count)
        return [partial(pgwallet.allocate_deposit, self._conn, w, 1) for w in savers]

    def allocate_deposits(self, count: int) -> list[Ready]:
        ones = [1] * MANY
        return [partial(pgwallet.allocate_deposits, self._conn, self._savers, ones)] * count

    def transfer_to_pocket(self, count: int) -> list[Ready]:
        pockets = islice(cycle(self._pockets), count)
        return [partial(pgwallet.transfer_to_pocket, self._conn, k, 1) for k in pockets]

    def transfer_from_pocket(self, count: int) -> list[Ready]:
        pockets = islice(cycle(self._pockets), count)
        return [partial(pgwallet.transfer_from_pocket, self._conn, k, 1) for k in pockets]

    def pledge(self, count: int) -> list[Ready]:
        project_id = self._project_id
        return [partial(pgwallet.pledge, self._conn, w, project_id, 1) for w in self._some(count)]

    def pledge_many(self, count: int) -> list[Ready]:
        ones, project_id = [1] * MANY, self._project_id
        call = pgwallet.pledge_many
        return [partial(call, self._conn, project_id, self._some(MANY), ones) for _ in range(count)]

    def release_escrow(self, count: int) -> list[Ready]:
        escrows = self._escrows(self._project_id, count)
        return [partial(pgwallet.release_escrow, self._conn, e) for e in escrows]

    def refund_escrow(self, count: int) -> list[Ready]:
        escrows = self._escrows(self._project_id, count)
        return [partial(pgwallet.refund_escrow, self._conn, e) for e in escrows]

    def release_escrows(self, count: int) -> list[Ready]:
        return self._batches(pgwallet.release_escrows, "succeeded", count)

    def refund_escrows(self, count: int) -> list[Ready]:
        return self._batches(pgwallet.refund_escrows, "failed", count)

    def refund_expired_escrows(self, count: int) -> list[Ready]:
        self._conn.execute(
            "select count(*) from unnest(%s::bigint[]) as w (id) cross join lateral "
            "pgwallet.pledge(w.id, %s, 1, clock_timestamp() + interval '500 ms')",
            [self._some(MANY * count), self._project_id],
        )
        time.sleep(0.5)
        return [partial(pgwallet.refund_expired_escrows, self._conn, MANY)] * count

    def payout(self, count: int) -> list[Ready]:
        return [partial(pgwallet.payout, self._conn, self._project_id, CENT)] * count

    def statement(self, count: int) -> list[Ready]:
        return [partial(pgwallet.statement, self._conn, w) for w in self._some(count)]

    def balance(self, count: int) -> list[Ready]:
        return [partial(pgwallet.balance, self._conn, w) for w in self._some(count)]

    def _some(self, count: int) -> list[int]:
        return list(islice(self._wallets, count))

    def _batches(self, call: Callable[..., object], outcome: str, count: int) -> list[Ready]:
        """Each goes on where the one before it ended, as callers do."""
        project_id = self._project()
        escrows = self._escrows(project_id, MANY * count)
        pgwallet.close_project(self._conn, project_id, outcome)
        ends = [0, *escrows[MANY - 1 :: MANY]]
        return [partial(call, self._conn, project_id, MANY, end) for end in ends[:count]]

    def _project(self) -> int:
        return pgwallet.create_project(self._conn, f"project {uuid4()}").project_id

    def _escrows(self, project_id: int, count: int) -> list[int]:
        wallets = self._some(count)
        pledges = pgwallet.pledge_many(self._conn, project_id, wallets, [1] * count)
        return sorted(pledge.escrow_id for pledge in pledges)


# How many calls make a sample: about a tenth of a second's worth of each.
COUNTS = {
    **dict.fromkeys(["deposit", "withdraw", "transfer_to_pocket", "transfer_from_pocket"], 250),
    **dict.fromkeys(["pledge", "allocate_deposit", "release_escrow", "refund_escrow"], 250),
    **dict.fromkeys(["payout", "statement", "balance"], 250),
    **dict.fromkeys(["deposit_many", "pledge_many"], 25),
    "allocate_deposits": 10,
    **dict.fromkeys(["release_escrows", "refund_escrows"], 25),
    "refund_expired_escrows": 5,
}
COUNTS |= {name: 10 if CALLS[name].is_bulk else 250 for name in MOVING if name not in COUNTS}

BARE_COUNT = 25  # of bare_deposits, which is no call


def sample(calls: Calls, name: str) -> Sample:
    """Calls a second of this name, one after the other."""

    def taken() -> float:
        ready = calls.ready(name, COUNTS.get(name, BARE_COUNT))
        with _on_processors_of_their_own(calls.backend_pid):
            start = time.perf_counter()
            for call in ready:
                call()
            return len(ready) / (time.perf_counter() - start)

    return taken


@contextmanager
def _on_processors_of_their_own(backend_pid: int) -> Iterator[None]:
    """Keeps this process and its server process apart: where the system moves them from one
    processor to two and back, short reads take half or twice the time.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(backend_pid, {max(processors)})
    os.sched_setaffinity(0, {min(processors)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)
