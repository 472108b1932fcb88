"""Each function tells of what it changed, once: by an event, or by what moved money."""

import psycopg
import pytest

import pgwallet
from tests.catalogue.calls import CALLS, FUNCTIONS, good
from tests.catalogue.world import World, world_in
from tests.ledger.calling import call, everything, value

pytestmark = pytest.mark.sql

# What is written beside the tables of everything().
OTHERS = (
    "select md5(concat((select string_agg(g::text, ' ' order by g::text) "
    "from pgwallet.role_grant as g), (select string_agg(c::text, ' ' order by c::text) "
    "from pgwallet.currency as c), (select s::text from pgwallet.settings as s)))"
)
# What it moves, and what becomes of it besides.
BOTH = {"close_pocket", "resolve_dispute"}
# What it tells of each time, though it changed nothing.
ALWAYS = {"record_check"}


def told_by(conn: psycopg.Connection, name: str, world: World) -> tuple[bool, bool, list[str]]:
    """Whether a good call moved money, whether it changed anything, and the kinds of its events."""
    before, others = everything(conn), value(conn, OTHERS)
    last = value(conn, "select coalesce(max(event_id), 0) from pgwallet.event")
    try:
        with conn.transaction():
            call(conn, name, **good(name, world))
    except psycopg.Error:
        assert everything(conn) == before
    after = everything(conn)
    changed = {table for table in after if after[table] != before[table]} - {"event"}
    kinds = [event.kind for event in pgwallet.list_events(conn, after_event_id=last)]
    moved = "transaction" in changed
    return moved, bool(changed) or value(conn, OTHERS) != others, kinds


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_change_is_told_once(undone: psycopg.Connection, world: World, name: str) -> None:
    # The same call again changes nothing more, but where it moves money again.
    for turn in range(2):
        moved, changed, kinds = told_by(undone, name, world)
        if name in ALWAYS or (moved and name == "erase_owner"):
            assert kinds == [name]
        elif name == "skip_ids":
            assert kinds == [name]  # Of sequences, which are no rows.
        elif moved:
            assert kinds == ([name] if name in BOTH and turn == 0 else [])
        else:
            assert kinds == ([name] if changed else [])
    assert pgwallet.check_ledger(undone) == []


def test_no_event_names_an_owner(undone: psycopg.Connection) -> None:
    """Of all functions that take or show one."""
    world = world_in(undone, " Lovelace")
    for name in FUNCTIONS:
        if CALLS[name].changes_something:
            told_by(undone, name, world)
    # A digest may have "ada" among its digits.
    own = (
        "select count(*) from pgwallet.event as e where e.kind <> 'create_project' "
        "and regexp_replace(e::text, '[0-9a-f]{32,}', '', 'g') like "
    )
    assert value(undone, own + "'%%ada%%'") == 0
    assert value(undone, own + "'%%Lovelace%%'") == 0
