"""How fast pgwallet is, against what PostgreSQL needs for the bare rows and against an ORM.

python -m bench            everything, some 30 minutes
python -m bench --quick    smaller and fewer, 2 minutes
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

import pgwallet
from bench import contests, figures, report, server, world
from bench.contest import Contest, held


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, in 2 minutes")
    parser.add_argument("--only", metavar="WORD", help="the contests whose work contains this")
    parser.add_argument(
        "--into", type=Path, metavar="DIRECTORY", help="where results.json and results.svg go"
    )
    arguments = parser.parse_args()
    sizes = contests.QUICK if arguments.quick else contests.FULL
    console = Console()
    results = []
    with server.started() as bench, Progress(console=console, transient=True) as progress:
        environment = server.described(bench.conn)
        for heading, values in environment.items():
            console.print(f"{heading}: " + ", ".join(f"{k} {v}" for k, v in values.items()))
        for contest in _contests(bench, sizes, progress):
            if arguments.only and arguments.only not in contest.work:
                continue
            task = progress.add_task(
                contest.work, total=sizes.rounds * len(contest.contenders)
            )
            results.append(held(contest, sizes.rounds, lambda: progress.advance(task)))
            progress.remove_task(task)
            bench.conn.execute("vacuum pgwallet.account")
        numbers = [] if arguments.only else figures.taken(bench, sizes)
        report.sound(bench)
    report.printed(console, results, numbers)
