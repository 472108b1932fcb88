"""`show_deployment` tells roles that read no tables what is installed."""

import psycopg
import pytest

import pgwallet
from pgwallet.deployment.code import read_code
from tests.databases import OWNER

pytestmark = pytest.mark.sql

SHOWN = """
  select s.version, s.source_hash, s.owner_name, s.migrations from pgwallet.show_deployment() as s
"""


def test_it_tells_version_owner_and_migrations(conn: psycopg.Connection) -> None:
    code = read_code()
    migrations = [migration.id for migration in code.migrations]
    shown = (pgwallet.__version__, code.functions_hash, OWNER, migrations)
    assert conn.execute(SHOWN).fetchall() == [shown]


def test_it_tells_of_the_last_deployment_alone(conn: psycopg.Connection) -> None:
    conn.execute(
        "insert into pgwallet.deployment (version, source_hash, owner_name)"
        " values ('99.0.0', 'another', 'somebody')"
    )
    ((*last, _),) = conn.execute(SHOWN).fetchall()
    assert last == ["99.0.0", "another", "somebody"]
