"""How the command line looks: two consoles, amounts, tables, and the database's warnings."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import TextIOWrapper

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column as Header
from rich.table import Table

# Wider than any row, so that nothing is folded in a file or a pipe.
_UNFOLDED = 10_000

# Takes a date, or a word.
_NARROW = 10

# What a terminal would obey: names come from users.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _console(stderr: bool) -> Console:
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


out = _console(stderr=False)
err = _console(stderr=True)


def money(amount: Decimal, currency: str | None) -> str:
    """An amount as people read it; a reader without rights to tables sees no currency."""
    return f"{amount:,f} {currency}" if currency else f"{amount:,f}"


def text(label: str) -> Header:
    return Header(label, overflow="fold")


def number(label: str) -> Header:
    return Header(label, justify="right", overflow="fold")


def table(*headers: Header, header: bool = True) -> Table:
    return Table(*headers, show_header=header)


def show(shown: Table) -> None:
    # Words give way to numbers, whose digits nobody reads well on two lines, while there is room.
    numbers = [column for column in shown.columns if column.justify == "right"]
    words = len(shown.columns) - len(numbers)
    lengths = (
        max(cell_len(str(cell)) for cell in (column.header, *column.cells)) for column in numbers
    )
    needed = sum(lengths) + _NARROW * words + 3 * len(shown.columns) + 1
    for column in numbers:
        column.no_wrap = needed <= out.width
    # Without soft_wrap, which would cut columns off instead of folding them.
    out.print(shown, soft_wrap=False)


def show_error(message: str) -> None:
    err.print(f"ERROR: {harmless(message)}", style="red")


def harmless(shown: str) -> str:
    """The text with control characters spelled out, but for ends of lines and tabs."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", shown)


@contextmanager
def prepared() -> Iterator[None]:
    """Meanwhile stdout takes any text, and stderr shows what the logger `pgwallet` warns of."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out.width = _UNFOLDED
    logger = logging.getLogger("pgwallet")
    warnings = _Warnings(logging.WARNING)
    propagated = logger.propagate
    logger.addHandler(warnings)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(warnings)
        logger.propagate = propagated


@contextmanager
def showing_notices() -> Iterator[None]:
    """Meanwhile stderr shows notices, too: for a command that may wait for long."""
    logger = logging.getLogger("pgwallet")
    notices = _Warnings(logging.INFO)
    notices.addFilter(lambda record: record.levelno < logging.WARNING)
    level = logger.level
    logger.addHandler(notices)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(notices)
        logger.setLevel(level)


class _Warnings(logging.Handler):
    """Prints above a progress bar, where a plain handler would print across it."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(f"{record.levelname}: {harmless(record.getMessage())}", style="yellow")
