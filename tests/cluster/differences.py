"""What a router does otherwise than one database, test by test.

With PGWALLET_TEST_SERVER=cluster the tests run through a router over four shards. Those that
differing.py names fail there, each for a reason that the pages tell; one that passes fails the run,
so that nobody is told of a difference that is none. What happens instead has tests in this folder.
"""

from enum import StrEnum
from pathlib import Path

import pytest

from tests.cluster.differing import FAILING, LEFT_OUT

_TESTS = Path(__file__).parents[1]


class OneDatabase(StrEnum):
    """Folders that are about one database, of which a shard is one as any other."""

    BENCH = "measures one database"
    CLUSTER = "has clusters of its own"
    CONTRACT = "compares files with the catalog of one database"
    DEPLOYMENT = "installs, upgrades, dumps and compares one database"
    DOCS = "reads pages"
    EMBEDDED = "starts servers"
    EXAMPLES = "runs examples that make databases of their own"
    FAULTS = "kills a server of its own"
    MUTANTS = "breaks the functions of one database"
    PACKAGING = "builds packages"


def mark(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the folders above, and expects of the tests named that they fail."""
    ours: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        file = item.path.relative_to(_TESTS).as_posix()
        folder = file.partition("/")[0]
        is_left_out = (
            folder.upper() in OneDatabase.__members__ or {f"{folder}/", file} & LEFT_OUT.keys()
        )
        (others if is_left_out else ours).append(item)
        for name in (item.name, item.name.partition("[")[0]):
            if why := FAILING.get(f"{file}::{name}"):
                item.add_marker(pytest.mark.xfail(reason=why, strict=True))
                break
    config.hook.pytest_deselected(items=others)
    items[:] = ours
