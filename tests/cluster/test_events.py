"""What changed without moving money is told once, with who asked a router for it."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

import pgwallet
from pgwallet import cluster
from pgwallet.cluster.functions import TELLING
from tests import clusters, databases
from tests.access.roles import as_role, login_role
from tests.catalogue.calls import CALLS, FUNCTIONS, good
from tests.catalogue.world import World, world_in
from tests.ledger.calling import call

# A name of its own where a call of the catalogue takes one that another test may have taken.
NAMED = {
    "create_wallet": "p_owner_id",
    "create_project": "p_reference",
    "create_currency": "p_currency",
}
KINDS = {"update_settings", "update_currency", *(TELLING & CALLS.keys())}

# An event, and by whom: shard, id, kind, subject, role.
Told = tuple[int, int, str, int | None, str]


@pytest.fixture
def somebody(cluster_server: str) -> Iterator[str]:
    """Who may do what the owner of the routers may, and is somebody else."""
    with login_role(cluster_server, "somebody") as name:
        with psycopg.connect(cluster_server) as conn:
            conn.execute(
                sql.SQL("grant {} to {}").format(
                    sql.Identifier(databases.OWNER), sql.Identifier(name)
                )
            )
        yield name


def _written(whole: cluster.ClusterFile, after: list[int]) -> Iterator[Told]:
    for shard, last in zip(whole.shards, after, strict=True):
        with psycopg.connect(shard.conninfo) as conn:
            for event in conn.execute(
                "select event_id, kind, subject_id, changed_by::text from pgwallet.event "
                "where event_id > %s order by event_id",
                [last],
            ).fetchall():
                yield shard.number, *event


def _last(whole: cluster.ClusterFile) -> list[int]:
    last = dict.fromkeys(range(len(whole.shards)), 0)
    last |= {shard: event for shard, event, *_ in _written(whole, [0] * len(last))}
    return [*last.values()]


def _done(conn: psycopg.Connection, name: str, world: World, number: int) -> bool:
    arguments = good(name, world)
    if name in NAMED:
        arguments |= {NAMED[name]: f"WHO{number}"}
    if CALLS[name].is_keyed:
        arguments = CALLS[name].keyed(arguments, f"who {number}")
    try:
        call(conn, name, **arguments)
    except psycopg.DatabaseError as refused:
        if refused.sqlstate is None or not refused.sqlstate.startswith("PW"):
            raise
        return False
    return True


def test_an_event_names_who_asked_the_router(
    router: psycopg.Connection, whole: cluster.ClusterFile, somebody: str
) -> None:
    last = _last(whole)
    with psycopg.connect(as_role(whole.routers[0], somebody), autocommit=True) as conn:
        conn.execute("set pgwallet.caller = 'somebody else'")
        world = world_in(conn, " who")
        for number, name in enumerate(FUNCTIONS):
            if not CALLS[name].changes_something and name not in TELLING:
                continue
            # What one call closes, another would change.
            if not _done(conn, name, world, number):
                world = world_in(conn, f" who {number}")
                assert _done(conn, name, world, number), name
        for limit in (9999, 10000):
            conn.execute("update pgwallet.settings set max_metadata_bytes = %s", [limit])
        for name in ("Thai Baht", "Baht"):
            conn.execute("update pgwallet.currency set name = %s where currency = 'THB'", [name])

    written = [*_written(whole, last)]
    named = {event[:4] for event in written if event[4] == somebody}
    assert {kind for _, _, kind, _ in named} == KINDS
    # On the other shards it is the routers that did what one of them tells.
    assert {event[4] for event in written} == {somebody, clusters.ROLE}
    assert {event[2:4] for event in written} == {event[2:] for event in named}
    told = {
        (event.event_id, event.changed_by)
        for shard in whole.shards
        for event in pgwallet.list_events(router, None, last[shard.number], 10000)
        if event.event_id > last[(event.event_id >> 46) - 1]
    }
    assert told == {(event_id, somebody) for _, event_id, _, _ in named}
