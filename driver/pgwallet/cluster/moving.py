"""Moves a whole shard to another server, while calls go on but for the last moment.

Logical replication copies the shard and follows it. Then, within one short pause in which calls
wait: routers hold their calls back, the tables of the old place are locked, what is still on its
way arrives, sequences are carried over, the old place is told to refuse each change from now on,
and routers are led to the new one. Until the old place has been told nothing is decided: a failure
leaves all as it was. After that the same call again completes it.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgwallet import deployment
from pgwallet.deployment import DeploymentError
from pgwallet.deployment.code import read_code
from pgwallet.deployment.comparing import compare as compare_ledger

from .code import shard_tables
from .copying import Copy, check_new_place, empty_new_place
from .file import ClusterFile, Shard, shard_at
from .making import run
from .making_routers import point_to_shards, reach
from .making_shards import make_role, write_shard_calls
from .members import Identity, identity_of, member, place_of, reached

logger = logging.getLogger("pgwallet")

# Those who call directly wait behind who waits for a table, so that each try has to be short.
_TRY = "500ms"
_BETWEEN_TRIES = 1.0  # seconds

# Calls on that shard alone share it, those on several the table.
_LOCK_SHARD = "select pg_advisory_xact_lock(hashtextextended('pgwallet_router.gate', %s))"

_TABLES = """
select string_agg(c.oid::regclass::text, ', ' order by c.oid)
from pg_class as c
where c.relnamespace in ('pgwallet'::regnamespace, 'pgwallet_shard'::regnamespace)
  and c.relkind = 'r'
"""


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What a move did: `shard` as the file has to have it now, how long it copied, and how long
    calls had to wait; both None where it completed one that had been broken off."""

    shard: Shard
    copied: float | None
    paused: float | None


class _TooSlowError(Exception):
    """What was on its way did not arrive within the pause."""


def move(
    cluster: ClusterFile,
    number: int,
    conninfo: str,
    *,
    through: str | None = None,
    source: str | None = None,
    wait: float = 60.0,
    pause: float = 5.0,
) -> MoveReport:
    """Moves shard `number` to the empty database of `conninfo`, on another server or the same.

    `through` is how routers will reach it, as in the file; `source` is how the new server reaches
    the old one, where that is not as in the file, both without a password, which libpq finds in the
    passfile of the new server's account. Both places need a superuser who logs in, and the old
    server wal_level = logical. Roles that the ledger knows have to be there already.

    Calls go on meanwhile, and wait at the end for `pause` seconds at most. Where somebody holds a
    lock it tries again for `wait` seconds. Afterwards the old place refuses each change: who is
    connected there directly meets 25006. The file has to be changed by whoever owns it.

    Raises DeploymentError; until it says otherwise the shard is where it was. The same call again
    begins anew, or completes what was decided.
    """
    if not 0 <= number < len(cluster.shards):
        raise DeploymentError(
            f"there is no shard {number}: they are 0 to {len(cluster.shards) - 1}"
        )
    old = cluster.shards[number]
    new = shard_at(number, conninfo, through)
    moved = replace(cluster, shards=tuple(new if s is old else s for s in cluster.shards))
    with ExitStack() as stack:
        routers = [
            stack.enter_context(reached(f"router {n}", router))
            for n, router in enumerate(cluster.routers)
        ]
        at_old = stack.enter_context(_as_superuser(f"shard {number}", old.conninfo))
        beside = stack.enter_context(_as_superuser(f"shard {number}", old.conninfo))
        at_new = stack.enter_context(_as_superuser("the new place", conninfo))
        identity = _check_places(at_old, at_new, cluster, number)
        copy = Copy(beside, at_new, number, source or _without_options(old.conninfo))
        if identity.has_moved:
            if identity_of(at_new) != replace(identity, has_moved=False):
                raise DeploymentError(f"shard {number} has moved, and not to this place")
            for router in routers:
                with router.transaction():
                    point_to_shards(router, moved)
            copy.clean_up()
            return MoveReport(new, None, None)

        check_new_place(at_old, at_new, identity)
        copy.check()
        copy.begin()
        began = time.monotonic()
        try:
            _prepare(cluster, new, at_new, identity)
            _start(copy, wait)
            copy.wait_for_tables()
            _grant_again(new)
            for n, router in enumerate(routers):
                _check_way(router, n, moved, new)
            copied = time.monotonic() - began
            paused = _switch(routers, at_old, at_new, copy, moved, wait, pause)
        except BaseException:
            if not _has_moved(beside):
                copy.take_back()
            raise
        copy.clean_up()
        return MoveReport(new, copied, paused)


def _without_options(conninfo: str) -> str:
    said = conninfo_to_dict(conninfo)
    return make_conninfo("", **{key: said[key] for key in said if key not in ("options",)})


@contextmanager
def _as_superuser(name: str, conninfo: str) -> Iterator[psycopg.Connection]:
    """A connection as the role that logged in, whatever role it takes on in the file."""
    with reached(name, conninfo) as conn:
        conn.execute("set role none")
        conn.execute("set search_path = pg_catalog, pg_temp")
        row = conn.execute(
            "select r.rolsuper, r.rolname from pg_roles as r where r.rolname = current_user"
        ).fetchone()
        if row is None or not row[0]:
            raise DeploymentError(
                f"{name}: role {conn.info.user} is no superuser, and logical replication of a "
                "whole database needs one on both servers"
            )
        yield conn


