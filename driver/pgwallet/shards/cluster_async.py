"""Connections to the shards of a cluster, for asyncio."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Protocol, Self, TypeVar

import psycopg
from psycopg import errors
from psycopg.rows import tuple_row

from .._call import Name
from .._connection import AsyncConnection
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
    from psycopg_pool import AsyncConnectionPool
except ImportError:
    _POOLED = False
else:
    _POOLED = True

T = TypeVar("T")


class _Source(Protocol):
    """An AsyncConnectionPool, or what does without."""

    def connection(self) -> AbstractAsyncContextManager[AsyncConnection]: ...
    async def close(self) -> None: ...


class _NewEachTime:
    def __init__(self, conninfo: str, settings: dict[str, Any]) -> None:
        self._conninfo = conninfo
        self._settings = settings

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        conn = await psycopg.AsyncConnection.connect(self._conninfo, **self._settings)
        async with conn:
            yield conn

    async def close(self) -> None:
        """Nothing is kept open."""


class _OneShard:
    """What `run_transaction` takes for a pool, an async one since it can be entered so."""

    def __init__(
        self, connection: Callable[[], AbstractAsyncContextManager[AsyncConnection]]
    ) -> None:
        self.connection = connection

    async def __aenter__(self) -> Self:
        return self


class AsyncCluster:
    """`Cluster` for asyncio: the same arguments, and everything that connects is awaited.

    Tasks of one event loop may share it.
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
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; one that is in use, when that ends."""
        async with self._lock:
            sources = [*self._sources.values()]
            self._sources.clear()
        for source in sources:
            await source.close()

    @asynccontextmanager
    async def router(self) -> AsyncIterator[AsyncConnection]:
        """A connection to the router, in autocommit, for what concerns projects as a whole."""
        source = await self._source(None)
        async with source.connection() as conn:
            yield conn

    @asynccontextmanager
    async def connection(
        self,
        subject_id: int | None = None,
        *,
        owner_id: Name | None = None,
        shard: int | None = None,
    ) -> AsyncIterator[AsyncConnection]:
        """A connection to the shard of an id or an owner, or a number; see `Cluster.connection`.

        Calls pgwallet.list_shards on the router when it does not know yet.
        """
        await self._know()
        shard = await self._number(subject_id, owner_id, shard)
        async with AsyncExitStack() as stack:
            conn = await self._connected(shard, stack)
            try:
                yield conn
            except psycopg.Error as error:
                if is_lost(conn, error):
                    await self._ask_again()
                if isinstance(error, errors.ReadOnlySqlTransaction) and (
                    shard in await self._ask_again() or is_left_behind(conn, error)
                ):
                    await self._forget(shard)
                    raise not_reached(shard, error) from error
                raise

    async def run_transaction(
        self,
        fn: Callable[[AsyncConnection], Awaitable[T]],
        subject_id: int | None = None,
        *,
        owner_id: Name | None = None,
        attempts: int = 5,
    ) -> T:
        """`pgwallet.run_transaction` on the shard of an id or of an owner.

        It also repeats `fn` where the shard could not be reached, or has moved meanwhile.
        """
        one = _OneShard(lambda: self.connection(subject_id, owner_id=owner_id))
        return await run_transaction(one, fn, attempts)

    async def shard_of(self, subject_id: int | None = None, *, owner_id: Name | None = None) -> int:
        """The number of the shard of an id or of an owner, from 0 on."""
        await self._know()
        return await self._number(subject_id, owner_id)

    async def shards(self) -> list[ShardPlace]:
        """All shards, for what is done on each: `connection(shard=0)` and so on."""
        await self._know()
        return [ShardPlace(number, place) for number, place in enumerate(self._places.known)]

    async def _number(
        self, subject_id: int | None, owner_id: Name | None, shard: int | None = None
    ) -> int:
        number = self._places.number(subject_id, owner_id, shard)
        if number is not None:
            return number
        async with self.router() as conn:
            cursor = conn.cursor(row_factory=tuple_row)
            found = await (await cursor.execute(SHARD_OF, [subject_id, owner_id])).fetchone()
        if found is None:
            raise self._places.nowhere(subject_id)
        return int(found[0])

    async def _know(self) -> None:
        if not self._places.known:
            await self._ask()
        elif self._places.are_due():
            await self._ask_again()

    async def _connected(self, shard: int, stack: AsyncExitStack) -> AsyncConnection:
        try:
            source = await self._source(shard)
            return await stack.enter_async_context(source.connection())
        except psycopg.OperationalError as error:
            if shard not in await self._ask_again():
                raise not_reached(shard, error) from error
        try:
            source = await self._source(shard)
            return await stack.enter_async_context(source.connection())
        except psycopg.OperationalError as error:
            raise not_reached(shard, error) from error

    async def _ask_again(self) -> list[int]:
        """The shards that have moved; none where the router cannot be asked either."""
        try:
            return await self._ask()
        except psycopg.OperationalError:
            return []

    async def _ask(self) -> list[int]:
        settings = asking(self._settings)
        async with await psycopg.AsyncConnection.connect(self._places.router, **settings) as conn:
            try:
                rows = await (await conn.execute(LIST_SHARDS)).fetchall()
            except psycopg.Error as error:
                raise no_router(error) from error
        moved = self._places.learn(rows)
        for shard in moved:
            await self._forget(shard)
        return moved

    async def _forget(self, shard: int) -> None:
        async with self._lock:
            left = self._sources.pop(shard, None)
        if left is not None:
            await left.close()

    async def _source(self, shard: int | None) -> _Source:
        async with self._lock:
            if shard not in self._sources:
                self._sources[shard] = await self._opened(shard)
            return self._sources[shard]

    async def _opened(self, shard: int | None) -> _Source:
        if shard is None:
            conninfo, settings = self._places.router, {**self._settings, "autocommit": True}
        else:
            conninfo, settings = self._places.conninfo(shard), self._settings
        if not _POOLED:
            return _NewEachTime(conninfo, settings)

        async def reset(conn: AsyncConnection) -> None:
            await conn.set_autocommit(settings["autocommit"])

        pool = AsyncConnectionPool(
            conninfo,
            kwargs=settings,
            min_size=0,
            max_size=self._max_size,
            timeout=self._timeout,
            check=AsyncConnectionPool.check_connection,
            reset=reset,
            open=False,
        )
        await pool.open()
        return pool
