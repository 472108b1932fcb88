"""The lines of a CSV file of what moves money, each read or refused for its form alone."""

import csv
import re
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from io import BufferedReader, TextIOWrapper
from operator import itemgetter
from typing import Any, Final, NamedTuple

from pgwallet import InvalidArgument
from pgwallet._parameters import as_json

from ..output import harmless
from ..parameters import json_of, time_of

COLUMNS: Final = (
    *("kind", "wallet_id", "owner_id", "currency", "project_id", "reference"),
    *("amount", "idempotency_key", "effective_at", "expires_at", "metadata"),
)

_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LONGEST_AMOUNT = 50
_AMOUNT_END = Decimal(10) ** 15
_ID = re.compile(r"[0-9]{1,19}")
_ID_END = 2**63
_CURRENCY = re.compile(r"[A-Z0-9]{2,12}")
_LONGEST_TEXT = 200
# What nearly all lines hold, seen to be good in one look. What is not may be good all the same.
_PLAIN_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,18})?")
_PLAIN_TEXT = re.compile(r"[!-~]([ -~]{0,198}[!-~])?")
# Times and currencies, which many lines have in common.
_REMEMBERED = 1000
_SHOWN = 40
# What str.strip() leaves at the ends, although nobody sees it.
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"
# As the ledger has them, which clients in any time zone can hold.
_FIRST_TIME = datetime(1, 1, 3, tzinfo=UTC)
_TIMES_END = datetime(9999, 12, 30, tzinfo=UTC)

# What errors="surrogateescape" makes of bytes that are not UTF-8; a NUL is valid, but no text.
_NO_TEXT = re.compile("[\udc80-\udcff\0]")
_WIDE = (b"\xff\xfe", b"\xfe\xff")


class Kind(StrEnum):
    """What a line moves."""

    DEPOSIT = "deposit"
    PLEDGE = "pledge"
    WITHDRAWAL = "withdrawal"


_KINDS: dict[str | None, Kind] = {kind.value: kind for kind in Kind}


