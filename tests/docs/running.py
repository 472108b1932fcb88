"""Executing the blocks of one page, all in the same sessions, as a reader would."""

import os
import re
import secrets
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from tests import starting
from tests.deployment.programs import client
from tests.docs.blocks import ROOT, Block


class Session(Protocol):
    def run(self, text: str) -> str:
        """Executes and returns what was printed."""


class Failed(Exception):
    """A block stopped with an error; the text says what was printed."""


class Python:
    """One namespace for all blocks of a page."""

    def __init__(self) -> None:
        self._namespace: dict[str, Any] = {"__name__": "__page__"}

    def run(self, text: str) -> str:
        printed = StringIO()
        try:
            with redirect_stdout(printed):
                exec(compile(text, "<page>", "exec"), self._namespace)
        except Exception as error:
            raise Failed(printed.getvalue() + traceback.format_exc()) from error
        return printed.getvalue()


class _Program:
    """A program that reads commands from a pipe; a mark that it prints ends each block."""

    def __init__(
        self, command: list[str | Path], cwd: Path, environment: Mapping[str, str]
    ) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._mark = secrets.token_hex(8)

    def close(self) -> None:
        self._process.communicate()

    def _answer(self, text: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if self._mark in line:
                return "".join(lines) + line.partition(self._mark)[0]
            lines.append(line)
        raise Failed("".join(lines) + "(the program ended)")


class Psql(_Program):
    def __init__(self, cwd: Path, environment: Mapping[str, str]) -> None:
        super().__init__([client("psql"), "--no-psqlrc"], cwd, environment)

    def run(self, text: str) -> str:
        # \! makes psql write out what it has buffered.
        return self._answer(f"{text}\n\\echo {self._mark}\n\\! true\n")


class Console(_Program):
    """Commands begin with `$ `; what follows each is what it prints, when anything follows."""

    def __init__(self, cwd: Path, environment: Mapping[str, str]) -> None:
        super().__init__(["bash", "--norc"], cwd, environment)

    def run(self, text: str) -> str:
        shown = []
        for part in re.split(r"^(?=\$ )", text, flags=re.MULTILINE):
            if not part.strip():
                continue
            command, expected = _command(part)
            answer = self._answer(
                f"{{ {command}\n}} < /dev/null\nprintf '%s%s\\n' $? {self._mark}\n"
            )
            printed, code = re.fullmatch(r"(.*?)(\d+)", answer, re.DOTALL).groups()  # type: ignore[union-attr]
            if not expected and code != "0":
                raise Failed(f"$ {command}\n{printed}(exit {code})")
            shown.append(f"$ {command}\n{printed if expected else ''}")
        return "".join(shown)


def _command(part: str) -> tuple[str, str]:
    """A command, which a backslash may continue on the next line, and what it is to print."""
    match = re.match(r"\$ ((?:[^\n]*\\\n)*[^\n]*)\n?(.*)", part, re.DOTALL)
    assert match is not None
    return match[1], match[2].strip()


@contextmanager
def sessions(conninfo: str, cwd: Path) -> Iterator[Mapping[str, Session]]:
    """By language, with PG... and PGWALLET_DATABASE_URL set to the database of the page."""
    parameters = {
        name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None
    }
    known = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
    variables = {known[name]: value for name, value in parameters.items() if name in known}
    if "password" in parameters:
        variables["PGPASSWORD"] = parameters["password"]
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    variables["PGWALLET_DATABASE_URL"] = f"postgresql://?{query}"
    programs = [starting.programs(), Path(sys.executable).parent, client("psql").parent]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "COLUMNS", "FORCE_COLOR", "PYTHON"))
    }
    # Where a page says "in the checkout", its modules are found from anywhere.
    modules = [str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment.update(
        variables,
        PYTHONPATH=os.pathsep.join(str(Path(path).resolve()) for path in modules if path),
        PATH=os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
        COLUMNS="80",
        LC_ALL="C.UTF-8",
    )
    before = dict(os.environ)
    os.environ.update(variables)
    psql, console = Psql(cwd, environment), Console(cwd, environment)
    try:
        yield {"python": Python(), "sql": psql, "console": console}
    finally:
        os.environ.clear()
        os.environ.update(before)
        psql.close()
        console.close()


def printed_by(block: Block, by_language: Mapping[str, Session]) -> str:
    assert block.language in by_language, f"line {block.line}: cannot run {block.language}"
    return by_language[block.language].run(block.text)
