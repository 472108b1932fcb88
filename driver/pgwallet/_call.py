"""One description of a call, run on a psycopg connection or on an async one.

A module of this package writes each public function as a builder that returns a `Call`;
`database_function` makes it the function that users see, with the connection first.
"""

import inspect
import logging
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import update_wrapper
from typing import (
    Any,
    Generic,
    LiteralString,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    get_args,
    overload,
)

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import JsonbLoader
from psycopg.types.numeric import NumericLoader

from .errors import in_lines, refusal

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Connection = psycopg.Connection[Any]
AsyncConnection = psycopg.AsyncConnection[Any]
Rows = list[tuple[Any, ...]]

logger = logging.getLogger("pgwallet")
_LEVELS = {"WARNING": logging.WARNING, "NOTICE": logging.INFO, "INFO": logging.INFO}

# A connection may load these types its own way: Django reads jsonb as text, others numeric
# as float. Results keep their types on any connection.
_LOADERS = (
    ("numeric", NumericLoader),
    ("timestamptz", TimestamptzLoader),
    ("jsonb", JsonbLoader),
)


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """What to send, and how the rows that come back become the result."""

    statement: LiteralString
    parameters: tuple[object, ...]
    read: Callable[[Rows], R]


def one(row: Callable[..., R]) -> Callable[[Rows], R]:
    """Reads the only row; the statement selects columns in the order of `row`'s fields."""
    return lambda rows: row(*rows[0])


def each(row: Callable[..., R]) -> Callable[[Rows], list[R]]:
    """Reads every row, in the server's order."""
    return lambda rows: [row(*values) for values in rows]


class DatabaseFunction(Protocol[P, R_co]):
    """A function that returns its result on a connection, a coroutine on an async one."""

    @overload
    def __call__(self, conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(
        self, conn: AsyncConnection, /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R_co]: ...


def database_function(build: Callable[P, Call[R]]) -> DatabaseFunction[P, R]:
    """Turns a builder of calls into a public function whose first argument is the connection."""

    def function(conn: Connection | AsyncConnection, /, *args: Any, **kwargs: Any) -> Any:
        if isinstance(conn, psycopg.Connection):
            return run(conn, build(*args, **kwargs))
        if isinstance(conn, psycopg.AsyncConnection):
            return later(conn, *args, **kwargs)
        raise not_a_connection(conn)

    async def later(conn: AsyncConnection, /, *args: Any, **kwargs: Any) -> Any:
        return await run_async(conn, build(*args, **kwargs))

    signature = inspect.signature(build)
    conn = inspect.Parameter(
        "conn", inspect.Parameter.POSITIONAL_ONLY, annotation=Connection | AsyncConnection
    )
    update_wrapper(function, build, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    vars(function)["__signature__"] = signature.replace(
        parameters=[conn, *signature.parameters.values()],
        return_annotation=get_args(signature.return_annotation)[0],
    )
    return cast(DatabaseFunction[P, R], function)


def run(conn: Connection, call: Call[R]) -> R:
    with _attended(conn), conn.cursor(row_factory=tuple_row) as cursor:
        _load_plainly(cursor)
        return call.read(cursor.execute(call.statement, call.parameters).fetchall())


async def run_async(conn: AsyncConnection, call: Call[R]) -> R:
    with _attended(conn):
        async with conn.cursor(row_factory=tuple_row) as cursor:
            _load_plainly(cursor)
            await cursor.execute(call.statement, call.parameters)
            return call.read(await cursor.fetchall())


def not_a_connection(conn: object) -> TypeError:
    return TypeError(
        "the first argument must be a psycopg.Connection or psycopg.AsyncConnection, "
        f"not {type(conn).__module__}.{type(conn).__qualname__}"
    )


def _load_plainly(cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]) -> None:
    for type_name, loader in _LOADERS:
        cursor.adapters.register_loader(type_name, loader)


# How many calls are under way on a connection: tasks may share one, and take turns on it, but
# each notice is logged once.
_under_way: Counter[Connection | AsyncConnection] = Counter()
_under_way_lock = threading.Lock()


@contextmanager
def _attended(conn: Connection | AsyncConnection) -> Iterator[None]:
    """Logs the server's notices and turns the ledger's refusals into exceptions."""
    with _under_way_lock:
        _under_way[conn] += 1
        if _under_way[conn] == 1:
            conn.add_notice_handler(_log)
    try:
        yield
    except psycopg.Error as error:
        refused = refusal(error)
        if refused is None:
            raise
        raise refused from error
    finally:
        with _under_way_lock:
            _under_way[conn] -= 1
            if _under_way[conn] == 0:
                del _under_way[conn]
                conn.remove_notice_handler(_log)


def _log(notice: psycopg.errors.Diagnostic) -> None:
    level = _LEVELS.get(notice.severity_nonlocalized or "", logging.DEBUG)
    text = in_lines(notice.message_primary or "", notice.message_detail, notice.message_hint)
    logger.log(level, "%s", text)