class BadFile(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""


class _BadLine(Exception):
    """One line is malformed; the message says why."""


class Line(NamedTuple):
    """A line by its number in the file, with its cells in the order of COLUMNS, or a problem.

    Made a million times, and a tuple is made twice as fast as a dataclass.
    """

    number: int
    cells: tuple[str | None, ...] = (None,) * len(COLUMNS)
    problem: str | None = None


class _Text:
    """The physical lines of the file as text, noting the numbers of those that are none."""

    def __init__(self, source: BufferedReader) -> None:
        # utf-8-sig leaves out the mark that Excel puts first; newline="" leaves line ends to csv.
        self._lines = TextIOWrapper(
            source, encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
        self._number = 0
        self.bad_lines: list[int] = []

    def detach(self) -> None:
        """Leaves the file to whoever opened it."""
        self._lines.detach()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        if _NO_TEXT.search(line):
            self.bad_lines.append(self._number)
        return line


def read_lines(
    source: BufferedReader, kind: Kind | None, ignored: Collection[str] = ()
) -> Generator[Line, None, None]:
    """Reads the lines below the header one by one; blank ones are left out.

    `kind` is that of all lines, for a file without a column of that name; `ignored` are columns
    that nobody imports.
    Raises BadFile.
    """
    _refuse_other_formats(source)
    text = _Text(source)
    try:
        yield from _rows(text, kind, ignored)
    finally:
        text.detach()


def _rows(text: _Text, kind: Kind | None, ignored: Collection[str]) -> Iterator[Line]:
    rows = csv.reader(text, strict=True)
    reader = _Reader(_header(rows, text, ignored), kind)
    while True:
        first = rows.line_num + 1
        try:
            row = next(rows, None)
            if row is None:
                return
            if text.bad_lines:
                text.bad_lines.clear()
                raise _BadLine("it has bytes that are no UTF-8 text; save the file as UTF-8")
            if any(map(str.strip, row)):
                yield Line(first, reader.cells(row))
        except _BadLine as error:
            yield Line(first, problem=str(error))
        except csv.Error as error:
            # A quote that is not closed takes in lines below, so none of those can be trusted.
            yield Line(first, problem=f"{_explained(error)}; the lines below it were not read")
            return


def _explained(error: csv.Error) -> str:
    if str(error).startswith("unexpected end of data"):
        return "it opens a quote that is not closed"
    if str(error).startswith("field larger than"):
        return "it has a very long cell, or opens a quote that is not closed"
    return f"it is no CSV: {error}"


def _refuse_other_formats(source: BufferedReader) -> None:
    head = source.peek(1)
    if not head:
        raise BadFile("the file is empty; its first line names the columns")
    if head.startswith(_WIDE):
        raise BadFile("the file is UTF-16 text; save it as UTF-8")
    if b"\0" in head:
        raise BadFile("the file is binary; export it as CSV in UTF-8")


def _header(rows: Iterator[list[str]], text: _Text, ignored: Collection[str]) -> list[str]:
    """The names of the columns, empty for those that are ignored."""
    try:
        cells = next((row for row in rows if row), [])
    except csv.Error as error:
        raise BadFile(f"the first line cannot be read: {_explained(error)}") from None
    if text.bad_lines:
        raise BadFile("the first line is not UTF-8 text; export the file as CSV in UTF-8")
    names = [cell.strip() for cell in cells]
    known = f"The columns that can be imported are {', '.join(COLUMNS)}."
    if not names:
        raise BadFile(f"the file has only blank lines; its first line names the columns. {known}")
    if len(names) == 1:
        for mark, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if mark in names[0]:
                raise BadFile(f"the columns are separated by {called}; save it with commas")
    unknown = [name for name in names if name not in COLUMNS and name not in ignored]
    if unknown:
        raise BadFile(
            f"the first line has {_quoted(unknown[0])}, which is no column. {known}\n"
            f"HINT: Leave such columns out with --ignore-columns {_shown(','.join(unknown))}"
        )
    names = ["" if name in ignored else name for name in names]
    for name in filter(None, names):
        if names.count(name) > 1:
            raise BadFile(f"the column {name} is there twice")
    if "amount" not in names:
        raise BadFile(f"the file has no column amount. {known}")
    if ("wallet_id" in names) == ("owner_id" in names):
        raise BadFile("the file needs one of the columns wallet_id and owner_id, and only one")
    if "project_id" in names and "reference" in names:
        raise BadFile("the file has both project_id and reference; keep one of them")
    return names


@dataclass(slots=True)
class _Reader:
    """Checks the cells of one line after the other, and gives them their places in COLUMNS."""

    names: Sequence[str]
    kind: Kind | None
    # Of the cells of a line and a None behind them, one for each of COLUMNS.
    _picked: Callable[[list[str | None]], tuple[Any, ...]] = field(init=False)

    def __post_init__(self) -> None:
        if self.kind is None and "kind" not in self.names:
            raise BadFile("the file has no column kind; say --kind deposit, pledge or withdrawal")
        if self.kind is not None and "kind" in self.names:
            raise BadFile("the file has a column kind, so leave --kind out")
        by_project = {"project_id", "reference"} & set(self.names)
        if self.kind is Kind.PLEDGE and not by_project:
            raise BadFile("the file has no column project_id or reference, to which to pledge")
        self._picked = itemgetter(
            *(self.names.index(name) if name in self.names else -1 for name in COLUMNS)
        )

    def cells(self, row: list[str]) -> tuple[str | None, ...]:
        if len(row) != len(self.names):
            raise _BadLine(f"it has {len(row)} cells, the first line {len(self.names)}")
        cells = self._picked([*row, None])
        kind, wallet_id, owner_id, currency, project_id, reference, amount, key = cells[:8]
        effective_at, expires_at, metadata = cells[8:]
        amount = _amount(amount or "")
        kind = self.kind or _KINDS.get(kind) or _kind(kind or "")
        if wallet_id is not None:
            wallet_id = _id("wallet_id", wallet_id)
        if owner_id is not None:
            owner_id = _text("owner_id", owner_id)
            currency = (currency or "").strip() or "EUR"
        currency = _currency(currency) if currency else None
        if kind != Kind.PLEDGE and (project_id or reference):
            raise _BadLine(f"a {kind} goes to no project; leave that cell empty")
        if kind != Kind.PLEDGE and expires_at:
            raise _BadLine("only a pledge expires; leave that cell empty")
        if kind == Kind.PLEDGE:
            if not (project_id or reference):
                raise _BadLine("it has neither project_id nor reference, to which to pledge")
            if project_id is None:
                reference = _text("reference", reference or "")
            else:
                project_id = _id("project_id", project_id)
        if key:
            key = _text("idempotency_key", key)
        return (
            *(kind, wallet_id, owner_id, currency, project_id or None, reference or None),
            *(amount, key or None, _time("effective_at", effective_at) if effective_at else None),
            *(_time("expires_at", expires_at) if expires_at else None, _metadata(metadata)),
        )


def _amount(cell: str) -> str:
    """Only its form and size: the decimals are those of the wallet's currency."""
    if _PLAIN_AMOUNT.fullmatch(cell) and cell.strip("0."):
        return cell
    text = cell.strip()
    if not text:
        raise _BadLine("it has no amount")
    if len(text) > _LONGEST_AMOUNT or not _AMOUNT.fullmatch(text):
        raise _BadLine(f"amount {_quoted(text)} is no number of digits and a point")
    if not 0 < Decimal(text) < _AMOUNT_END:
        raise _BadLine(f"amount {text} is not above 0 and below {_AMOUNT_END}")
    return text


def _kind(cell: str) -> Kind:
    try:
        return Kind(cell.strip())
    except ValueError:
        raise _BadLine(f"kind {_quoted(cell)} is neither deposit, withdrawal nor pledge") from None


def _id(name: str, cell: str) -> str:
    text = cell.strip()
    if not text:
        raise _BadLine(f"it has no {name}")
    if not _ID.fullmatch(text) or int(text) >= _ID_END:
        raise _BadLine(f"{name} {_quoted(text)} is no id, which is a whole number")
    return text


def _text(name: str, cell: str) -> str:
    if _PLAIN_TEXT.fullmatch(cell):
        return cell
    if not cell.strip():
        raise _BadLine(f"it has no {name}")
    if len(cell) > _LONGEST_TEXT:
        raise _BadLine(f"{name} has {len(cell)} characters, at most {_LONGEST_TEXT} are allowed")
    # They would make another owner, or pay another time, and nobody would see why.
    if cell != cell.strip() or cell != cell.strip(_UNSEEN):
        raise _BadLine(f"{name} {_quoted(cell)} has blanks around it")
    return cell


@lru_cache(_REMEMBERED)
def _time(name: str, cell: str) -> str | None:
    text = cell.strip()
    if not text:
        return None
    time = time_of(text)
    if time is None:
        raise _BadLine(
            f"{name} {_quoted(text)} is no time with its time zone such as 2026-01-31T12:00:00Z"
        )
    if not _FIRST_TIME <= time < _TIMES_END:
        raise _BadLine(f"{name} {_quoted(text)} is out of range")
    return time.isoformat()


def _metadata(cell: str | None) -> str | None:
    if not cell or not cell.strip():
        return None
    try:
        as_json("metadata", json_of(cell))
    except (ValueError, InvalidArgument):
        raise _BadLine(f"metadata {_quoted(cell)} is no JSON") from None
    return cell


@lru_cache(_REMEMBERED)
def _currency(cell: str) -> str | None:
    text = cell.strip()
    if not text:
        return None
    if not _CURRENCY.fullmatch(text):
        raise _BadLine(f"currency {_quoted(text)} is no code such as EUR")
    return text


def _quoted(cell: str) -> str:
    return f"'{_shown(cell)}'"


def _shown(cell: str) -> str:
    """What a cell holds, short and on one line."""
    shown = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}..."
    return harmless(" ".join(shown.splitlines()))
