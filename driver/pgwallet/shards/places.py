"""Which shard a name or an id is on, and where that is: what needs no connection."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import tuple_row

from .._call import Name
from .._connection import AsyncConnection, Connection
from .._function import database_function
from .._parameters import as_id, as_name
from ..deployment import DeploymentError
from ..errors import InvalidArgument

LIST_SHARDS = b"select shard, place, is_adopted from pgwallet.list_shards() order by shard"
SHARD_OF = b"select shard from pgwallet.shard_of(%s::bigint, %s::text)"

# A shard that was left behind still answers who only reads, so the router is asked now and then;
# seconds, and those after a router that did not answer.
_GOOD_FOR = 10.0
_AGAIN_AFTER = 60.0

# Who asks is the same everywhere; these say where.
_PLACE = frozenset(
    {"host", "hostaddr", "port", "dbname", "target_session_attrs", "load_balance_hosts"}
)
_SLOTS = 1024
_SHARD_BITS = 46


@dataclass(frozen=True, slots=True)
class ShardPlace:
    """One shard, from 0 on, and its connection string without user and password."""

    shard: int
    place: str


@database_function
def shard_of(subject_id: int | None = None, owner_id: Name | None = None) -> ShardPlace | None:
    """Where an id or an owner is, asked of a router.

    Returns the `ShardPlace`, or None for what is on all shards: a project, or an account of a
    currency. An id says its shard by itself, so none is looked up, and one that was never given has
    a shard, too.
    Raises InvalidArgument without either or with both. Calls the SQL function pgwallet.shard_of,
    which a router has, and no other database.
    """


def slot_of(name: str) -> int:
    """The slot of an owner, as the database computes it from the same text."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:2]) % _SLOTS


class Places:
    """The shards that a router told of, and the connection string of each."""

    def __init__(self, router: str) -> None:
        self.router = router
        self.known: tuple[str, ...] = ()
        self._has_adopted = False
        self._due = 0.0

    def are_due(self) -> bool:
        """Whether to ask the router, which whoever is told so does."""
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + _AGAIN_AFTER
        return True

    def learn(self, rows: Sequence[tuple[int, str, bool]]) -> list[int]:
        """Takes what the router says; returns the shards that were somewhere else before."""
        told = tuple(place for _, place, _ in rows)
        if not told or [shard for shard, *_ in rows] != [*range(len(rows))]:
            raise DeploymentError(_NO_ROUTER)
        moved = [n for n, place in enumerate(self.known) if n < len(told) and told[n] != place]
        self.known = told
        self._has_adopted = any(is_adopted for *_, is_adopted in rows)
        self._due = time.monotonic() + _GOOD_FOR
        return moved

    def number(
        self, subject_id: int | None, owner_id: Name | None = None, shard: int | None = None
    ) -> int | None:
        """The shard of an id or of an owner, or the one that is named; None: a router knows.

        That is where the first shard was a ledger before: it has owners of any slot, and ids that
        look like those of projects.
        """
        if [subject_id, owner_id, shard].count(None) != 2:
            raise TypeError("give the id of a wallet, pocket or escrow, or an owner_id, or a shard")
        if shard is not None:
            if not 0 <= shard < len(self.known):
                raise IndexError(f"shards count from 0 to {len(self.known) - 1}; {shard} is none")
            return shard
        if owner_id is not None:
            home = slot_of(as_name("owner_id", owner_id)) % len(self.known)
            return None if home and self._has_adopted else home
        assert subject_id is not None
        of_id = (as_id("subject_id", subject_id) >> _SHARD_BITS) - 1
        if of_id == -1 and self._has_adopted:
            return None if subject_id % _SLOTS == 0 else 0
        if not 0 <= of_id < len(self.known):
            raise self.nowhere(subject_id)
        return of_id

    def nowhere(self, subject_id: int | None) -> InvalidArgument:
        """What to raise for an id that is on no shard alone."""
        return InvalidArgument(
            f"{subject_id} is on no shard alone",
            f"The cluster has {len(self.known)} shards; projects are on all of them.",
            "Ask the router for what concerns a project as a whole.",
        )

    def conninfo(self, shard: int) -> str:
        """As who asks the router, where the shard is.

        A place without a host is on the router's own machine.
        """
        asking = conninfo_to_dict(self.router)
        place = conninfo_to_dict(self.known[shard])
        said = {key: value for key, value in asking.items() if key not in _PLACE}
        if not {"host", "hostaddr"} & set(place):
            said |= {key: asking[key] for key in ("host", "hostaddr", "port") if key in asking}
        return make_conninfo("", **{**said, **place})


_NO_ROUTER = (
    "this database is no router of a cluster: give pgwallet.Cluster the connection string of one, "
    "or call the functions on a psycopg connection if you have one database"
)


def no_router(error: psycopg.Error) -> Exception:
    """What it means that a database does not tell of shards."""
    if isinstance(error, errors.UndefinedFunction | errors.InvalidSchemaName):
        return DeploymentError(_NO_ROUTER)
    return error


def not_reached(shard: int, error: psycopg.Error) -> psycopg.Error:
    """08001, as a router says it: nothing was done there, and it may work the next time."""
    said = str(error).strip() or type(error).__name__
    return errors.SqlclientUnableToEstablishSqlconnection(
        f"shard {shard} cannot be reached: {said}"
    )


def is_left_behind(conn: Connection | AsyncConnection, error: psycopg.Error) -> bool:
    """Whether it is the database that refuses to write, since it has moved or a standby has taken
    over, and not a transaction."""
    return "refuse_moved" in (error.diag.context or "") or "on" in (
        conn.info.parameter_status("default_transaction_read_only"),
        conn.info.parameter_status("in_hot_standby"),
    )


def is_lost(conn: Connection | AsyncConnection, error: BaseException) -> bool:
    return isinstance(error, psycopg.OperationalError) and conn.closed


def asking(settings: dict[str, Any]) -> dict[str, Any]:
    """How to connect to a router to ask it, which nobody may wait for for long."""
    return {"connect_timeout": 5, **settings, "autocommit": True, "row_factory": tuple_row}


def settings_of(autocommit: bool, given: dict[str, Any]) -> dict[str, Any]:
    """How to connect. It prepares nothing unless told to: a pooler may be between, behind which the
    name of a prepared statement can stand for that of another client."""
    return {
        "autocommit": autocommit,
        "prepare_threshold": None,
        "fallback_application_name": "pgwallet",
        **given,
    }
