"""Following the ledger: every movement of money once, in one order, none of them missed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, overload

import psycopg

from ._call import Count
from ._connection import AsyncConnection, Connection, not_a_connection
from ._function import database_function
from .results import FeedRow
from .shards import of_router
from .transactions import run_transaction

# How long to leave the database alone while nothing comes: a little, then longer each time.
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


@database_function
def read_feed(after_posting_id: int = 0, limit: Count = 1000) -> list[FeedRow]:
    """The next postings after one, of all accounts, each once and in the order of ids.

    Waits until no posting with a smaller id can come any more: for transactions that are open and
    write. Returns up to `limit` of `FeedRow`, with amounts in major units; fewer are all there are.
    Pass the last row's `posting_id` as `after_posting_id` for the next ones.
    Where it cannot wait, psycopg raises: 25001 above read committed, and in a transaction that has
    written where others write for more than a second; 25006 on a standby.
    Raises InvalidArgument.
    Calls pgwallet.read_feed.
    """


@overload
def feed(
    conn: Connection,
    after: int = 0,
    follow: bool = False,
    limit: int = 1000,
    shard: int | None = None,
) -> Iterator[list[FeedRow]]: ...
@overload
def feed(
    conn: AsyncConnection,
    after: int = 0,
    follow: bool = False,
    limit: int = 1000,
    shard: int | None = None,
) -> AsyncIterator[list[FeedRow]]: ...
def feed(
    conn: Connection | AsyncConnection,
    after: int = 0,
    follow: bool = False,
    limit: int = 1000,
    shard: int | None = None,
) -> Any:
    """All postings after one, in batches of up to `limit`, each once and in the order of ids.

    Yields lists of `FeedRow`, amounts in major units, never an empty one. It ends when it has
    given all there are; with `follow` it goes on for ever, and asks once a second when nothing
    comes. Each batch is read in a transaction of its own, which has ended when you get it: so the
    connection is yours until you ask for the next one. Keep the last `posting_id` of a batch in the
    transaction that does your work with it, and begin there: a batch that was not kept comes again.
    On the router of a cluster each shard has a feed of its own: `shard` says which, from 0 on.
    Raises InvalidArgument, psycopg.ProgrammingError on a connection that is in a transaction, and
    whatever psycopg raises when it is lost, then begin again on another one, or where only a router
    knows `shard`.
    Calls pgwallet.read_feed.
    """
    if isinstance(conn, psycopg.Connection):
        return _feed(conn, after, follow, limit, shard)
    if isinstance(conn, psycopg.AsyncConnection):
        return _feed_async(conn, after, follow, limit, shard)
    raise not_a_connection(conn)


def _next(after: int, limit: int, shard: int | None) -> Callable[[Any], Any]:
    """What reads one batch, on either kind of connection."""
    if shard is None:
        return lambda conn: read_feed(conn, after, limit)
    return lambda conn: of_router.read_feed(conn, after, limit, shard)


def _feed(
    conn: Connection, after: int, follow: bool, limit: int, shard: int | None
) -> Iterator[list[FeedRow]]:
    pause = _FIRST_PAUSE
    while True:
        rows: list[FeedRow] = run_transaction(conn, _next(after, limit, shard))
        if rows:
            yield rows
            after, pause = rows[-1].posting_id, _FIRST_PAUSE
        if len(rows) < limit:
            if not follow:
                return
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)


async def _feed_async(
    conn: AsyncConnection, after: int, follow: bool, limit: int, shard: int | None
) -> AsyncIterator[list[FeedRow]]:
    pause = _FIRST_PAUSE
    while True:
        rows: list[FeedRow] = await run_transaction(conn, _next(after, limit, shard))
        if rows:
            yield rows
            after, pause = rows[-1].posting_id, _FIRST_PAUSE
        if len(rows) < limit:
            if not follow:
                return
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)
