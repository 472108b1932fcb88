"""Running the command line: from outside, as a user does, or quicker, within this process."""

import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from fcntl import ioctl
from functools import cache
from io import StringIO
from typing import Any

import psycopg
import pytest
import typer

import pgwallet
from pgwallet.cli import main
from tests import starting
from tests.waiting import DEADLINE

# What the installed script `pgwallet` runs; test_the_script_runs_this keeps it so.
ENTRY_POINT = "pgwallet.cli:main"
COMMAND = (sys.executable, "-c", "from pgwallet.cli import main; main()")
PATIENCE = 60
BACKERS = 100

Completed = subprocess.CompletedProcess[str]

# Typer makes all commands anew for each call, which takes longer than most of them.
_made_once = cache(typer.main.get_command)


def environment(database_url: str | None = None) -> dict[str, str]:
    """No setting of whoever runs the tests reaches the command."""
    names = ("PG", "COLUMNS", "TERM", "NO_COLOR", "FORCE_COLOR", "TTY_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    if database_url is not None:
        variables["PGWALLET_DATABASE_URL"] = database_url
    return variables


def pgwallet_command(*arguments: object, database_url: str | None = None, **more: str) -> Completed:
    """Runs it to the end; a traceback is never right, whatever the arguments."""
    completed = subprocess.run(
        [*starting.pgwallet(), *map(str, arguments)],
        env={**environment(database_url), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in completed.stderr
    return completed


def pgwallet_here(*arguments: object, database_url: str | None = None) -> Completed:
    """The same without a process of its own: for what needs no terminal, signal or setting."""
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(StringIO()) as stdout,
        redirect_stderr(StringIO()) as stderr,
    ):
        patch.setattr(typer.main, "get_command", _made_once)
        patch.setattr(sys, "argv", ["pgwallet", *map(str, arguments)])
        patch.setattr(sys, "stdin", StringIO())
        patch.setenv("PGWALLET_DATABASE_URL", database_url or "")
        # A worker of pytest-xdist has COLUMNS.
        for name in ("PGDATABASE", "PGSERVICE", "COLUMNS"):
            patch.delenv(name, raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code or 0
    assert isinstance(code, int)
    return Completed([*map(str, arguments)], code, stdout.getvalue(), stderr.getvalue())


def json_of(*arguments: object, database_url: str) -> Any:
    """What a command that succeeds prints as JSON; a float in it would have lost digits."""
    completed = pgwallet_here(*arguments, "--json", database_url=database_url)
    assert (completed.returncode, completed.stderr) == (0, ""), completed
    return json.loads(completed.stdout, parse_float=_refused)


def _refused(number: str) -> None:
    raise AssertionError(f"{number} is a number with a point")


def started(*arguments: object, database_url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env=environment(database_url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def at_terminal(
    *arguments: object, database_url: str, answer: str | None = None, **more: str
) -> tuple[int, str]:
    """The exit code and what a terminal of 80 columns shows; `answer` is typed at the question."""
    controller, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [*starting.pgwallet(), *map(str, arguments)],
        env={**environment(database_url), "TERM": "xterm-256color", **more},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    deadline = time.monotonic() + DEADLINE
    try:
        while select.select([controller], [], [], deadline - time.monotonic())[0]:
            try:
                read = os.read(controller, 65536)
            except OSError:  # Linux says so when the program has ended
                break
            if not read:
                break
            shown += read
            if answer is not None and b"[y/N]" in shown:
                os.write(controller, f"{answer}\n".encode())
                answer = None
        return process.wait(DEADLINE), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(controller)


def pledged_project(conninfo: str, reference: str, pledges: int) -> int:
    """A project with so many pledges of 10.00 EUR, by a hundred backers at most."""
    with psycopg.connect(conninfo) as conn:
        project = pgwallet.create_project(conn, reference).project_id
        rows = conn.execute(
            """
            select w.wallet_id
            from generate_series(1, %s::int) as k,
              pgwallet.create_wallet(format('%%s-%%s', %s::text, k)) as w
            order by k
            """,
            [min(pledges, BACKERS), reference],
        ).fetchall()
        backers = [wallet_id for (wallet_id,) in rows]
        wallets = [backers[number % len(backers)] for number in range(pledges)]
        amounts = [Decimal("10.00")] * pledges
        keys = [f"{reference} {number}" for number in range(pledges)]
        pgwallet.deposit_many(conn, wallets, amounts, [f"deposit for {key}" for key in keys])
        pgwallet.pledge_many(conn, project, wallets, amounts, [f"pledge to {key}" for key in keys])
    return project


def settled_escrows(conninfo: str, project_id: int) -> int:
    with psycopg.connect(conninfo) as conn:
        row = conn.execute(
            "select count(*) from pgwallet.escrow where project_id = %s and status <> 'locked'",
            [project_id],
        ).fetchone()
    assert row is not None
    return int(row[0])


def shown(output: str, label: str) -> str:
    """The last cell of a table's row that begins with the label."""
    (row,) = [line for line in output.splitlines() if line.startswith(f"│ {label} ")]
    return row.strip("│ ").rpartition("│")[2].strip()
