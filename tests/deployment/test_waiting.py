"""`migrate` says whom it waits for, and waits in short tries, so that nobody waits long behind."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Event

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.deployment import DeploymentError, MigrationReport, migrating
from pgwallet.deployment.code import Migration, read_code
from tests.access.roles import as_role, login_role
from tests.databases import as_owner
from tests.deployment.contention import deployment_lock
from tests.ledger.calling import funded

pytestmark = pytest.mark.sql

DEADLINE = 20.0  # seconds
WIDER = "9999_wider_accounts"

# A deposit waits behind the first of them.
TABLES = (
    *("account", "wallet", "pocket", "project", "escrow", "transaction", "posting", "event"),
    *("seal", "seal_balance", "seal_flow", "seal_project", "settings", "role_grant"),
)

WAITED_FOR = """
select from pg_locks as l
where not l.granted and l.mode = 'AccessExclusiveLock'
  and l.relation = ('pgwallet.' || %s::text)::regclass
"""


@pytest.fixture
def wider(monkeypatch: pytest.MonkeyPatch) -> None:
    """This version has one more migration, which needs a table that all calls write to."""
    code = read_code()
    script = f"""
        alter table pgwallet.account add column note text;
        insert into pgwallet._yoyo_migration values ('{WIDER}', '{WIDER}', now());
        """
    more = replace(code, migrations=(*code.migrations, Migration(WIDER, script)))
    monkeypatch.setattr(migrating, "read_code", lambda: more)


@contextmanager
def left_open(database: str, wallet_id: int) -> Iterator[int]:
    """A transaction of somebody who deposited and went for a coffee; yields its process's id."""
    with psycopg.connect(database, application_name="a report") as conn:
        pgwallet.deposit(conn, wallet_id, 1)
        yield conn.info.backend_pid


@contextmanager
def deposits(database: str, wallet_id: int) -> Iterator[list[float]]:
    """How long each of the deposits took that somebody makes meanwhile."""
    done = Event()
    took: list[float] = []

    def deposit() -> None:
        with psycopg.connect(database, autocommit=True) as conn:
            while not done.is_set():
                begun = time.monotonic()
                pgwallet.deposit(conn, wallet_id, 1)
                took.append(time.monotonic() - begun)

    with ThreadPoolExecutor() as pool:
        work = pool.submit(deposit)
        try:
            yield took
        finally:
            done.set()
        work.result()


