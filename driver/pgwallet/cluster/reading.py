"""Reads rows of all shards side by side, some at a time."""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from typing import Any, LiteralString

from .file import ClusterFile, Shard
from .members import reached

# So many rows of a shard are in memory at once.
_AT_ONCE = 2000

Row = tuple[Any, ...]


def by_first_column(cluster: ClusterFile, query: LiteralString) -> Iterator[tuple[Any, list[Row]]]:
    """Each value of the first column, in whose order the query has its rows, with the rows of all
    shards that have it, the number of the shard before each.
    """
    with ExitStack() as stack:
        rows = heapq.merge(
            *(_rows_of(stack, shard, query) for shard in cluster.shards), key=itemgetter(1)
        )
        for value, same in groupby(rows, key=itemgetter(1)):
            yield value, [*same]


def _rows_of(stack: ExitStack, shard: Shard, query: LiteralString) -> Iterator[Row]:
    """Through a cursor that is on the server."""
    conn = stack.enter_context(reached(f"shard {shard.number}", shard.conninfo))
    stack.enter_context(conn.transaction())
    cursor = stack.enter_context(conn.cursor("pgwallet_cluster"))
    cursor.itersize = _AT_ONCE
    cursor.execute(query)
    return ((shard.number, *row) for row in cursor)
