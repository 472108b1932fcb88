"""What a router costs a call, and what more shards give.

Each shard has a server of its own. To see what shards and not this machine can do, a control
group gives each a small share of a processor while deposits on 1, 2, 4 and 8 of them are counted;
for that it must run as root. The processor time of a call is counted for all processes of a
server, which a busy machine disturbs least.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.cluster import contests, report, servers
from bench.cluster.figures import Figure, Sample

PARTS = ["calls", "shards", "release"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and fewer")
    parser.add_argument("--smoke", action="store_true", help="only see that it all still runs")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="some of the parts")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of 5")
    parser.add_argument("--seconds", type=int, metavar="N", help="of each sample, instead of 8")
    parser.add_argument(
        "--into",
        type=Path,
        metavar="DIRECTORY",
        help="write cluster.json and cluster.png there, and tables into the pages",
    )
    given = parser.parse_args()
    sizes = contests.SMOKE if given.smoke else contests.QUICK if given.quick else contests.FULL
    console = Console()
    figures: list[Figure] = []
    load = f"{os.getloadavg()[0]:.1f}"
    sizes = replace(
        sizes, rounds=given.rounds or sizes.rounds, seconds=given.seconds or sizes.seconds
    )
    if given.only == ["calls"]:
        sizes = replace(sizes, shards=sizes.shards[:1])
    with servers.started(max(sizes.shards)) as machines, Progress(console=console) as progress:
        task = progress.add_task("making clusters", total=None)
        made = {count: contests.filled(machines, count) for count in sizes.shards}
        largest = made[max(made)]
        parts: dict[str, Callable[[], Iterator[tuple[Figure, Callable[[], Sample]]]]] = {
            "calls": lambda: contests.calls(made[min(made)], sizes),
            "shards": lambda: (pair for m in made.values() for pair in contests.growing(m, sizes)),
            "release": lambda: contests.releasing(largest, sizes),
        }
        for name, part in parts.items():
            if name not in given.only:
                continue
            pairs = [*part()]
            progress.reset(task, description=name, total=sizes.rounds * len(pairs))
            try:
                for number in range(sizes.rounds):
                    for figure, sample in pairs if number % 2 == 0 else reversed(pairs):
                        figure.samples.append(sample())
                        progress.advance(task)
            except PermissionError as error:
                console.print(f"{name} was not measured: {error}")
                continue
            figures += (figure for figure, _ in pairs)
        environment = report.environment(largest.file.routers[0])
        # Others on the machine make calls dearer, and rates lower.
        environment["machine"]["load at the start"] = load
    report.printed(console, figures)
    if given.into:
        report.written(given.into, environment, figures, sizes)


if __name__ == "__main__":
    main()
