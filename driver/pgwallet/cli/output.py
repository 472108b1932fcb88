"""How the command line looks: two consoles, amounts, tables, and the database's warnings."""

import logging
import os
import sys
from decimal import Decimal
from io import TextIOWrapper

from rich.console import Console
from rich.table import Column, Table

# Wide enough for any row, so that no number is folded in a file or a pipe.
_UNFOLDED = 250


def _console(stderr: bool) -> Console:
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


out = _console(stderr=False)
err = _console(stderr=True)
if not out.is_terminal and "COLUMNS" not in os.environ:
    out.width = _UNFOLDED


def money(amount: Decimal, currency: str | None) -> str:
    """An amount as people read it; a reader without rights to tables sees no currency."""
    return f"{amount:,f} {currency}" if currency else f"{amount:,f}"


def text(header: str) -> Column:
    return Column(header, overflow="fold")


def number(header: str) -> Column:
    return Column(header, justify="right", overflow="fold")


def table(*columns: Column, title: str | None = None) -> Table:
    return Table(*columns, title=title, title_justify="left")


def show(shown: Table) -> None:
    # Without soft_wrap, which would cut columns off instead of folding them.
    out.print(shown, soft_wrap=False)


def show_error(message: str) -> None:
    err.print(f"ERROR: {message}", style="red")


def set_up() -> None:
    """Prepares stdout for any text, and stderr for what the logger `pgwallet` warns of."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    logger = logging.getLogger("pgwallet")
    logger.addHandler(_Warnings(logging.WARNING))
    logger.propagate = False


class _Warnings(logging.Handler):
    """Prints above a progress bar, where a plain handler would print across it."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(f"{record.levelname}: {record.getMessage()}", style="yellow")
