"""The question before what nobody can undo."""

import sys

import typer

from .output import harmless, show_error

_WRONG_USAGE = 2


def confirm(question: str, yes: bool) -> None:
    """Goes on where `--yes`, or whoever sits at the terminal, says so."""
    if yes:
        return
    if not sys.stdin.isatty():
        show_error(f"{question}\nHINT: There is no terminal to ask at: --yes says yes.")
        raise typer.Exit(_WRONG_USAGE)
    typer.confirm(harmless(question), abort=True, err=True)
