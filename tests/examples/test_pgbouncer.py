"""Everything works through pgbouncer in transaction mode, with what the page says to set."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from psycopg import IsolationLevel, sql
from psycopg_pool import ConnectionPool

import pgwallet
from tests.access.roles import as_role, login_role
from tests.conftest import Connect
from tests.databases import OWNER, as_owner
from tests.examples import bouncer

CLIENTS = 8


@pytest.fixture
def pooler(database: str) -> Iterator[str]:
    """Conninfo of a pgbouncer in front of `database`, which it reaches by two connections."""
    with bouncer.in_front_of(database) as conninfo:
        yield conninfo


@pytest.fixture
def pool(pooler: str) -> Iterator[ConnectionPool[psycopg.Connection]]:
    """More clients than pgbouncer has connections, set as the page says."""
    options = {"prepare_threshold": None, "application_name": "shop"}
    with ConnectionPool(pooler, min_size=CLIENTS, max_size=CLIENTS, kwargs=options) as pool:
        pool.wait()
        yield pool


@pytest.fixture
def wallet_id(connect: Connect) -> int:
    """A wallet with 100 EUR."""
    conn = connect()
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, wallet_id, 100)
    conn.commit()
    return wallet_id


def balance(connect: Connect, account_id: int) -> int:
    return int(pgwallet.balance(connect(autocommit=True), account_id))


def a_project_with_pledges(connect: Connect, wallet_id: int, number: int) -> int:
    with connect() as conn:
        project_id = pgwallet.create_project(conn, "film", commission_rate=0, fee_rate=0).project_id
        pgwallet.pledge_many(conn, project_id, [wallet_id] * number, [1] * number)
    return project_id


def test_many_clients_share_two_connections_and_each_key_counts_once(
    connect: Connect, pool: ConnectionPool[psycopg.Connection], wallet_id: int
) -> None:
    def deposit(number: int) -> bool:
        with pool.connection() as conn:
            key = f"salary-{number % 20}"
            return pgwallet.deposit(conn, wallet_id, 5, idempotency_key=key).replayed

    with ThreadPoolExecutor(max_workers=CLIENTS) as threads:
        replayed = list(threads.map(deposit, range(80)))

    assert replayed.count(False) == 20
    assert balance(connect, wallet_id) == 200
    sessions = connect().execute(
        "select from pg_stat_activity"
        " where application_name = 'shop' and datname = current_database()"
    )
    assert sessions.rowcount == bouncer.SERVER_CONNECTIONS
    assert pool.get_stats()["pool_size"] == CLIENTS


def pay_too_much(conn: psycopg.Connection, wallet_id: int) -> None:
    conn.execute("create table note as select 'paid' as text")
    pgwallet.deposit(conn, wallet_id, 5)
    pgwallet.withdraw(conn, wallet_id, 5000)


def test_a_rollback_takes_the_ledgers_part_with_it(
    connect: Connect, pool: ConnectionPool[psycopg.Connection], wallet_id: int
) -> None:
    with pytest.raises(pgwallet.InsufficientFunds), pool.connection() as conn:
        pay_too_much(conn, wallet_id)

    assert balance(connect, wallet_id) == 100
    assert connect().execute("select to_regclass('note')").fetchone() == (None,)


def test_a_transaction_that_met_another_ones_way_is_repeated(
    connect: Connect, pool: ConnectionPool[psycopg.Connection], wallet_id: int
) -> None:
    other = connect(autocommit=True)
    attempts = []

    def withdraw(conn: psycopg.Connection) -> None:
        attempts.append(pgwallet.balance(conn, wallet_id))
        if len(attempts) == 1:
            pgwallet.deposit(other, wallet_id, 1)  # after this transaction's snapshot
        pgwallet.withdraw(conn, wallet_id, 30)

    with pool.connection() as conn:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        pgwallet.run_transaction(conn, withdraw)

    assert attempts == [100, 101]
    assert balance(connect, wallet_id) == 71


def test_a_release_commits_each_batch_and_leaves_the_connection_to_others_in_between(
    database: str, connect: Connect, wallet_id: int
) -> None:
    film = a_project_with_pledges(connect, wallet_id, 50)
    seen = []
    with (
        bouncer.in_front_of(database, "default_pool_size = 1") as pooler,
        psycopg.connect(pooler, prepare_threshold=None) as conn,
        psycopg.connect(pooler, prepare_threshold=None, autocommit=True) as another,
    ):
        for batch in pgwallet.release_project(conn, film, batch_size=20):
            pgwallet.deposit(another, wallet_id, 1)
            seen.append((batch.escrow_count, balance(connect, film)))

    assert seen == [(20, 20), (20, 40), (10, 50)]
    assert balance(connect, wallet_id) == 53


def test_the_procedure_commits_each_batch_too(
    connect: Connect, pooler: str, wallet_id: int
) -> None:
    film = a_project_with_pledges(connect, wallet_id, 50)
    seen = []
    observer = connect(autocommit=True)
    with psycopg.connect(pooler, autocommit=True, prepare_threshold=None) as conn:
        conn.add_notice_handler(lambda _: seen.append(int(pgwallet.balance(observer, film))))
        conn.execute("call pgwallet.release_project(%s, 20)", [film])

    assert len(seen) == 4
    assert seen[-1] == 50


def deposit_where_another_client_withdrew(
    pooler: str, connect: Connect, prepare_threshold: int | None
) -> int:
    """The balance of a wallet with 60 after a deposit of 10, on a connection new to its client."""
    with ExitStack() as clients:
        depositing, withdrawing, waiting = (
            clients.enter_context(
                psycopg.connect(pooler, autocommit=True, prepare_threshold=prepare_threshold)
            )
            for _ in range(3)
        )
        ada, bob = (pgwallet.create_wallet(waiting, owner).wallet_id for owner in ("ada", "bob"))
        pgwallet.deposit(connect(autocommit=True), bob, 60)
        with depositing.transaction():
            for _ in range(6):
                pgwallet.deposit(depositing, ada, 10)
            for _ in range(6):  # on the other one of the two connections
                pgwallet.withdraw(withdrawing, bob, 10)
        with waiting.transaction():
            waiting.execute("select 1")  # on the connection that was given back last
            pgwallet.deposit(depositing, ada, 10)
    return balance(connect, ada)


def test_without_prepared_statements_a_deposit_is_a_deposit(pooler: str, connect: Connect) -> None:
    assert deposit_where_another_client_withdrew(pooler, connect, prepare_threshold=None) == 70


@pytest.mark.skipif(
    bouncer.PROGRAM is not None and bouncer.version() >= (1, 21),
    reason="from 1.21 on pgbouncer can keep prepared statements apart",
)
def test_prepared_statements_can_turn_a_deposit_into_a_withdrawal(
    pooler: str, connect: Connect
) -> None:
    assert deposit_where_another_client_withdrew(pooler, connect, prepare_threshold=5) == 50


@pytest.fixture
def deployer(server: str) -> Iterator[str]:
    """A role that logs in and takes the owner's on at once, as the page says."""
    with login_role(server) as name:
        names = (sql.Identifier(name), sql.Identifier(OWNER))
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("grant {1} to {0}").format(*names))
            admin.execute(sql.SQL("alter role {} set role = {}").format(*names))
        yield name


