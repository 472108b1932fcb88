"""One mutation on trial: a copy of the project, the change in it, the tests of its database."""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from psycopg.conninfo import make_conninfo

from tests import databases
from tests.mutants.mutation import Mutation

ROOT = Path(__file__).parents[2]
# These read the text of the functions: they see every change, whatever it does.
READERS = ("tests/contract", "tests/mutants")
# What calls most functions, tried before the tests of races and commands. Of all but the model,
# which draws at random, one failure is enough: they hardly wait for others.
STEADY = tuple(
    f"tests/{topic}" for topic in ("ledger", "escrow", "pockets", "wallets", "accounts", "views")
)
BROAD = (*STEADY, "tests/model")
PATIENCE = 1800  # seconds for one run of pytest; a single test has its own, much shorter limit
PYTEST = (
    *("-m", "pytest", "-x", "-q", "-m", "sql", "-p", "no:cacheprovider"),
    # Ends the process even if the test's threads wait on for a lock that never comes.
    "--timeout-method=thread",
)
INSTALL = "import sys, pgwallet; pgwallet.migrate(sys.argv[1])"

# A test's parameters may hold what separates it from the message. A line of a log begins alike.
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/[^\[\n]+?(?:\[.*?\])?)(?: - .*)?$", re.MULTILINE)
HUNG = re.compile(r"\bin (test_\w+)")
HANGS = " (hung)"
# A body is only parsed when it is installed: what it means shows when it first runs.
SENSELESS = re.compile(
    r"^E +psycopg\.errors\.(SyntaxError|Undefined\w+|Ambiguous\w+|DatatypeMismatch|GroupingError"
    r"|CannotCoerce|InvalidColumnReference|IndeterminateDatatype): .*$",
    re.MULTILINE,
)


class Verdict(StrEnum):
    CAUGHT = "caught"
    SURVIVED = "survived"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is the test that failed first, or why the mutation is none."""

    mutation: Mutation
    verdict: Verdict
    reason: str
    seconds: float


class TrialError(Exception):
    """Nothing was learnt: the tests could not be run, or fail without any mutation."""


@dataclass(frozen=True, slots=True)
class _Run:
    status: int
    output: str


@contextmanager
def copy_of(tree: Path) -> Iterator[Path]:
    """The project in a folder of its own, without what was built or hidden."""
    with tempfile.TemporaryDirectory(prefix="pgwallet-mutant-") as directory:
        copy = Path(directory, "project")
        ignored = shutil.ignore_patterns(".*", "dist")
        shutil.copytree(tree, copy, ignore=ignored)
        yield copy


def compile_tests(tree: Path) -> None:
    """So that no trial has to: it has a copy of this, where all files keep their time and size."""
    _python(tree, *PYTEST, "--collect-only", "tests", PYTHONDONTWRITEBYTECODE="")


def failure(
    tree: Path,
    server: str,
    paths: Sequence[str],
    but: Sequence[str] = (),
    unless: Sequence[str] = (),
) -> str | None:
    """Runs the tests in `paths`, `but` these paths and `unless` these tests.

    Returns the output if one failed, None if all passed.
    """
    left_out = [f"--ignore={path}" for path in (*READERS, *but)]
    left_out += [f"--deselect={test}" for test in unless]
    run = _python(tree, *PYTEST, *left_out, *paths, PGWALLET_TEST_SERVER=server)
    if run.status in (0, 5):  # 5: none of them is about the database
        return None
    if run.status != 1 or "ERROR collecting" in run.output:
        raise TrialError(f"pytest ended with {run.status}:\n{run.output}")
    return run.output


def outcome(mutation: Mutation, original: Path, server: str, only: Sequence[str] = ()) -> Outcome:
    """Tries a mutation: the likely tests, broad ones, then all others; or `only` these."""
    start = time.monotonic()
    with copy_of(original) as tree:
        mutation.apply(tree)
        verdict, reason = _judge(mutation, original, tree, server, only)
    return Outcome(mutation, verdict, reason, time.monotonic() - start)


def _judge(
    mutation: Mutation, original: Path, tree: Path, server: str, only: Sequence[str]
) -> tuple[Verdict, str]:
    with databases.created(server) as name:
        conninfo = databases.as_owner(make_conninfo(server, dbname=name))
        installed = _python(tree, "-c", INSTALL, conninfo)
    if installed.status != 0:
        return Verdict.INVALID, f"does not install: {installed.output.strip().splitlines()[-1]}"

    likely = mutation.likely_tests
    broad = [topic for topic in BROAD if topic not in likely]
    stages = [(likely, ()), (broad, likely), (["tests"], (*likely, *BROAD))]
    if only:
        stages = [(only, ())]
    try:
        for paths, but in stages:
            if output := _proof(original, tree, server, paths, but):
                if nonsense := senseless(output):
                    return Verdict.INVALID, nonsense
                return Verdict.CAUGHT, first_failure(output)
    except subprocess.TimeoutExpired:
        return Verdict.CAUGHT, f"the tests did not end in {PATIENCE} s"
    except TrialError as error:
        # The others of a run of an hour are worth knowing all the same.
        return Verdict.INVALID, f"nothing was learnt: {str(error).strip().splitlines()[-1]}"
    return Verdict.SURVIVED, mutation.equivalent


def _proof(
    original: Path, tree: Path, server: str, paths: Sequence[str], but: Sequence[str]
) -> str | None:
    """What a test said that fails with the mutation, twice where it may wait, and passes without.

    A test that fails now and then, on a busy machine, must not count as one that noticed.
    """
    unsound: list[str] = []
    while output := failure(tree, server, paths, but, unsound):
        test = first_failure(output)
        if test.endswith(HANGS):
            return output
        fails_again = test.startswith(STEADY) or failure(tree, server, [test]) is not None
        if fails_again and _passes(original, server, test):
            return output
        unsound.append(test)
    return None


@functools.cache
def _passes(original: Path, server: str, test: str) -> bool:
    """Without a mutation; asked once of each test, since many mutations are caught by the same."""
    return failure(original, server, [test]) is None


def senseless(output: str) -> str | None:
    """The error of a function whose text makes no sense to the server, if there is one."""
    found = SENSELESS.search(output)
    return found.group().removeprefix("E").strip() if found else None


def first_failure(output: str) -> str:
    if named := FAILED.search(output):
        return named.group(1)
    if hung := HUNG.findall(output):
        return f"{hung[-1]}{HANGS}"
    raise TrialError(f"pytest failed without naming a test:\n{output}")


def _python(tree: Path, *arguments: str, **environment: str) -> _Run:
    """Runs Python on the copy and on nothing else: its driver and with it its SQL."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        # Not a pipe, which a child of a killed process could hold open.
        completed = subprocess.run(
            [sys.executable, *arguments],
            cwd=tree,
            env={
                **os.environ,
                "PYTHONPATH": str(tree / "driver"),
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        output.seek(0)
        return _Run(completed.returncode, output.read())
