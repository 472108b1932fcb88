"""Reads rows of all shards side by side, some at a time."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, LiteralString

from .members import member

# So many rows of a shard are in memory at once.
_AT_ONCE = 2000


def rows_of(
    stack: ExitStack, name: str, conninfo: str, number: int, query: LiteralString
) -> Iterator[tuple[Any, ...]]:
    """Each row with the shard before it, through a cursor that is on the server."""
    conn = stack.enter_context(member(name, conninfo))
    stack.enter_context(conn.transaction())
    cursor = stack.enter_context(conn.cursor("pgwallet_cluster"))
    cursor.itersize = _AT_ONCE
    cursor.execute(query)
    return ((number, *row) for row in cursor)
