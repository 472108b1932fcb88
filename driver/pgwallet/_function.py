"""Functions of the database as functions of Python, on a connection or on an async one.

A module of this package declares each with its arguments, its result and a docstring;
`database_function` makes it the function that users see, with the connection first.
"""

import inspect
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, ParamSpec, Protocol, TypeVar, cast, get_type_hints, overload

import psycopg
from psycopg.rows import tuple_row

from ._call import Arguments, Call, Result, call_of, result_of
from ._connection import AsyncConnection, Connection, Translated, not_a_connection, with_own_loaders

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class DatabaseFunction(Protocol[P, R_co]):
    """A function that returns its result on a connection, a coroutine on an async one."""

    @overload
    def __call__(self, conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(
        self, conn: AsyncConnection, /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R_co]: ...


def database_function(declared: Callable[P, R]) -> DatabaseFunction[P, R]:
    """Makes a declaration the function that calls the database, its first argument a connection.

    Its name, arguments and docstring are those of the SQL function, and so is its result: a
    dataclass for a row, one or None, a list of them, or a Decimal. It has no body.
    """
    return database_function_returning(result_of(declared))(declared)


def database_function_returning(
    result: Result[R],
) -> Callable[[Callable[P, R]], DatabaseFunction[P, R]]:
    """The same for a result that is no plain row."""
    return lambda declared: _on_connections(declared, call_of(declared, result))


def _on_connections(declared: Callable[P, R], call: Call[P, R]) -> DatabaseFunction[P, R]:
    def function(conn: Connection | AsyncConnection, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        if isinstance(conn, psycopg.Connection):
            return _run(conn, call, call.arguments(*args, **kwargs))
        if isinstance(conn, psycopg.AsyncConnection):
            return _run_async(conn, call, *args, **kwargs)
        raise not_a_connection(conn)

    update_wrapper(
        function, declared, assigned=("__module__", "__name__", "__qualname__", "__doc__")
    )
    vars(function)["__signature__"] = _with_connection(declared)
    vars(function)["call"] = call
    return cast(DatabaseFunction[P, R], function)


def _with_connection(declared: Callable[..., object]) -> inspect.Signature:
    """The signature as callers see it: a connection comes first, and an integer is an int."""
    conn = inspect.Parameter(
        "conn", inspect.Parameter.POSITIONAL_ONLY, annotation=Connection | AsyncConnection
    )
    signature, types = inspect.signature(declared), get_type_hints(declared)
    given = (p.replace(annotation=types[p.name]) for p in signature.parameters.values())
    return signature.replace(parameters=[conn, *given])


def _run(conn: Connection, call: Call[P, R], arguments: Arguments) -> R:
    with Translated(conn), with_own_loaders(conn.cursor(row_factory=tuple_row)) as cursor:
        return call.read(cursor.execute(call.sql, arguments).fetchall(), arguments)


async def _run_async(
    conn: AsyncConnection, call: Call[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    arguments = call.arguments(*args, **kwargs)
    with Translated(conn):
        async with with_own_loaders(conn.cursor(row_factory=tuple_row)) as cursor:
            await cursor.execute(call.sql, arguments)
            return call.read(await cursor.fetchall(), arguments)
