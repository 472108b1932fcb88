"""To choose the id of a project is for operators: an application would choose it for others too."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors, sql

import pgwallet
from tests.access.roles import ODD_NAME, as_role, login_role
from tests.databases import OWNER, as_owner
from tests.ledger.calling import value

pytestmark = pytest.mark.sql

CHOSEN = 2**44


@pytest.fixture(params=["plain", "odd"])
def role(request: pytest.FixtureRequest, server: str) -> Iterator[str]:
    with login_role(server, *([ODD_NAME] if request.param == "odd" else [])) as name:
        yield name


def choose(conn: psycopg.Connection) -> int:
    return pgwallet.create_project(conn, "film", project_id=CHOSEN).project_id


def grant(database: str, access: str, role: str) -> None:
    with psycopg.connect(as_owner(database)) as conn:
        conn.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])


def test_an_application_cannot_choose_the_id_of_a_project(role: str, database: str) -> None:
    grant(database, "app", role)
    with psycopg.connect(as_role(database, role)) as conn:
        for _ in range(2):
            with pytest.raises(errors.InsufficientPrivilege) as caught, conn.transaction():
                choose(conn)
            assert "p_project_id" in (caught.value.diag.message_primary or "")
            assert "grant_operator" in (caught.value.diag.message_hint or "")
        assert pgwallet.create_project(conn, "film").project_id < CHOSEN


def test_an_operator_can(role: str, database: str) -> None:
    grant(database, "operator", role)
    with psycopg.connect(as_role(database, role)) as conn:
        assert choose(conn) == CHOSEN


def test_the_role_that_a_session_took_on_counts(role: str, database: str) -> None:
    """A superuser who acts as the application is one, and who acts as the owner is the owner."""
    grant(database, "app", role)
    with psycopg.connect(database) as conn:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        with pytest.raises(errors.InsufficientPrivilege), conn.transaction():
            choose(conn)
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(OWNER)))
        assert value(conn, "select current_user") == OWNER
        assert choose(conn) == CHOSEN
