"""`pgwallet check`: what its exit codes tell apart, and what it writes down."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

import pgwallet
from tests.access.roles import as_role, login_role
from tests.cli.command import json_of, pgwallet_here
from tests.databases import as_owner

SOUND, BROKEN, NOT_CHECKED = 0, 1, 3
NOWHERE = "host=/nonexistent-pgwallet-directory"


@pytest.fixture
def role(server: str) -> Iterator[str]:
    with login_role(server) as name:
        yield name


@pytest.fixture
def observer(database: str) -> Iterator[psycopg.Connection]:
    """A ledger with one wallet in it."""
    with closing(psycopg.connect(database, autocommit=True)) as conn:
        wallet_id = pgwallet.create_wallet(conn, "ann").wallet_id
        pgwallet.deposit(conn, wallet_id, 5)
        yield conn


def spoil(conn: psycopg.Connection) -> None:
    conn.execute("update pgwallet.account set balance = 1 where kind = 'wallet'")


def test_a_sound_ledger_is_0(database: str, observer: psycopg.Connection) -> None:
    completed = pgwallet_here("check", database_url=database)
    assert completed.returncode == SOUND
    assert "found nothing" in completed.stdout


def test_a_violation_is_shown_and_is_1(database: str, observer: psycopg.Connection) -> None:
    spoil(observer)
    completed = pgwallet_here("check", database_url=database)
    assert completed.returncode == BROKEN
    assert "The balance is 1" in completed.stdout
    assert completed.stderr == ""


@pytest.mark.parametrize("url", [NOWHERE, "postgresql://127.0.0.1:1/x", "service=none"])
def test_a_server_that_is_not_reached_is_3(url: str) -> None:
    completed = pgwallet_here("check", database_url=url)
    assert completed.returncode == NOT_CHECKED
    assert completed.stderr.startswith("ERROR: ")
    assert "HINT: Look at --database-url" in completed.stderr


def test_a_check_that_is_cancelled_is_3(database: str, observer: psycopg.Connection) -> None:
    """As by a timeout, or by a standby server that has to replay what the check still reads."""
    spoil(observer)
    cut = f"{database} options='-c statement_timeout=2ms'"
    completed = pgwallet_here("check", database_url=cut)
    assert completed.returncode == NOT_CHECKED
    assert "canceling statement" in completed.stderr


def test_a_role_that_may_not_check_is_3(role: str, database: str) -> None:
    completed = pgwallet_here("check", database_url=as_role(database, role))
    assert completed.returncode == NOT_CHECKED
    assert "pgwallet grant auditor ROLE" in completed.stderr


def test_a_database_without_a_ledger_is_3(empty_database: str) -> None:
    assert pgwallet_here("check", database_url=empty_database).returncode == NOT_CHECKED


def test_the_metrics_tell_when_all_was_checked(
    role: str, database: str, observer: psycopg.Connection
) -> None:
    pgwallet_here("grant", "auditor", role, database_url=as_owner(database))
    assert json_of("metrics", database_url=database)["checked_at"] is None
    pgwallet_here("check", database_url=as_role(database, role))
    whole = pgwallet.ledger_metrics(observer)
    assert whole.checked_at is not None
    assert whole.violation_count == 0

    spoil(observer)
    pgwallet_here("check", "--since-transaction-id", "1", database_url=database)
    assert pgwallet.ledger_metrics(observer).checked_at == whole.checked_at
    pgwallet_here("check", database_url=database)
    again = pgwallet.ledger_metrics(observer)
    assert again.checked_at is not None
    assert (again.checked_at > whole.checked_at, again.violation_count) == (True, 1)


def test_where_nothing_can_be_written_it_looks_all_the_same(
    database: str, observer: psycopg.Connection
) -> None:
    reading = f"{database} options='-c default_transaction_read_only=on'"
    assert pgwallet_here("check", database_url=reading).returncode == SOUND
    assert pgwallet.ledger_metrics(observer).checked_at is None
    spoil(observer)
    assert pgwallet_here("check", database_url=reading).returncode == BROKEN
