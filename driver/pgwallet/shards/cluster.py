"""Connections to the shards of a cluster."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol, Self, TypeVar

import psycopg
from psycopg import errors
from psycopg.rows import tuple_row

from .._call import Name
from .._connection import Connection
from ..transactions import run_transaction
from .places import (
    LIST_SHARDS,
    SHARD_OF,
    Places,
    ShardPlace,
    asking,
    is_left_behind,
    is_lost,
    no_router,
    not_reached,
    settings_of,
)

try:
    from psycopg_pool import ConnectionPool
except ImportError:
    _POOLED = False
else:
    _POOLED = True

T = TypeVar("T")


class _Source(Protocol):
    """A ConnectionPool, or what does without."""

    def connection(self) -> AbstractContextManager[Connection]: ...
    def close(self) -> None: ...


class _NewEachTime:
    def __init__(self, conninfo: str, settings: dict[str, Any]) -> None:
        self._conninfo = conninfo
        self._settings = settings

    def connection(self) -> AbstractContextManager[Connection]:
        return psycopg.connect(self._conninfo, **self._settings)

    def close(self) -> None:
        """Nothing is kept open."""


class _OneShard:
    """What `run_transaction` takes for a pool."""

    def __init__(self, connection: Callable[[], AbstractContextManager[Connection]]) -> None:
        self.connection = connection


class Cluster:
    """The way of an application to the shards of a cluster: each call in a transaction of its own.

    `router` is the connection string of a router, which says where the shards are. User, password
    and all other settings are the same for the shards, and so is what `settings` say, which go to
    `psycopg.connect`. With psycopg_pool installed (`pip install 'pgwallet[cluster]'`) up to
    `max_size` connections to each shard are kept open, and `timeout` is how many seconds one is
    waited for; without it each use connects anew. Threads may share a cluster.

    Nothing is connected before the first use; then a database that is no router is a
    DeploymentError. The router is asked again every 10 seconds, and at once where a shard does not
    answer or has moved.
    """

    def __init__(
        self,
        router: str = "",
        *,
        autocommit: bool = False,
        max_size: int = 4,
        timeout: float = 10.0,
        **settings: Any,
    ) -> None:
        self._places = Places(router)
        self._settings = settings_of(autocommit, settings)
        self._max_size = max_size
        self._timeout = timeout
        self._sources: dict[int | None, _Source] = {}
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; one that is in use, when that ends."""
        with self._lock:
            for source in self._sources.values():
                source.close()
            self._sources.clear()

    @contextmanager
    def router(self) -> Iterator[Connection]:
        """A connection to the router, in autocommit, for what concerns projects as a whole."""
        with self._source(None).connection() as conn:
            yield conn

    @contextmanager
    def connection(
        self,
        subject_id: int | None = None,
        *,
        owner_id: Name | None = None,
        shard: int | None = None,
    ) -> Iterator[Connection]:
        """A connection to the shard of a wallet, pocket, escrow, transaction or posting, of an
        owner, or to the one of a number. The block is a transaction: its end commits, an exception
        rolls back.

        Raises an error of SQLSTATE 08001 where the shard cannot be reached or has just moved, which
        means that nothing was done and the next try may succeed, and InvalidArgument for an id that
        is on no shard alone. Calls pgwallet.list_shards on the router when it does not know yet.
        """
        self._know()
        shard = self._number(subject_id, owner_id, shard)
        with ExitStack() as stack:
            conn = self._connected(shard, stack)
            try:
                yield conn
            except psycopg.Error as error:
                if is_lost(conn, error):
                    self._ask_again()
                if isinstance(error, errors.ReadOnlySqlTransaction) and (
                    shard in self._ask_again() or is_left_behind(conn, error)
                ):
                    self._forget(shard)
                    raise not_reached(shard, error) from error
                raise

    def run_transaction(
        self,
        fn: Callable[[Connection], T],
        subject_id: int | None = None,
        *,
        owner_id: Name | None = None,
        attempts: int = 5,
    ) -> T:
        """`pgwallet.run_transaction` on the shard of an id or of an owner.

        It also repeats `fn` where the shard could not be reached, or has moved meanwhile.
        """
        one = _OneShard(lambda: self.connection(subject_id, owner_id=owner_id))
        return run_transaction(one, fn, attempts)

    def shard_of(self, subject_id: int | None = None, *, owner_id: Name | None = None) -> int:
        """The number of the shard of an id or of an owner, from 0 on."""
        self._know()
        return self._number(subject_id, owner_id)

    def shards(self) -> list[ShardPlace]:
        """All shards, for what is done on each: `connection(shard=0)` and so on."""
        self._know()
        return [ShardPlace(number, place) for number, place in enumerate(self._places.known)]

    def _number(
        self, subject_id: int | None, owner_id: Name | None, shard: int | None = None
    ) -> int:
        number = self._places.number(subject_id, owner_id, shard)
        if number is not None:
            return number
        with self.router() as conn:
            cursor = conn.cursor(row_factory=tuple_row)
            found = cursor.execute(SHARD_OF, [subject_id, owner_id]).fetchone()
        if found is None:
            raise self._places.nowhere(subject_id)
        return int(found[0])

    def _know(self) -> None:
        if not self._places.known:
            self._ask()
        elif self._places.are_due():
            self._ask_again()

    def _connected(self, shard: int, stack: ExitStack) -> Connection:
        try:
            return stack.enter_context(self._source(shard).connection())
        except psycopg.OperationalError as error:
            if shard not in self._ask_again():
                raise not_reached(shard, error) from error
        try:
            return stack.enter_context(self._source(shard).connection())
        except psycopg.OperationalError as error:
            raise not_reached(shard, error) from error

    def _ask_again(self) -> list[int]:
        """The shards that have moved; none where the router cannot be asked either."""
        try:
            return self._ask()
        except psycopg.OperationalError:
            return []

    def _ask(self) -> list[int]:
        with psycopg.connect(self._places.router, **asking(self._settings)) as conn:
            try:
                rows = conn.execute(LIST_SHARDS).fetchall()
            except psycopg.Error as error:
                raise no_router(error) from error
        with self._lock:
            moved = self._places.learn(rows)
        for shard in moved:
            self._forget(shard)
        return moved

    def _forget(self, shard: int) -> None:
        with self._lock:
            left = self._sources.pop(shard, None)
        if left is not None:
            left.close()

    def _source(self, shard: int | None) -> _Source:
        with self._lock:
            if shard not in self._sources:
                self._sources[shard] = self._opened(shard)
            return self._sources[shard]

    def _opened(self, shard: int | None) -> _Source:
        if shard is None:
            conninfo, settings = self._places.router, {**self._settings, "autocommit": True}
        else:
            conninfo, settings = self._places.conninfo(shard), self._settings
        if not _POOLED:
            return _NewEachTime(conninfo, settings)

        def reset(conn: Connection) -> None:
            conn.autocommit = settings["autocommit"]

        return ConnectionPool(
            conninfo,
            kwargs=settings,
            min_size=0,
            max_size=self._max_size,
            timeout=self._timeout,
            check=ConnectionPool.check_connection,
            reset=reset,
            open=True,
        )
