"""The tests that cannot hold through a router, by reason."""

from enum import StrEnum


class Why(StrEnum):
    """Sentences that docs/concepts/cluster.md says at more length."""

    COMMITTED = "A call commits on its shard at once: it holds no lock, and no rollback undoes it."


_BY_REASON: dict[Why, str] = {}

DIFFERING = {name: why for why, names in _BY_REASON.items() for name in names.split()}