def _check_places(
    at_old: psycopg.Connection, at_new: psycopg.Connection, cluster: ClusterFile, number: int
) -> Identity:
    identity = identity_of(at_old)
    wanted = Identity(cluster.name, number, len(cluster.shards))
    if identity is None or replace(identity, has_moved=False) != wanted:
        raise DeploymentError(f"shard {number}: this database is {identity or 'no shard'}")
    if place_of(at_old) == place_of(at_new):
        raise DeploymentError("the new place is where the shard is already")
    with at_old.transaction():
        status = compare_ledger(at_old, read_code())
    if status.pending or status.unknown or status.functions_differ:
        raise DeploymentError(
            f"shard {number} has another version than this pgwallet {read_code().version}; run "
            "pgwallet cluster migrate first"
        )
    return identity


def _prepare(
    cluster: ClusterFile, new: Shard, at_new: psycopg.Connection, identity: Identity
) -> None:
    """Makes the new place a shard like the old one, without a row."""
    with member("the new place", new.conninfo) as conn:
        deployment.migrate(new.conninfo)
        with conn.transaction():
            conn.execute("set local search_path = pg_catalog, pg_temp")
            run(conn, shard_tables())
            make_role(conn, cluster.role)
            write_shard_calls(conn, cluster)
    empty_new_place(at_new)
    at_new.execute(
        "insert into pgwallet_shard.identity (cluster, shard, shard_count, is_adopted) "
        "values (%s, %s, %s, %s)",
        [identity.cluster, identity.shard, identity.shard_count, identity.is_adopted],
    )


def _start(copy: Copy, wait: float) -> None:
    try:
        copy.start(wait)
    except errors.LockNotAvailable as error:
        raise DeploymentError(
            f"in {wait:g} s a transaction that writes on the shard did not end, and a copy begins "
            "between those; end it, or give it more time"
        ) from error


def _grant_again(new: Shard) -> None:
    """The accesses that the rows that have come remember."""
    with member("the new place", new.conninfo) as conn:
        for access, role in conn.execute(
            "select g.access, g.role_name from pgwallet.role_grant as g "
            "inner join pg_roles as r on r.rolname = g.role_name"
        ).fetchall():
            conn.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])


def _check_way(router: psycopg.Connection, number: int, moved: ClusterFile, new: Shard) -> None:
    """Refuses a new place that a router would not reach: it looks there and goes back."""
    with router.transaction(force_rollback=True):
        point_to_shards(router, moved)
        problem = reach(router, moved, new)
    if problem:
        raise DeploymentError(f"router {number} does not reach the new place: {problem}")


def _has_moved(at_old: psycopg.Connection) -> bool:
    try:
        identity = identity_of(at_old)
    except psycopg.Error:
        # Nobody knows, so nothing is taken away.
        return True
    return identity is not None and identity.has_moved


def _switch(
    routers: list[psycopg.Connection],
    at_old: psycopg.Connection,
    at_new: psycopg.Connection,
    copy: Copy,
    moved: ClusterFile,
    wait: float,
    pause: float,
) -> float:
    """Tries until nobody is in the way; returns for how long calls waited."""
    deadline = time.monotonic() + wait
    while True:
        began = time.monotonic()
        try:
            _try_switch(routers, at_old, at_new, copy, moved, began + pause)
        except (errors.LockNotAvailable, errors.DeadlockDetected, _TooSlowError) as error:
            if time.monotonic() > deadline:
                raise DeploymentError(
                    f"in {wait:g} s there was no moment for it: {_said(error)}. The shard is "
                    "where it was; end what holds it, or give it more time"
                ) from error
            logger.info("calls go on: %s; trying again", _said(error))
            time.sleep(_BETWEEN_TRIES)
        else:
            return time.monotonic() - began


def _said(error: Exception) -> str:
    if isinstance(error, _TooSlowError):
        return "what was on its way did not arrive in time"
    return "a transaction holds a lock of a table of the shard, or a router's call does not end"


def _try_switch(
    routers: list[psycopg.Connection],
    at_old: psycopg.Connection,
    at_new: psycopg.Connection,
    copy: Copy,
    moved: ClusterFile,
    deadline: float,
) -> None:
    everybody = [*routers, at_old]
    try:
        for conn in everybody:
            conn.execute("begin")
            conn.execute(sql.SQL("set local lock_timeout = {}").format(_TRY))
        for router in routers:
            router.execute("lock table pgwallet_router.gate in access exclusive mode")
            router.execute(_LOCK_SHARD, [copy.shard])
        (tables,) = at_old.execute(_TABLES).fetchone() or ("",)
        at_old.execute(f"lock table {tables} in share row exclusive mode".encode())
        if not copy.arrived(deadline):
            raise _TooSlowError
        copy.carry_sequences()
        for router in routers:
            point_to_shards(router, moved)
        at_old.execute("select pgwallet_shard.mark_moved()")
        at_old.execute("commit")
        # Decided: whatever happens now, the old place refuses.
        for number, router in enumerate(routers):
            try:
                router.execute("commit")
            except psycopg.Error as error:
                raise DeploymentError(
                    f"router {number} was not led to the new place; the shard is there: run move "
                    "again with the same arguments"
                ) from error
    except BaseException:
        for conn in everybody:
            if not conn.closed and conn.info.transaction_status != 0:
                conn.execute("rollback")
        raise
