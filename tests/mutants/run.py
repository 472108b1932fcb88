"""Changes the functions of the database, one change at a time, and sees which the tests catch.

    python -m tests.mutants.run                 all of tests/mutants/list
    python -m tests.mutants.run pledge lock     those with one of these words in their name,
                                                function or kind

Ends with 1 if a mutation survives that is not argued to be equivalent, or fewer than 95 percent
are caught. PGWALLET_TEST_SERVER names the server, as for the tests.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests import databases, servers
from tests.mutants import report
from tests.mutants.mutation import Mutation, read_list
from tests.mutants.trial import (
    ROOT,
    Outcome,
    TrialError,
    compile_tests,
    copy_of,
    failure,
    first_failure,
    outcome,
)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="take only mutations with one of these words")
    parser.add_argument("--jobs", type=int, default=3, help="how many at a time (3)")
    parser.add_argument(
        "--tests", nargs="+", default=[], metavar="PATH", help="run only these tests"
    )
    parser.add_argument(
        "--skip-unmutated", action="store_true", help="do not run the tests without mutation first"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write there what became of them, in Markdown"
    )
    options = parser.parse_args()
    mutations = [each for each in read_list() if _is_meant(each, options.words)]
    if not mutations:
        parser.error("no mutation has such a word")

    # In a log, where nothing says how wide it is, long names stay on one line.
    console = Console() if sys.stdout.isatty() else Console(width=180)
    with (
        servers.running(os.environ.get("PGWALLET_TEST_SERVER") or "embedded") as server,
        databases.owner_role(server),
        copy_of(ROOT) as original,
    ):
        try:
            with console.status("compiling the tests"):
                compile_tests(original)
            if not options.skip_unmutated:
                _expect_success(console, original, server, options.tests)
            outcomes = _try_all(console, mutations, original, server, options)
        except TrialError as error:
            console.print(str(error), style="red", markup=False)
            return 2
        with psycopg.connect(server) as conn:
            version = str(conn.info.parameter_status("server_version")).split()[0]
    report.show(console, outcomes)
    if options.report:
        options.report.write_text(report.written(outcomes, version, datetime.now(UTC).date()))
    complaints = report.complaints(outcomes, complete=len(mutations) == len(read_list()))
    for complaint in complaints:
        console.print(complaint, style="red", markup=False)
    return 1 if complaints else 0


def _is_meant(mutation: Mutation, words: Sequence[str]) -> bool:
    told = f"{mutation.name} {mutation.function} {mutation.kind}"
    return not words or any(word in told for word in words)


def _expect_success(console: Console, tree: Path, server: str, only: Sequence[str]) -> None:
    with console.status("the tests without mutation"):
        output = failure(tree, server, only or ["tests"])
    if output is not None:
        raise TrialError(f"without mutation this fails: {first_failure(output)}\n{output}")
    console.print("without mutation all tests pass")


def _try_all(
    console: Console,
    mutations: Sequence[Mutation],
    original: Path,
    server: str,
    options: argparse.Namespace,
) -> list[Outcome]:
    columns = (TextColumn("mutations"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    outcomes = []
    with (
        Progress(*columns, console=console, transient=True) as progress,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        task = progress.add_task("", total=len(mutations))
        futures = [
            pool.submit(outcome, each, original, server, options.tests) for each in mutations
        ]
        try:
            for future in as_completed(futures):
                outcomes.append(future.result())
                progress.console.print(report.line(outcomes[-1]))
                progress.advance(task)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return outcomes


if __name__ == "__main__":
    # Whoever ends it, the server is to stop and the copies are to go.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
