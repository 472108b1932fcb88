"""Waits for the locks of a deployment in short tries, and says who is in the way."""

import logging
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from psycopg import errors

from .connecting import DeploymentError

logger = logging.getLogger("pgwallet")

T = TypeVar("T")

# Whoever calls waits behind who waits for a table, and on for the rest of the try, which may wait
# for more tables: all waiting of a try has to be short. Once its time is used up, a lock that is to
# be had still gets a moment.
_ONE_LOCK = 0.2  # seconds
_ONE_TRY = 0.4
_MOMENT = 0.02
_FIRST_PAUSE = 0.1  # seconds, twice as long each time
_LONGEST_PAUSE = 2.0

LOCK_DEPLOYMENT = "select pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0))"

# Who has the lock of deployments, or else one of a table of pgwallet. Of the sessions of others a
# role without pg_read_all_stats sees no state and no time.
_HOLDERS = """
select
  l.virtualtransaction, l.pid, a.usename, a.application_name, a.state,
  extract(epoch from clock_timestamp() - a.xact_start)::float8,
  coalesce(array_agg(distinct c.relname::text) filter (where c.relkind in ('r', 'v', 'S')), '{}')
from pg_locks as l
left join pg_stat_activity as a on a.pid = l.pid
left join pg_class as c on c.oid = l.relation and l.locktype = 'relation'
left join pg_namespace as n on n.oid = c.relnamespace
where l.granted and l.pid is distinct from pg_backend_pid()
  and l.database = (select d.oid from pg_database as d where d.datname = current_database())
  and case
    when %s then
      l.locktype = 'advisory' and l.objsubid = 1
      and (l.classid::bigint << 32) | l.objid::bigint = hashtextextended('pgwallet.deployment', 0)
    else n.nspname = 'pgwallet'
  end
group by l.pid, l.virtualtransaction, a.usename, a.application_name, a.state, a.xact_start
order by a.xact_start, l.pid
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """A transaction that holds what a deployment may need; `key` is of it alone, unlike `pid`."""

    key: str
    pid: int | None
    user: str | None
    application: str | None
    state: str | None
    seconds: float | None
    tables: list[str]

    def __str__(self) -> str:
        if self.pid is None:
            return f"a prepared transaction ({self.key}, see pg_prepared_xacts){self._holding}"
        told = [self.application or "without a name", f"role {self.user}"]
        if self.state is None:
            told.append("pg_read_all_stats would show its state")
        else:
            told.append(f"{self.state}, for {self.seconds or 0:.0f} s")
        return f"pid {self.pid} ({', '.join(told)}){self._holding}"

    @property
    def _holding(self) -> str:
        return f" with {', '.join(self.tables)}" if self.tables else ""


class Waiting:
    """Tries that are repeated for as long as somebody holds what they need."""

    def __init__(self, conn: psycopg.Connection, patience: float) -> None:
        self._conn = conn
        self._patience = patience
        self._step = ""
        self._advisory = False
        self._begun: float | None = None
        self._told: frozenset[str] = frozenset()

    def lock_deployment(self) -> None:
        """A step of a try: no other deployment is under way then."""
        self.step("the lock of deployments")
        self._advisory = True
        self._conn.execute(LOCK_DEPLOYMENT)
        self._begun = None  # nobody waits behind that

    def step(self, what: str) -> None:
        """Says what the try needs next, in case that it waits."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        left = max(self._begun + _ONE_TRY - now, _MOMENT)
        timeout = f"{min(left, _ONE_LOCK) * 1000:.0f}ms"
        self._conn.execute("select set_config('lock_timeout', %s, true)", [timeout])
        self._step, self._advisory = what, False

    def repeat(self, attempt: Callable[[], T]) -> T:
        """Runs it in a transaction, again whenever a lock was not to be had, until time is up."""
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            self._begun = None
            try:
                with self._conn.transaction():
                    return attempt()
            except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
                left = deadline - time.monotonic()
                length = random.uniform(pause / 2, pause)
                holders = self._who_stay(min(length, max(left, _FIRST_PAUSE)))
                if left <= 0:
                    raise DeploymentError(self._refusal(holders)) from error
                self._tell(holders)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _holders(self) -> list[Holder]:
        with self._conn.transaction():
            return [Holder(*row) for row in self._conn.execute(_HOLDERS, [self._advisory])]

    def _who_stay(self, seconds: float) -> list[Holder]:
        """Those who are there before a pause and after it; others come and go."""
        before = {holder.key for holder in self._holders()}
        time.sleep(seconds)
        return [holder for holder in self._holders() if holder.key in before]

    def _tell(self, holders: list[Holder]) -> None:
        """Names each of them once."""
        keys = frozenset(holder.key for holder in holders)
        if not keys <= self._told:
            self._told |= keys
            logger.warning("migrate waits for %s; in the way: %s", self._step, _listed(holders))

    def _refusal(self, holders: list[Holder]) -> str:
        return (
            f"in {self._patience:g} s {self._step} was not to be had; nothing was changed. In the "
            f"way: {_listed(holders)}. Wait for it or end it with pg_terminate_backend, then run "
            "migrate again; --wait gives it more time"
        )


def _listed(holders: Iterable[Holder]) -> str:
    return "; ".join(map(str, holders)) or "nobody any more"
