"""How results look as a table, as JSON and as CSV: derived here from their dataclasses, once.

JSON and CSV have the fields of the dataclass, which are the SQL columns, and add the currency
when money is shown without it. A result that holds rows, as an allocation holds shares, nests
them in JSON; in CSV each row carries the rest of the result.
"""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from typing import Any, TextIO, get_args, get_origin

from rich.table import Column as Header

from .output import harmless, money, number, show, table, text

Record = dict[str, Any]

# Where a name of a column alone says too little, or too much.
_LABELS = {
    "allocation_percentage": "Percentage",
    "counterpart_id": "From/to",
    "created_at": "Recorded (UTC)",
    "disputed_count": "Disputed escrows",
    "effective_at": "Effective (UTC)",
    "expired_count": "Expired escrows",
    "locked_count": "Locked escrows",
    "remaining": "Not allocated",
    "unsettled_count": "Unsettled projects",
    "wallet_balance": "Balance of the wallet",
}


class Form(StrEnum):
    """What to print: a table for people, the other two for programs."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"

    @classmethod
    def of(cls, json: bool, csv: bool) -> "Form":
        """The form that the options of a command ask for."""
        return cls.JSON if json else cls.CSV if csv else cls.TABLE


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    types: tuple[Any, ...]

    @property
    def label(self) -> str:
        if self.name in _LABELS:
            return _LABELS[self.name]
        name = self.name.removesuffix("_id").removesuffix("_amount").replace("_count", "s")
        return name.replace("_", " ").capitalize()

    @property
    def is_number(self) -> bool:
        return int in self.types or Decimal in self.types

    @property
    def is_money(self) -> bool:
        return Decimal in self.types and not self.name.endswith(("_percentage", "_rate"))

    def header(self, currency: str | None) -> Header:
        """The column in a table of rows, with the currency of money, which the cells leave out."""
        label = f"{self.label} {currency}" if currency and self.is_money else self.label
        return number(label) if self.is_number else text(label)

    def cell(self, value: Any, currency: str | None) -> str:
        """A value as people read it."""
        match value:
            case None:
                return ""
            case bool():
                return "yes" if value else "no"
            case Decimal() if self.is_money:
                return money(value, currency)
            case Decimal():
                percentage = value * 100 if self.name.endswith("_rate") else value
                return f"{percentage.normalize():f} %"
            case int():
                return f"{value:,}" if self.name.endswith("_count") else str(value)
            case datetime():
                return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
            case str() if self.name == "kind":
                return value.replace("_", " ")
            case str():
                return harmless(value)
        return harmless(json.dumps(value, ensure_ascii=False))


def print_result(form: Form, result: Any, currency: str | None) -> None:
    """Prints one result; `currency` is that of its money, unless it has one of its own."""
    columns = _columns(type(result))
    rows_name, row_class = _rows_within(type(result))
    currency = getattr(result, "currency", currency)
    if form is Form.TABLE:
        if row_class is not None and getattr(result, rows_name):
            _print_table(row_class, getattr(result, rows_name), currency)
        _print_upright(columns, result, currency)
        return
    record = _record(columns, result)
    if row_class is None:
        _print(form, [*columns], [record], currency, single=True)
    elif form is Form.JSON:
        nested = [_record(_columns(row_class), row) for row in getattr(result, rows_name)]
        _print_json({rows_name: nested, **record, "currency": currency})
    else:
        rows = [_record(_columns(row_class), row) | record for row in getattr(result, rows_name)]
        _print(form, [*_columns(row_class), *columns], rows, currency)


def print_rows(
    form: Form,
    row_class: type,
    rows: Sequence[Any],
    currency: str | None,
    in_table: tuple[str, ...] = (),
) -> None:
    """Prints rows of one class, also when there are none.

    `in_table` are the columns for people, where 80 characters do not hold all.
    """
    if form is Form.TABLE:
        _print_table(row_class, rows, currency, in_table)
    else:
        columns = _columns(row_class)
        _print(form, columns, [_record(columns, row) for row in rows], currency)


def lines_of(form: Form, rows: Iterable[Any]) -> str:
    """Rows that have their currency themselves, each as a line of JSON or as one of CSV."""
    records = [_record(_columns(type(row)), row) for row in rows]
    if form is not Form.CSV:
        return "".join(json.dumps(record) + "\n" for record in records)
    text = StringIO()
    _write_csv(text, (record.values() for record in records))
    return text.getvalue()


def header_of(row_class: type) -> str:
    """The line of CSV that names what rows have."""
    return ",".join(column.name for column in _columns(row_class)) + "\n"


def _columns(row_class: type) -> list[_Column]:
    return [
        _Column(field.name, (field.type, *get_args(field.type)))
        for field in fields(row_class)
        if get_origin(field.type) is not tuple
    ]


def _rows_within(result_class: type) -> tuple[str, type | None]:
    for field in fields(result_class):
        if get_origin(field.type) is tuple:
            return field.name, get_args(field.type)[0]
    return "", None


def _record(columns: Iterable[_Column], row: Any) -> Record:
    """The values as JSON has them: money as text, which keeps every digit, times in UTC."""
    record = {column.name: getattr(row, column.name) for column in columns}
    for name, value in record.items():
        if isinstance(value, Decimal):
            record[name] = f"{value:f}"
        elif isinstance(value, datetime):
            record[name] = value.astimezone(UTC).isoformat()
    return record


def _print(
    form: Form,
    columns: Sequence[_Column],
    records: list[Record],
    currency: str | None,
    *,
    single: bool = False,
) -> None:
    names = [column.name for column in columns]
    if any(column.is_money for column in columns) and "currency" not in names:
        names.append("currency")
        for record in records:
            record["currency"] = currency
    if form is Form.CSV:
        _print_csv(names, records)
    else:
        _print_json(records[0] if single else records)


def _print_json(value: Record | list[Record]) -> None:
    # ASCII alone, so that it is JSON whatever the terminal's encoding.
    print(json.dumps(value, indent=2))


def _print_csv(names: Sequence[str], records: Iterable[Record]) -> None:
    _write_csv(sys.stdout, [names, *([record[name] for name in names] for record in records)])


def _write_csv(file: TextIO, rows: Iterable[Iterable[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    for row in rows:
        writer.writerow(
            value if value is None or isinstance(value, str) else json.dumps(value) for value in row
        )


def _print_table(
    row_class: type, rows: Sequence[Any], currency: str | None, only: tuple[str, ...] = ()
) -> None:
    """One line a row, with the currency in the headers of money."""
    by_name = {column.name: column for column in _columns(row_class)}
    columns = [by_name[name] for name in only or by_name]
    lines = table(*(column.header(currency) for column in columns))
    for row in rows:
        lines.add_row(*(column.cell(getattr(row, column.name), None) for column in columns))
    show(lines)


def _print_upright(columns: Iterable[_Column], result: Any, currency: str | None) -> None:
    """One line a field that is there, with the currency beside each amount."""
    columns = list(columns)
    has_money = any(column.is_money for column in columns)
    lines = table(text(""), number(""), header=False)
    for column in columns:
        value = getattr(result, column.name)
        # A batch over all projects that found no escrow has no currency, so no amount to show.
        if column.is_money and currency is None and getattr(result, "escrow_count", 1) == 0:
            continue
        if value is not None and not (has_money and column.name == "currency"):
            lines.add_row(column.label, column.cell(value, currency))
    show(lines)
