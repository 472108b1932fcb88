"""What a router does otherwise than one database, test by test.

With PGWALLET_TEST_SERVER=cluster the tests run through a router over four shards. Those that
differing.py names fail there, each for a reason that the pages tell; one that passes fails the run,
so that nobody is told of a difference that is none. What happens instead has tests in this folder.
"""

from collections.abc import Iterator
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
    used: set[str] = set()
    for item in items:
        names = [*_names_of(item)]
        used.update(names)
        folder = names[0].rstrip("/")
        is_left_out = folder.upper() in OneDatabase.__members__ or {*names} & LEFT_OUT.keys()
        (others if is_left_out else ours).append(item)
        for name in names:
            if why := FAILING.get(name):
                item.add_marker(pytest.mark.xfail(reason=why.value, strict=True))
    if not _is_narrowed(config):
        _refuse_unknown(used)
    config.hook.pytest_deselected(items=others)
    items[:] = ours


def _names_of(item: pytest.Item) -> Iterator[str]:
    """By what the lists may name it: its folder, its file, all of its arguments or these."""
    file = item.path.relative_to(_TESTS).as_posix()
    yield f"{file.partition('/')[0]}/"
    yield file
    yield f"{file}::{item.name.partition('[')[0]}"
    if "[" in item.name:
        yield f"{file}::{item.name}"


def _is_narrowed(config: pytest.Config) -> bool:
    """Whether a file may have tests that are not among those collected."""
    option = config.option
    return bool(option.keyword or option.markexpr) or any("::" in each for each in config.args)


def _refuse_unknown(used: set[str]) -> None:
    for name in FAILING.keys() | LEFT_OUT.keys():
        file, _, test = name.partition("::")
        if test and file in used and name not in used:
            raise pytest.UsageError(f"tests/cluster/differing.py: there is no test {name}")