def test_migrate_works_through_it_as_a_role_that_takes_the_owners_on(
    deployer: str, empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = "default_pool_size = 1"
    with bouncer.in_front_of(as_role(empty_database, deployer), one) as pooler:
        assert pgwallet.migrate(pooler).functions_installed
        assert caplog.messages == []
        assert pgwallet.status(pooler).up_to_date

        with psycopg.connect(empty_database) as conn:
            conn.execute("comment on function pgwallet.grant_app(name) is 'edited'")
        with psycopg.connect(empty_database, application_name="a report") as conn:
            conn.execute("lock table pgwallet.deployment in share mode")
            with pytest.raises(
                pgwallet.DeploymentError, match=r"a report, role .* with deployment"
            ):
                pgwallet.migrate(pooler, wait=0.2)
        assert pgwallet.migrate(pooler).functions_installed

    with psycopg.connect(empty_database) as conn:
        owner = conn.execute(
            "select nspowner::regrole::text from pg_namespace where nspname = 'pgwallet'"
        ).fetchone()
    assert owner == (OWNER,)


def test_it_refuses_options_so_that_no_role_is_taken_on_there(database: str) -> None:
    with (
        bouncer.in_front_of(database) as pooler,
        pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"),
    ):
        pgwallet.status(as_owner(pooler))


def test_a_pooler_that_ignores_options_drops_the_role_without_a_word(database: str) -> None:
    with (
        bouncer.in_front_of(database, "ignore_startup_parameters = options") as pooler,
        psycopg.connect(as_owner(pooler)) as conn,
    ):
        assert conn.execute("select current_user = session_user").fetchone() == (True,)
    with psycopg.connect(as_owner(database)) as conn:
        assert conn.execute("select current_user = session_user").fetchone() == (False,)
