"""Completes what was broken off on its way over several shards."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg
from psycopg import sql

import pgwallet

from .adopting import give_projects
from .file import ClusterFile
from .members import member, reached
from .reading import by_first_column
from .torn import mend, torn_parts

logger = logging.getLogger("pgwallet")

_PROJECTS = """
select p.project_id, p.status, pgwallet_shard.home_of_project(p.project_id, i.shard_count)
from pgwallet.project as p
cross join pgwallet_shard.identity as i
order by p.project_id
"""

_ROW = "select jsonb_agg(to_jsonb(p))::text from pgwallet.project as p where p.project_id = %s"

# Those of a shard's own range were made there, not through a router: check names them.
_ON_ALL = 1 << 46

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
    shards: frozenset[int]
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
            if len(half.shards) < len(cluster.shards):
                _make_everywhere(cluster, half)
                created.append(half.project_id)
                logger.info("project %s is on all shards", half.project_id)
            if half.outcome is not None:
                pgwallet.close_project(router, half.project_id, half.outcome)
                closed.append(half.project_id)
                logger.info("project %s has %s on all shards", half.project_id, half.outcome)
        plans = [LeftPlan(*row) for row in router.execute(_PLANS)]
        plans += _mended(cluster, router)
    return CompletionReport(tuple(created), tuple(closed), tuple(plans))


def _mended(cluster: ClusterFile, router: psycopg.Connection) -> Iterator[LeftPlan]:
    """What a database that came back as it was before has lost of plans, or kept alone."""
    router.execute(sql.SQL("set role {}").format(sql.Identifier(cluster.owner)))
    for part in [*torn_parts(cluster)]:
        request = part.request or "a call that is not known any more"
        what = f"part {part.place} of plan {part.plan_id}: {request}"
        try:
            failure = mend(router, part)
        except psycopg.Error as error:
            failure = error.diag.message_primary or str(error)
        state = "done" if part.state == "done" else "undone"
        yield LeftPlan("", what, "open" if failure else state, failure)
    router.execute("reset role")


def _make_everywhere(cluster: ClusterFile, half: _Half) -> None:
    with ExitStack() as stack:
        conns = [
            stack.enter_context(reached(f"shard {shard.number}", shard.conninfo))
            for shard in cluster.shards
        ]
        (projects,) = conns[min(half.shards)].execute(_ROW, [half.project_id]).fetchone() or (None,)
        lacking = (conn for number, conn in enumerate(conns) if number not in half.shards)
        give_projects(lacking, projects or "[]")


def _half_done(cluster: ClusterFile) -> Iterator[_Half]:
    count = len(cluster.shards)
    for project_id, rows in by_first_column(cluster, _PROJECTS):
        if project_id >= _ON_ALL:
            continue
        states = {shard: status for shard, _, status, _ in rows}
        # The home decides, and is asked first.
        home = rows[0][3]
        decided = states.get(home)
        differs = len(set(states.values())) > 1 or (len(states) < count and decided != "open")
        outcome = decided if differs and decided not in (None, "open") else None
        if len(states) < count or outcome is not None:
            yield _Half(project_id, frozenset(states), outcome)
