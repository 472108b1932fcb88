"""How fast pgwallet is, against what PostgreSQL needs for the bare rows and against an ORM."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

import pgwallet
from bench import contests, crowd, figures, growth, report, server
from bench.contest import Contest, Figure, Result, held


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, in 2 minutes")
    parser.add_argument("--smoke", action="store_true", help="only see that it all still runs")
    parser.add_argument("--only", metavar="TEXT", help="the contests that have this in their name")
    parser.add_argument(
        "--into",
        type=Path,
        metavar="DIRECTORY",
        help="write results.json, results.png and growth.png there, and tables into DIRECTORY.md",
    )
    arguments = parser.parse_args()
    sizes = contests.QUICK if arguments.quick or arguments.smoke else contests.FULL
    if arguments.smoke:
        sizes = replace(sizes, rounds=1, seconds=0, savers=20, wide_wallets=2, batch=90, log=16)
    console = Console()
    results: list[Result] = []
    grown: list[Result] = []
    numbers: list[Figure] = []
    with server.started(sizes.log) as bench, Progress(console=console, transient=True) as progress:
        environment = server.described(bench.conn)
        for heading, values in environment.items():
            console.print(f"{heading}: {', '.join(' '.join(item) for item in values.items())}")
        task = progress.add_task("making wallets and pockets", total=None)

        def told(doing: str) -> None:
            progress.update(task, description=doing)

        def hold(contest: Contest, into: list[Result], prepare: Callable[[Contest], None]) -> None:
            if arguments.only is not None and arguments.only not in contest.work:
                return
            progress.reset(
                task,
                description=contest.work,
                total=sizes.rounds * len(contest.contenders),
            )
            prepare(contest)
            into.append(held(contest, sizes.rounds, lambda: progress.advance(task)))

        made = crowd.made(bench.conn, 2 * sizes.savers, sizes.wide_wallets, sizes.batch)
        orm = contests.Orm(bench.database("orm"), sizes)
        for contest in chain(
            contests.single_calls(bench, orm, made, sizes),
            contests.releases(bench, orm, made, sizes),
        ):
            hold(contest, results, lambda _: bench.rest())
        if arguments.only is None:
            told("overhead, memory and bytes")
            numbers = figures.taken(bench, made, sizes)
        if arguments.only is None or " by " in arguments.only:
            for contest in growth.contests(bench, made, sizes, told):
                hold(contest, grown, (lambda _: None) if arguments.quick else growth.warm_up)
        told("check_ledger")
        violations = pgwallet.check_ledger(bench.conn)
    report.printed(console, [*results, *grown], numbers)
    if arguments.into:
        report.written(arguments.into / "results.json", environment, [*results, *grown], numbers)
        report.drawn(arguments.into / "results.png", results)
        if grown:
            report.drawn_growth(arguments.into / "growth.png", grown)
        page = arguments.into.with_suffix(".md")
        if page.exists():
            report.inserted(page, arguments.into / "results.json")
    if violations:
        raise SystemExit(f"the ledger is not sound: {violations[:3]}")


if __name__ == "__main__":
    main()
