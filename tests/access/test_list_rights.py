"""`list_rights` says what each role with an access is to have."""

import psycopg
import pytest

from tests.access.test_grants import READABLE
from tests.catalogue.access import ACCESSES
from tests.catalogue.calls import given_to

pytestmark = pytest.mark.sql


def rights_of(conn: psycopg.Connection, role: str) -> set[tuple[str, str]]:
    rows = conn.execute(
        "select l.access, l.object_name from pgwallet.list_rights() as l where l.role_name = %s",
        [role],
    ).fetchall()
    assert len(set(rows)) == len(rows)
    return set(rows)


@pytest.mark.parametrize("access", ACCESSES)
def test_it_lists_the_functions_and_views_of_an_access(
    conn: psycopg.Connection, access: str
) -> None:
    conn.execute("create role listed_role")
    conn.execute(f"select pgwallet.grant_{access}('listed_role')".encode())
    names = {*given_to(access), *READABLE[access]}
    assert rights_of(conn, "listed_role") == {(access, name) for name in names}


def test_a_role_that_is_gone_is_left_out(conn: psycopg.Connection) -> None:
    conn.execute("insert into pgwallet.role_grant (role_name, access) values ('gone', 'app')")
    assert rights_of(conn, "gone") == set()
