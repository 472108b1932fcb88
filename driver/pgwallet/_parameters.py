"""Python values as SQL parameters.

What is malformed in the ledger's terms goes to the server, which knows the order in which to
refuse things. Only three kinds of value stop here: a wrong Python type (TypeError), a value
that no PostgreSQL type can hold although the type is right (InvalidArgument), and numbers
past the range of their SQL type, which become numbers that the server refuses alike.
None is null and never comes here.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any, TypeVar
from uuid import UUID

from psycopg.types.numeric import Int4, Int8

from .errors import InvalidArgument

T = TypeVar("T")

# The ledger refuses amounts from 10^15 on, by their own digits where a line holds them, and no
# currency has a hundred decimals.
_MAX_INTEGER_DIGITS = 40
_MAX_DECIMALS = 100
_TOO_LARGE = Decimal("1E+40")
_TOO_FINE = Decimal("1E-100")
# The ledger refuses texts of more than 200 characters; a number of so many bits has 300 digits.
_NAME_BITS = 1000
_UNROUNDED = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)

# A NUL as json.dumps writes it, told from a backslash followed by the letters u0000.
_JSON_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def as_id(name: str, value: int) -> Int8:
    """An id; one past bigint becomes the outermost bigint, which is never assigned."""
    return Int8(_clamped(name, value, 63))


def as_count(name: str, value: int) -> Int4:
    return Int4(_clamped(name, value, 31))


def as_decimal(name: str, value: Decimal | int) -> Decimal:
    """An amount, percentage or rate; never a float, which cannot hold cents exactly."""
    if not isinstance(value, Decimal | int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a Decimal or an int, not {type(value).__name__}")
    number = Decimal(value)
    if not number.is_finite():
        return number
    if number.adjusted() >= _MAX_INTEGER_DIGITS:
        return _TOO_LARGE.copy_sign(number) if number else Decimal(0)
    if int(number.as_tuple().exponent) >= -_MAX_DECIMALS:
        return number
    number = number.normalize(_UNROUNDED)
    if int(number.as_tuple().exponent) >= -_MAX_DECIMALS:
        return number
    return _TOO_FINE.copy_sign(number)


def as_bool(name: str, value: bool) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
    return value


def as_text(name: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise InvalidArgument(f"{name} contains a NUL character", hint="Remove it.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{name} is not valid Unicode", str(error)) from error
    return value


def as_name(name: str, value: str | int | UUID) -> str:
    """An owner or a key; what an application numbers is sent as its digits."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value)) if value.bit_length() < _NAME_BITS else "9" * _NAME_BITS
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, an int or a UUID, not {type(value).__name__}")
    return as_text(name, value)


def as_time(name: str, value: datetime) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"{name} must be a datetime, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise InvalidArgument(
            f"{name} has no time zone",
            f"The time given is {value}.",
            "Give an aware datetime, such as datetime.now(timezone.utc).",
        )
    return value


def as_json(name: str, value: Any) -> str:
    """The text of a JSON value, written here so that no connection's own encoder changes it."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except TypeError as error:
        raise TypeError(f"{name} is not JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        # ValueError: NaN, an infinity, a cycle, or half of a surrogate pair.
        raise InvalidArgument(f"{name} is not valid JSON", str(error)) from error
    if _JSON_NUL.search(text):
        raise InvalidArgument(f"{name} contains a NUL character", hint="Remove it.")
    return text


def as_list_of(
    as_element: Callable[[str, T], object],
) -> Callable[[str, Iterable[T | None]], object]:
    """An array, of which each element is sent as a value of its own would be."""

    def as_list(name: str, values: Iterable[T | None]) -> list[object]:
        # A str would pass as its letters.
        if isinstance(values, str | bytes) or not isinstance(values, Iterable):
            raise TypeError(f"{name} must be an iterable of values, not {type(values).__name__}")
        element = f"an element of {name}"
        return [None if value is None else as_element(element, value) for value in values]

    return as_list


def _clamped(name: str, value: int, bits: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    end: int = 2**bits
    return min(max(value, -end), end - 1)
