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

_PLANS = "select c.request, c.state, c.failure from pgwallet.complete_plans(interval '0') as c"


@dataclass(frozen=True, slots=True)
class CompletionReport:
    """What was completed: ids of projects that not all shards had, or had closed, and the number of
    plans, such as payouts."""

    created: tuple[int, ...]
    closed: tuple[int, ...]
    plans: int


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
    created, closed, plans = [], [], 0
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
        for request, state, failure in router.execute(_PLANS):
            if state in ("done", "undone"):
                plans += 1
            else:
                logger.warning("%s is not completed: %s", request, failure)
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
