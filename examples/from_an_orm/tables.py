"""What a run prints, as tables that a person reads."""

from collections.abc import Iterable
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from .books import Finding
from .comparing import Comparison, Figures
from .problems import Problem

# Of the rows that differ: more of them say nothing new.
SHOWN_DIFFERENCES = 20


def show_problems(console: Console, problems: Iterable[Problem]) -> None:
    table = _table("What cannot move as it is", "row", "problem", "what to do")
    for problem in problems:
        table.add_row(problem.row, problem.problem, problem.remedy)
    console.print(table, soft_wrap=False)


def show_findings(console: Console, findings: Iterable[Finding], exponent: int) -> None:
    table = _table("What the old transactions do not explain", "what", "wallets")
    for header in ("rows", "they say", "explained", "difference"):
        table.add_column(header, justify="right", overflow="fold")
    for finding in findings:
        table.add_row(
            finding.finding,
            finding.examples,
            f"{finding.rows:,}",
            _money(exponent, finding.said),
            _money(exponent, finding.explained),
            _money(exponent, finding.said - finding.explained),
        )
    console.print(table, soft_wrap=False)


def show_comparison(console: Console, comparison: Comparison, currency: str, exponent: int) -> None:
    table = _table(f"Old tables and ledger, in {currency}", "what")
    for header in ("old rows", "new rows", "old", "new", "difference"):
        table.add_column(header, justify="right", overflow="fold")
    for kind, figures in comparison.figures.items():
        table.add_row(kind, *_cells(exponent, figures))
    table.add_section()
    table.add_row("together", *_cells(exponent, comparison.total))
    console.print(table, soft_wrap=False)


def show_differences(console: Console, comparison: Comparison, exponent: int) -> None:
    table = _table("Old rows that the ledger has otherwise", "row", "meant for")
    for header in ("old", "new", "difference"):
        table.add_column(header, justify="right", overflow="fold")
    for difference in comparison.differences[:SHOWN_DIFFERENCES]:
        new_amount = difference.new_amount
        table.add_row(
            difference.row,
            difference.meant_for,
            _money(exponent, difference.old_amount),
            "nothing" if new_amount is None else _money(exponent, new_amount),
            _money(exponent, difference.old_amount - (new_amount or 0)),
        )
    console.print(table, soft_wrap=False)
    if (more := len(comparison.differences) - SHOWN_DIFFERENCES) > 0:
        console.print(f"... and {more:,} more.")


def _table(title: str, *texts: str) -> Table:
    table = Table(title=title, title_justify="left")
    for header in texts:
        table.add_column(header, overflow="fold")
    return table


def _cells(exponent: int, figures: Figures) -> list[str]:
    return [
        f"{figures.old_rows:,}",
        f"{figures.new_rows:,}",
        _money(exponent, figures.old_amount),
        _money(exponent, figures.new_amount),
        _money(exponent, figures.old_amount - figures.new_amount),
    ]


def _money(exponent: int, amount: Decimal) -> str:
    """With the decimals of the currency, or all that there are."""
    return f"{amount + Decimal(0).scaleb(-exponent):,f}"
