"""Completes what was broken off on its way over several shards."""

import heapq
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import pgwallet

from .checking import rows_of
from .file import ClusterFile
from .members import member

logger = logging.getLogger("pgwallet")

_PROJECTS = """
select p.project_id, p.reference, p.currency, p.status from pgwallet.project as p
order by p.project_id
"""

_PLANS = """
select p.idempotency_key, p.request, p.state, p.failure from pgwallet.complete_plans('0') as p
"""


@dataclass(frozen=True, slots=True)
class LeftPlan:
    """A call on several shards that was broken off: its `state` now, and what is in its way."""

    idempotency_key: str
    request: str
    state: str
    failure: str | None


@dataclass(frozen=True, slots=True)
class CompletionReport:
    """What was completed: projects that not all shards had, or had closed, and plans."""

    created: tuple[int, ...]
    closed: tuple[int, ...]
    plans: tuple[LeftPlan, ...]


@dataclass(frozen=True, slots=True)
class _Half:
    """A project that shards do not agree on."""

    project_id: int
    reference: str
    currency: str
    is_everywhere: bool
    outcome: str | None


def complete(cluster: ClusterFile) -> CompletionReport:
    """Finishes payouts, transfers and the like that were broken off, creations and closings of
    projects that did not reach all shards.

    Each is the call that was broken off, once more: what it did it does not do again. Beside calls
    that are under way it does no harm. Raises what the calls raise.
    """
    created, closed = [], []
    with member("router 0", cluster.routers[0]) as router:
        router.execute("set pgwallet.separate_commits = on")
        for half in _half_done(cluster):
            if not half.is_everywhere:
                pgwallet.create_project(router, half.reference, half.currency)
                created.append(half.project_id)
                logger.info("project %s is on all shards", half.project_id)
            if half.outcome is not None:
                pgwallet.close_project(router, half.project_id, half.outcome)
                closed.append(half.project_id)
                logger.info("project %s has %s on all shards", half.project_id, half.outcome)
        plans = tuple(LeftPlan(*row) for row in router.execute(_PLANS))
    return CompletionReport(tuple(created), tuple(closed), plans)


def _half_done(cluster: ClusterFile) -> Iterator[_Half]:
    count = len(cluster.shards)
    with ExitStack() as stack:
        rows = heapq.merge(
            *(
                rows_of(stack, f"shard {shard.number}", shard.conninfo, shard.number, _PROJECTS)
                for shard in cluster.shards
            ),
            key=itemgetter(1),
        )
        for project_id, same in groupby(rows, key=itemgetter(1)):
            there = [*same]
            _, _, reference, currency, _ = there[0]
            states = {shard: status for shard, *_, status in there}
            # The home decides, and is asked first.
            decided = states.get((project_id >> 10) % count)
            differs = len(set(states.values())) > 1 or (len(states) < count and decided != "open")
            outcome = decided if differs and decided not in (None, "open") else None
            if len(states) < count or outcome is not None:
                yield _Half(project_id, reference, currency, len(states) == count, outcome)
