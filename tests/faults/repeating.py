"""How often each fault strikes, and what the faults of a session met."""

import os
from collections import Counter

import pytest

# 5 times, or as often as PGWALLET_FAULTS says.
TIMES = int(os.environ.get("PGWALLET_FAULTS") or 5)

# The number seeds the moment of the fault, so a failed one can be called again by its id.
repeatedly = pytest.mark.parametrize("number", range(1, TIMES + 1))

# Of each kind of fault: how many there were, and how many calls or batches turned out to be
# committed although nobody was told. Both show that faults fall where they hurt.
injected: Counter[str] = Counter()
untold: Counter[str] = Counter()


def count(fault: str, committed_untold: int) -> None:
    injected[fault] += 1
    untold[fault] += committed_untold