def until_told(caplog: pytest.LogCaptureFixture, work: Future[MigrationReport], what: str) -> str:
    """The first warning of `migrate` that says so, while it waits."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and not work.done():
        for message in caplog.messages:
            if what in message:
                return message
        time.sleep(0.01)
    raise AssertionError(f"{caplog.messages}, {work}")


def test_deposits_go_on_behind_a_migration_that_waits_for_a_forgotten_transaction(
    database: str, wider: None, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(database) as conn:
        forgotten, used = (funded(conn, owner, 10) for owner in ("ada", "bob"))

    with ThreadPoolExecutor() as pool, deposits(database, used) as took:
        with left_open(database, forgotten) as pid:
            work = pool.submit(pgwallet.migrate, as_owner(database))
            message = until_told(caplog, work, f"what {WIDER} has to lock")
            time.sleep(2.5)  # Several tries, of which the first ones come close to each other.
        assert work.result().applied == (WIDER,)

    assert f"pid {pid} (a report, role postgres" in message
    assert "account" in message
    # A second is the promise; the rest is for a machine that is busy with other tests.
    assert max(took) < 2
    assert len([message for message in caplog.messages if "in the way" in message]) == 1


@pytest.fixture
def wider_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """This version has one more migration, which needs many tables, one after the other."""
    code = read_code()
    script = "\n".join(
        [
            *(f"alter table pgwallet.{table} add column note text;" for table in TABLES),
            f"insert into pgwallet._yoyo_migration values ('{WIDER}', '{WIDER}', now());",
        ]
    )
    more = replace(code, migrations=(*code.migrations, Migration(WIDER, script)))
    monkeypatch.setattr(migrating, "read_code", lambda: more)


def test_a_try_does_not_wait_for_one_table_after_the_other(
    database: str, wider_everywhere: None
) -> None:
    """A reader of each goes when the migration has waited for a moment: together, for 1.5 s."""
    with psycopg.connect(database) as conn:
        wallet_id = funded(conn, "ada", 10)

    with ExitStack() as stack:
        readers = [stack.enter_context(psycopg.connect(database)) for _ in TABLES]
        look = stack.enter_context(psycopg.connect(database, autocommit=True))
        for reader, table in zip(readers, TABLES, strict=True):
            reader.execute(f"select from pgwallet.{table} limit 1".encode())
        took = stack.enter_context(deposits(database, wallet_id))
        work = stack.enter_context(ThreadPoolExecutor()).submit(
            pgwallet.migrate, as_owner(database)
        )
        for reader, table in zip(readers, TABLES, strict=True):
            while not (look.execute(WAITED_FOR, [table]).fetchall() or work.done()):
                time.sleep(0.005)
            time.sleep(0.1)
            reader.rollback()
        assert work.result().applied == (WIDER,)
    # A second is the promise; the rest is for a machine that is busy with other tests.
    assert max(took) < 1.2


def test_transactions_that_come_and_go_are_not_in_the_way(
    database: str, wider: None, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(database) as conn:
        wallet_id = funded(conn, "ada", 10)
    done = Event()

    def come_and_go() -> None:
        with psycopg.connect(database, autocommit=True, application_name="busy") as conn:
            while not done.is_set():
                conn.execute("select pg_sleep(0.02) from pgwallet.account limit 1")

    with ThreadPoolExecutor() as pool:
        busy = pool.submit(come_and_go)
        try:
            with (
                left_open(database, wallet_id),
                pytest.raises(DeploymentError, match=r"In the way: pid \d+ .a report") as refused,
            ):
                pgwallet.migrate(as_owner(database), wait=1)
        finally:
            done.set()
        busy.result()
    assert "a report" in caplog.text
    assert "busy" not in caplog.text + str(refused.value)


def test_it_gives_up_in_the_end_and_names_who_is_in_the_way(database: str, wider: None) -> None:
    with psycopg.connect(database) as conn:
        wallet_id = funded(conn, "ada", 10)

    begun = time.monotonic()
    with (
        left_open(database, wallet_id) as pid,
        pytest.raises(DeploymentError, match=f"was not to be had; nothing .* pid {pid} .a report"),
    ):
        pgwallet.migrate(as_owner(database), wait=0.5)
    assert time.monotonic() - begun < 5
    with psycopg.connect(database) as conn:
        pgwallet.deposit(conn, wallet_id, 1)


def test_it_says_which_other_deployment_it_waits_for(
    empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    holder = make_conninfo(empty_database, application_name="another migrate")
    with ThreadPoolExecutor() as pool:
        with deployment_lock(holder):
            work = pool.submit(pgwallet.migrate, empty_database)
            message = until_told(caplog, work, "the lock of deployments")
        assert work.result().functions_installed

    assert "(another migrate, role postgres, idle in transaction, for " in message


def test_with_nothing_to_do_it_waits_for_nobody(database: str) -> None:
    with deployment_lock(database):
        assert not pgwallet.migrate(as_owner(database), wait=0).functions_installed


def test_a_role_that_may_not_see_what_others_do_names_them_still(
    server: str, empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with login_role(server) as role:
        with psycopg.connect(empty_database) as conn:
            conn.execute(f'create schema pgwallet authorization "{role}"'.encode())
        with ThreadPoolExecutor() as pool:
            with deployment_lock(make_conninfo(empty_database, application_name="a secret")):
                work = pool.submit(pgwallet.migrate, as_role(empty_database, role))
                message = until_told(caplog, work, "the lock of deployments")
            assert work.result().functions_installed
        with psycopg.connect(empty_database) as conn:
            conn.execute("drop schema pgwallet cascade")

    assert "(a secret, role postgres, pg_read_all_stats would show its state)" in message
