"""A call of the database: its SQL, made once from the signature of a Python function.

The annotation of an argument says how it is sent, the one of the result what is selected.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, ParamSpec, TypeVar, get_args, get_origin
from uuid import UUID

from ._parameters import (
    as_bool,
    as_count,
    as_decimal,
    as_id,
    as_json,
    as_list_of,
    as_name,
    as_text,
    as_time,
)

P = ParamSpec("P")
R = TypeVar("R")

Rows = list[tuple[Any, ...]]
Arguments = dict[str, Any]

# An int is sent as bigint, which ids are; this is what has the type integer in SQL.
Count = Annotated[int, "integer"]

# Owners and keys are text in SQL; applications have their own ids at hand.
Name = str | int | UUID

# The SQL type of an argument, and what makes the value to send of the one that was given.
_SENT: dict[Any, tuple[str, Callable[[str, Any], object]]] = {
    int: ("bigint", as_id),
    Count: ("integer", as_count),
    Decimal | int: ("numeric", as_decimal),
    str: ("text", as_text),
    Name: ("text", as_name),
    bool: ("boolean", as_bool),
    datetime: ("timestamptz", as_time),
    Any: ("jsonb", as_json),
    Iterable[int]: ("bigint[]", as_list_of(as_id)),
    Iterable[Decimal | int]: ("numeric[]", as_list_of(as_decimal)),
    Iterable[Name | None]: ("text[]", as_list_of(as_name)),
    Iterable[datetime | None]: ("timestamptz[]", as_list_of(as_time)),
    Iterable[Any]: ("jsonb[]", as_list_of(as_json)),
}
_SENT |= {kind | None: sent for kind, sent in _SENT.items()}


@dataclass(frozen=True, slots=True)
class Result(Generic[R]):
    """What a call selects, and what makes the result of the rows and of the arguments sent."""

    columns: tuple[str, ...]
    read: Callable[[Rows, Arguments], R]


@dataclass(frozen=True, slots=True)
class Call(Generic[P, R]):
    """What a function sends, given its arguments, and how it reads the rows that come back."""

    sql: bytes
    arguments: Callable[P, Arguments]
    read: Callable[[Rows, Arguments], R]


def columns_of(row: type) -> tuple[str, ...]:
    """The columns that make a row of this dataclass, in its order."""
    return tuple(field.name for field in fields(row))


def result_of(declared: Callable[..., Any]) -> Result[Any]:
    """One row of the dataclass that is returned, a list of them, a row or None, or a value."""
    returned = inspect.signature(declared).return_annotation
    if type(None) in get_args(returned):
        (row,) = set(get_args(returned)) - {type(None)}
        return Result(columns_of(row), lambda rows, _: row(*rows[0]) if rows else None)
    if get_origin(returned) is list:
        (row,) = get_args(returned)
        return Result(columns_of(row), lambda rows, _: [row(*values) for values in rows])
    # PostgreSQL names the column of a single value after the function.
    columns = (declared.__name__,) if returned is Decimal else columns_of(returned)
    return Result(columns, lambda rows, _: returned(*rows[0]))


def call_of(declared: Callable[P, R], result: Result[R]) -> Call[P, R]:
    """The call of the database function that has this name and these arguments."""
    parameters = inspect.signature(declared).parameters.values()
    sent = {parameter.name: _SENT[parameter.annotation] for parameter in parameters}
    # A name that Python keeps for itself, such as from, has an underscore at its end.
    arguments = ", ".join(f"p_{name.rstrip('_')} => %({name})s::{sent[name][0]}" for name in sent)
    columns = ", ".join(result.columns)
    sql = f"select {columns} from pgwallet.{declared.__name__}({arguments})"
    return Call(sql.encode(), _sender(declared), result.read)


def _sender(declared: Callable[P, R]) -> Callable[P, Arguments]:
    """What makes the values to send of the arguments of a call."""
    parameters = inspect.signature(declared).parameters
    names = [*parameters]
    senders = [(name, _SENT[parameters[name].annotation][1]) for name in names]
    defaults = {p.name: p.default for p in parameters.values() if p.default is not p.empty}

    def arguments(*args: P.args, **kwargs: P.kwargs) -> Arguments:
        # It does nothing but refuse arguments that are missing or too many, in Python's words.
        declared(*args, **kwargs)
        given = defaults | kwargs
        given.update(zip(names, args, strict=False))
        return {
            name: None if (value := given[name]) is None else send(name, value)
            for name, send in senders
        }

    return arguments
