"""Plans that their home and the shards of their parts have different memories of.

That is so after a database has come back as it was before: a plan is written down before its first
part and is done after its last one, but what one shard lost another may have.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from .file import ClusterFile
from .members import member
from .reading import by_first_column

# Those that are on their way, `complete_plans` ends.
_PLANS_AND_PARTS = """
select p.plan_id, p.state, jsonb_array_length(p.parts), null::integer as place
from pgwallet_shard.plan as p
union all
select p.plan_id, null, null, p.place
from pgwallet_shard.part as p
where not p.is_cancelled
order by 1
"""

_NOW = "select p.state, p.request, p.parts::text from pgwallet_shard.plan as p where p.plan_id = %s"

_IS_DONE = """
select exists (
  select from pgwallet_shard.part as p
  where p.plan_id = %s and p.place = %s and not p.is_cancelled
)
"""

# By a router: a shard lets nobody else undo alone what several did.
_CANCEL = "select r.error from pgwallet_remote.cancel_part(%(shard)s, %(plan)s, %(place)s) as r"

_RUN = """
select r.error
from pgwallet_remote.show_plan(%(home)s, %(plan)s) as p
cross join lateral pgwallet_remote.run_part(
  %(shard)s, %(plan)s, %(place)s, p.parts -> %(place)s
) as r
"""

_SHARD = "select (%s::jsonb -> %s ->> 'shard')::integer"


@dataclass(frozen=True, slots=True)
class TornPart:
    """A part that its plan knows otherwise than its shard: `state` is None where there is no plan
    any more. One of a plan that is done is missing; one of any other has been done for nothing."""

    plan_id: int
    place: int
    shard: int
    state: str | None
    request: str

    def __str__(self) -> str:
        if self.state == "done":
            return f"Shard {self.shard} has lost part {self.place} of it."
        return f"Shard {self.shard} has done part {self.place} of it, and " + (
            "its home has lost it." if self.state is None else "it was taken back."
        )


def torn_parts(cluster: ClusterFile) -> Iterator[TornPart]:
    """In the order of the plans, the last part of each first, as they are to be taken back.

    What seems to be so while calls run is looked at once more.
    """
    for plan_id, rows in by_first_column(cluster, _PLANS_AND_PARTS):
        state, count = None, 0
        done: dict[int, int] = {}
        for shard, _, said, length, place in rows:
            if place is None:
                state, count = said, length
            else:
                done[place] = shard
        is_torn = len(done) < count if state == "done" else bool(done)
        if is_torn and state not in ("open", "undoing"):
            yield from _looked_at_again(cluster, plan_id, done)


def _looked_at_again(
    cluster: ClusterFile, plan_id: int, done: dict[int, int]
) -> Iterator[TornPart]:
    home = cluster.shards[(plan_id >> 46) - 1]
    with member(f"shard {home.number}", home.conninfo) as conn:
        state, request, parts = conn.execute(_NOW, [plan_id]).fetchone() or (None, "", None)
        if state in ("open", "undoing"):
            return
        if state != "done":
            for place in sorted(done, reverse=True):
                yield TornPart(plan_id, place, done[place], state, request)
            return
        (count,) = conn.execute("select jsonb_array_length(%s::jsonb)", [parts]).fetchone() or (0,)
        for place in range(count):
            (shard,) = conn.execute(_SHARD, [parts, place]).fetchone() or (0,)
            with member(f"shard {shard}", cluster.shards[shard].conninfo) as there:
                if there.execute(_IS_DONE, [plan_id, place]).fetchone() == (False,):
                    yield TornPart(plan_id, place, shard, state, request)


def mend(router: psycopg.Connection, part: TornPart) -> str | None:
    """Does what is missing, or takes back what was done for nothing; returns what is in the way.

    The connection is that of the role which owns the functions of the router.
    """
    row = router.execute(
        _RUN if part.state == "done" else _CANCEL,
        {
            "shard": part.shard,
            "home": (part.plan_id >> 46) - 1,
            "plan": part.plan_id,
            "place": part.place,
        },
    ).fetchone()
    error = row and row[0]
    return str(error[1]) if error else None
