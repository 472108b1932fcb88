"""Prints docs/reference/command-line.md from the commands' own help.

`make reference` runs it; a test compares the page with the commands.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from pgwallet.cli.app import app

HEADER = """\
# Command line

Install the command with `pip install 'pgwallet[cli]'`. `pgwallet --help` lists the commands,
`pgwallet COMMAND --help` explains one. This page is made from those texts by `make reference`.

## Which database

Pass the connection string as `--database-url` or in `PGWALLET_DATABASE_URL`. Otherwise libpq's
variables such as `PGDATABASE` and `PGSERVICE` apply, as for psql.

```console
$ export PGWALLET_DATABASE_URL=postgresql:///shop
```

## What it prints

Tables by default; JSON or CSV with `--json` and `--csv`, for programs. These have the columns of
the SQL function, and the `currency`. In JSON amounts are text, so that no digit is lost; ids are
numbers. Times have their offset.

<!-- run -->
```console
$ pgwallet wallet create ada
┌──────────────┬──────────┐
│ Wallet       │   508398 │
│ Owner        │      ada │
│ Balance      │ 0.00 EUR │
│ Credit limit │ 0.00 EUR │
└──────────────┴──────────┘
$ pgwallet deposit 508398 1234.5 --idempotency-key salary-1
┌─────────────┬──────────────┐
│ Balance     │ 1,234.50 EUR │
│ Transaction │            1 │
│ Replayed    │           no │
└─────────────┴──────────────┘
$ pgwallet deposit 508398 1234.5 --idempotency-key salary-1 --json
{
  "balance": "1234.50",
  "transaction_id": 1,
  "replayed": true,
  "currency": "EUR"
}
$ pgwallet balance 508398 --csv
account_id,balance,currency
508398,1234.50,EUR
```

Application roles cannot read tables or views, so the CLI shows them amounts without a currency.

## How it ends

The exit code is 0 when done, 1 when refused or failed, 2 for wrong usage, 130 after Ctrl-C. A
refusal goes to stderr, with its figures and the next step. [Errors](../errors.md) explains each.

<!-- run -->
```console
$ pgwallet withdraw 508398 2000
ERROR: wallet 508398 does not hold enough
DETAIL: Its balance is 1234.50, the amount 2000.00.
HINT: Take a smaller amount, or pay in first.
...
```

`project close`, `project release` and `project refund` are final. They name the project and what is
locked for it, and ask. A script has no terminal to answer at, so it says `--yes`.
"""

# Said once, above.
COMMON = ("json", "csv", "database_url")


def reference() -> str:
    """The page as it should be."""
    command = typer.main.get_command(app)
    return HEADER + "".join(section for section in _sections("pgwallet", command))


def _sections(path: str, command: Any) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from _sections(f"{path} {name}", below)
        return
    text, _, example = inspect.cleandoc(command.help or "").partition("\b\n")
    yield f"\n## {path}\n\n{text.strip()}\n\n```console\n{_examples(example)}```\n"
    own = [p for p in command.params if p.name not in COMMON]
    if own:
        yield "\n| argument or option | |\n|---|---|\n"
        yield from map(_row, own)
    also = [f"`{p.opts[0]}`" for p in command.params if p.name in COMMON]
    if also:
        yield f"\n{'Also' if own else 'Takes'} {', '.join(also)}.\n"


def _examples(text: str) -> str:
    """The lines of an example that are commands, without what is said beside them."""
    commands = (line.partition("pgwallet ") for line in text.splitlines())
    return "".join(f"$ pgwallet {command}\n" for _, found, command in commands if found)


def _row(parameter: Any) -> str:
    name = " ".join(filter(None, (", ".join(parameter.opts), parameter.metavar)))
    if parameter.param_type_name == "argument":
        name = parameter.metavar
    default = parameter.default
    said = "" if default in (None, "") or isinstance(default, bool) else f" Default: `{default}`."
    return f"| `{name}` | {parameter.help}{said} |\n"


if __name__ == "__main__":
    print(reference(), end="")
