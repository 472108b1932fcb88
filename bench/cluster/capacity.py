"""How many shards and routers so many deposits a second need, from what one was measured to use.

python -m bench.cluster.capacity --cores 16 250000
"""

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "docs" / "performance" / "cluster.json"
CORES = 8
BUSY = 0.6  # what is left is for vacuum, checkpoints, reading, and an hour busier than the others
WANTED = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Needed:
    deposits: int
    direct_shards: int
    routed_shards: int
    routers: int


def needed(report: Mapping[str, Any], deposits: int, cores: int, busy: float) -> Needed:
    """The number of shards is a power of two; routers are as many as it takes."""
    used = {
        figure["way"]: figure
        for figure in sorted(report["figures"], key=lambda figure: figure["clients"])
        if figure["work"] == "deposit"
    }
    microseconds = cores * busy * 1e6
    return Needed(
        deposits,
        _power_of_two(deposits * used["direct"]["shard_us"] / microseconds),
        _power_of_two(deposits * used["router"]["shard_us"] / microseconds),
        math.ceil(deposits * used["router"]["router_us"] / microseconds),
    )


def _power_of_two(number: float) -> int:
    shards = 1
    while shards < number:
        shards *= 2
    return shards


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster.capacity", description=__doc__)
    parser.add_argument("deposits", type=int, nargs="*", default=list(WANTED), help="a second")
    parser.add_argument("--cores", type=int, default=CORES, help="of each machine")
    parser.add_argument("--busy", type=float, default=BUSY, help="how busy they may be, up to 1")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    report = json.loads(given.results.read_text())
    for deposits in given.deposits:
        found = needed(report, deposits, given.cores, given.busy)
        print(
            f"{deposits:,} deposits a second: {found.direct_shards} shards reached directly, or "
            f"{found.routed_shards} shards behind {found.routers} routers"
        )


if __name__ == "__main__":
    main()
