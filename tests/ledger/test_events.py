"""Events: what changed without moving money is written down once, with who changed it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

import pgwallet
from pgwallet import Event
from tests.access.roles import as_role, login_role
from tests.databases import as_owner
from tests.ledger.calling import funded, project, refused, value

pytestmark = pytest.mark.sql

Change = tuple[str, Any, Any]


@pytest.fixture
def role(server: str) -> Iterator[str]:
    """It is dropped after the database that it has rights in."""
    with login_role(server) as name:
        yield name


def told(conn: psycopg.Connection, subject_id: int | None = None) -> list[Change]:
    events = pgwallet.list_events(conn, subject_id)
    return [(event.kind, event.before, event.after) for event in events]


def test_an_event_says_what_who_and_when(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    (event,) = pgwallet.list_events(conn, wallet_id)
    assert event == Event(
        event_id=event.event_id,
        subject_id=wallet_id,
        kind="create_wallet",
        changed_by=str(value(conn, "select session_user")),
        created_at=event.created_at,
        reason=None,
        before=None,
        after={"currency": "EUR", "owner_digest": event.after["owner_digest"]},
    )
    age = value(conn, "select clock_timestamp() - %s::timestamptz", event.created_at)
    assert 0 <= age.total_seconds() < 60


def test_a_project_is_made_and_ended_once(conn: psycopg.Connection) -> None:
    project_id = project(conn, "film")
    assert project(conn, "film") == project_id
    for _ in range(2):
        pgwallet.close_project(conn, project_id, "failed")
    with refused(conn, "PW204"):
        pgwallet.close_project(conn, project_id, "succeeded")
    made, closed = told(conn, project_id)
    assert made == (
        "create_project",
        None,
        {
            "reference": "film",
            "currency": "EUR",
            "commission_rate": 0.05,
            "fee_rate": 0.029,
            "fee_fixed": 0,
            "max_pledge": 100000,
        },
    )
    assert closed == ("close_project", {"status": "open"}, {"status": "failed"})


@pytest.mark.parametrize(("way", "outcome"), [("release", "succeeded"), ("refund", "failed")])
def test_to_settle_a_project_ends_it_too(database: str, way: str, outcome: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        project_id = project(conn, "film")
        conn.execute(f"call pgwallet.{way}_project(%s)".encode(), [project_id])
        assert told(conn, project_id)[1:] == [
            ("close_project", {"status": "open"}, {"status": outcome})
        ]


def test_settings_tell_what_is_different_also_by_hand(conn: psycopg.Connection) -> None:
    conn.execute("update pgwallet.settings set fee_rate = 0.03, max_pledge = 7")
    conn.execute("update pgwallet.settings set fee_rate = 0.03, max_pledge = 7")
    assert told(conn) == [
        (
            "update_settings",
            {"fee_rate": 0.029, "max_pledge": 100000},
            {"fee_rate": 0.03, "max_pledge": 7},
        )
    ]


def test_a_currency_tells_which_it_is(conn: psycopg.Connection) -> None:
    for limit in (50, 50, None):
        conn.execute(
            "update pgwallet.currency set max_pledge = %s where currency in ('EUR')", [limit]
        )
    without, limited = ({"currency": "EUR", "max_pledge": limit} for limit in (None, 50))
    assert told(conn) == [
        ("update_currency", without, limited),
        ("update_currency", limited, without),
    ]


def test_an_access_is_told_when_it_is_given_and_when_it_is_taken(role: str, database: str) -> None:
    name = {"role_name": role, "access": "auditor"}
    with psycopg.connect(as_owner(database)) as owner:
        for _ in range(2):
            owner.execute("select pgwallet.grant_auditor(%s)", [role])
        owner.execute("comment on function pgwallet.grant_app(name) is 'edited'")
    assert pgwallet.migrate(as_owner(database)).functions_installed
    with psycopg.connect(as_owner(database)) as owner:
        assert told(owner) == [("grant_auditor", None, name)]
        owner.execute("delete from pgwallet.role_grant")
        assert told(owner)[1:] == [("revoke_auditor", name, None)]


def test_whoever_may_update_settings_needs_no_right_to_events(role: str, database: str) -> None:
    with psycopg.connect(as_owner(database)) as owner:
        owner.execute(
            sql.SQL(
                "grant usage on schema pgwallet to {role};"
                "grant select, update on pgwallet.settings to {role}"
            ).format(role=sql.Identifier(role))
        )
    with psycopg.connect(as_role(database, role)) as dba:
        dba.execute("update pgwallet.settings set fee_rate = 0.03")
    with psycopg.connect(database) as conn:
        (event,) = pgwallet.list_events(conn)
    assert (event.kind, event.changed_by) == ("update_settings", role)


def test_an_event_names_who_began_the_session(role: str, database: str) -> None:
    with psycopg.connect(as_owner(database)) as owner:
        owner.execute("select pgwallet.grant_operator(%s)", [role])
    with psycopg.connect(as_role(database, role)) as conn:
        (event,) = pgwallet.list_events(conn, funded(conn, "ada", 0))
    assert event.changed_by == role
    with psycopg.connect(database) as conn:
        began_as = value(conn, "select session_user")
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        (event,) = pgwallet.list_events(conn, funded(conn, "bob", 0))
    assert event.changed_by == began_as != role


def test_events_are_read_on_in_the_order_of_their_ids(conn: psycopg.Connection) -> None:
    wallets = [funded(conn, f"owner {number}", 0) for number in range(5)]
    first = pgwallet.list_events(conn, limit=2)
    second = pgwallet.list_events(conn, after_event_id=first[-1].event_id, limit=2)
    rest = pgwallet.list_events(conn, after_event_id=second[-1].event_id)
    assert [event.subject_id for event in (*first, *second, *rest)] == wallets
    assert pgwallet.list_events(conn, wallets[1]) == first[1:]
    assert pgwallet.list_events(conn, wallets[1], after_event_id=first[1].event_id) == []
    assert pgwallet.list_events(conn, 2**80) == []


def test_an_event_names_no_owner(conn: psycopg.Connection) -> None:
    funded(conn, "ada lovelace", 10)
    assert "lovelace" not in str(conn.execute("select * from pgwallet.event").fetchall())


@pytest.mark.parametrize("subject", ["null", "1024"])
def test_a_page_of_events_is_read_along_an_index(conn: psycopg.Connection, subject: str) -> None:
    conn.execute(
        "insert into pgwallet.event (kind, subject_id) "
        "select 'made up', 1024 * (n % 100) from generate_series(1, 20000) as n"
    )
    conn.execute("analyze pgwallet.event")
    # What the first call reads of the catalogs is not counted.
    for _ in range(2):
        row = conn.execute(
            "explain (analyze, buffers, format json) "
            f"select * from pgwallet.list_events({subject}, 10000, 10)".encode()
        ).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    assert plan["Actual Rows"] == 10
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 40
