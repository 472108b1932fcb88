"""Making a call in a transaction of its own, over a connection that may be cut meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from pgwallet import run_transaction

PATIENCE = 60.0  # seconds

_TRANSACTION = "select pg_current_xact_id()::text::bigint"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the client saw before the commit: the result, and PostgreSQL's transaction id."""

    result: Any
    transaction_id: int


class Attempt:
    """One run_transaction; `seen` gets an element each time that it runs the call.

    `connected` is called once the connection stands.
    """

    def __init__(self, call: Callable[[Any], Any], connected: Callable[[], None]) -> None:
        self.seen: list[Seen] = []
        self._call = call
        self._connected = connected

    def on_connection(self, conninfo: str) -> None:
        with psycopg.connect(conninfo) as conn:
            self._connected()
            run_transaction(conn, self._run)

    def in_pool(self, conninfo: str) -> None:
        with ConnectionPool(conninfo, min_size=1, open=True) as pool:
            pool.wait(PATIENCE)
            self._connected()
            run_transaction(pool, self._run)

    def on_async_connection(self, conninfo: str) -> None:
        async def main() -> None:
            async with await psycopg.AsyncConnection.connect(conninfo) as aconn:
                self._connected()
                await run_transaction(aconn, self._run_async)

        asyncio.run(main())

    def _run(self, conn: psycopg.Connection) -> None:
        result = self._call(conn)
        rows = conn.execute(_TRANSACTION).fetchall()
        self.seen.append(Seen(result, rows[0][0]))

    async def _run_async(self, aconn: psycopg.AsyncConnection) -> None:
        result = await self._call(aconn)
        rows = await (await aconn.execute(_TRANSACTION)).fetchall()
        self.seen.append(Seen(result, rows[0][0]))


WAYS = [Attempt.on_connection, Attempt.in_pool, Attempt.on_async_connection]
