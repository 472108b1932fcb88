"""What was done by hand to the functions is reported by `status` and mended by `migrate`."""

from collections.abc import Callable

import psycopg
import pytest

import pgwallet
from pgwallet.deployment import DeploymentError, Drift
from tests.databases import as_owner

pytestmark = pytest.mark.sql

GRANT_APP = "pgwallet.grant_app(name)"

EDITS = {
    "body": """
        create or replace function pgwallet.grant_app(p_role name) returns void
        language plpgsql set search_path = pg_catalog, pg_temp as 'begin end'
        """,
    "settings": "alter function pgwallet.grant_app(name) reset search_path",
    "comment": "comment on function pgwallet.grant_app(name) is 'mine'",
    "result": """
        drop function pgwallet.grant_app(name);
        create function pgwallet.grant_app(p_role name) returns int language sql return 1;
        revoke execute on function pgwallet.grant_app(name) from public
        """,
    "argument name": """
        drop function pgwallet.grant_app(name);
        create function pgwallet.grant_app(p_other name) returns void language sql as 'select'
        """,
    "kind": """
        drop function pgwallet.grant_app(name);
        create procedure pgwallet.grant_app(p_role name) language sql as 'select'
        """,
}


def run(conninfo: str, script: str) -> None:
    with psycopg.connect(as_owner(conninfo)) as conn:
        conn.execute(script.encode())


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edited_function_is_reported_and_mended(
    database: str, definition: Callable[[str], object], edit: str
) -> None:
    before = definition(GRANT_APP)
    run(database, edit)
    assert definition(GRANT_APP) != before

    found = pgwallet.status(as_owner(database)).drift
    # What was made anew is for PUBLIC, too.
    (drift,) = (each for each in found if each.what != "rights")
    assert (drift.kind, drift.name, drift.what) == ("function", GRANT_APP, "edited")
    assert drift.detail.startswith("another ")
    assert not pgwallet.status(as_owner(database)).up_to_date
    assert pgwallet.migrate(as_owner(database)).mended == found

    assert pgwallet.status(as_owner(database)).up_to_date
    assert definition(GRANT_APP) == before


def test_a_missing_function_is_reported_and_mended(database: str) -> None:
    run(database, "drop function pgwallet.grant_app(name)")

    expected = (Drift("function", GRANT_APP, "missing"),)
    assert pgwallet.status(as_owner(database)).drift == expected
    assert pgwallet.migrate(as_owner(database)).mended == expected
    assert pgwallet.status(as_owner(database)).up_to_date


def test_functions_that_the_code_does_not_have_are_removed(database: str) -> None:
    run(
        database,
        """
        create function pgwallet.grant_app(p_overload int) returns int language sql return 1;
        create procedure pgwallet.old(p_text text) language sql as 'select';
        create aggregate pgwallet.total(numeric) (sfunc = numeric_add, stype = numeric);
        create function pgwallet.one() returns int language sql return 1;
        create function pgwallet.depends_on_one() returns int language sql return pgwallet.one();
        """,
    )
    unknown = (
        "pgwallet.depends_on_one()",
        "pgwallet.grant_app(integer)",
        "pgwallet.old(text)",
        "pgwallet.one()",
        "pgwallet.total(numeric)",
    )

    drift = tuple(Drift("function", signature, "unknown") for signature in unknown)
    assert pgwallet.status(as_owner(database)).drift == drift
    report = pgwallet.migrate(as_owner(database))

    assert (report.mended, report.removed) == (drift, unknown)
    assert pgwallet.status(as_owner(database)).up_to_date


def test_functions_of_an_older_version_are_removed_and_its_text_replaced(database: str) -> None:
    run(
        database,
        """
        create function pgwallet.old() returns int language sql return 1;
        insert into pgwallet.deployment (source_hash, version) values ('older', '0.0.1')
        """,
    )
    found = pgwallet.status(as_owner(database))
    assert (found.functions_differ, found.drift, found.up_to_date) == (True, (), False)

    report = pgwallet.migrate(as_owner(database))

    assert (report.mended, report.removed) == ((), ("pgwallet.old()",))
    assert pgwallet.status(as_owner(database)).up_to_date


def test_a_function_that_others_use_is_not_pulled_from_under_them(database: str) -> None:
    run(
        database,
        "create function pgwallet.old() returns int language sql return 1;"
        "create schema reports; create view reports.daily as select pgwallet.old()",
    )

    with pytest.raises(DeploymentError, match=r"view reports\.daily depends"):
        pgwallet.migrate(as_owner(database))

    run(database, "drop view reports.daily")
    assert pgwallet.migrate(as_owner(database)).removed == ("pgwallet.old()",)


def test_functions_of_an_extension_stay(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("create function pgwallet.guest() returns int language sql return 1")
        conn.execute("alter extension plpgsql add function pgwallet.guest()")
        conn.execute("comment on function pgwallet.grant_app(name) is 'edited'")

    assert pgwallet.migrate(as_owner(database)).removed == ()

    with psycopg.connect(database) as conn:
        assert conn.execute("select pgwallet.guest()").fetchone() == (1,)
        conn.execute("alter extension plpgsql drop function pgwallet.guest()")


def test_finishing_without_having_installed_removes_nothing(database: str) -> None:
    with (
        psycopg.connect(as_owner(database)) as conn,
        pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState),
    ):
        conn.execute("select pgwallet._finish_install('by hand', '0.0.1')")

    assert pgwallet.status(as_owner(database)).up_to_date


@pytest.fixture
def definition(database: str) -> Callable[[str], object]:
    """Reads what a function is: its text, its comment and its rights."""

    def read(signature: str) -> object:
        with psycopg.connect(database) as conn:
            return conn.execute(
                """
                select pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc'), p.proacl::text
                from pg_proc as p where p.oid = %s::regprocedure
                """,
                [signature],
            ).fetchall()

    return read
