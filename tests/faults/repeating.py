"""How often each fault strikes, and what the faults of a test met."""

import pytest

from tests.effort import effort

TIMES = effort("PGWALLET_FAULTS", part=2, full=5)

# The number seeds the moment of the fault, so a failed one can be called again by its id.
repeatedly = pytest.mark.parametrize("number", range(1, TIMES + 1))

# For each fault of the test that runs: its kind, and how many calls or batches turned out to be
# committed although nobody was told, which shows whether faults fall where they hurt.
struck: list[tuple[str, int]] = []


def count(fault: str, committed_untold: int) -> None:
    struck.append((fault, committed_untold))
