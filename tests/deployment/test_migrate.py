"""What `migrate` leaves behind, also when it is repeated, raced, or run beside an application."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgwallet
from pgwallet.deployment import MigrationReport
from tests.access.roles import ODD_NAME, as_role, login_role
from tests.databases import OWNER, as_owner
from tests.deployment.contention import deployment_lock, wait_until_waiting

pytestmark = pytest.mark.sql


def test_everything_is_there_after_one_run(empty_database: str) -> None:
    owner = as_owner(empty_database)

    report = pgwallet.migrate(owner)

    assert report.applied[0] == "0001_currencies"
    assert report.functions_installed
    assert pgwallet.status(owner).up_to_date
    with psycopg.connect(empty_database) as conn:
        owners = conn.execute(
            """
            select pg_get_userbyid(c.relowner) from pg_class as c
            where c.relnamespace = 'pgwallet'::regnamespace
            union
            select pg_get_userbyid(p.proowner) from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace
            """
        ).fetchall()
    assert owners == [(OWNER,)]


def test_a_second_run_writes_nothing(database: str) -> None:
    read_only = make_conninfo(
        database, options=f"-c role={OWNER} -c default_transaction_read_only=on"
    )

    assert pgwallet.migrate(read_only) == MigrationReport((), False, (), ())


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_of_two_at_once_one_waits_and_both_succeed(empty_database: str, isolation: str) -> None:
    escaped = isolation.replace(" ", "\\ ")
    owner = make_conninfo(
        empty_database, options=f"-c role={OWNER} -c default_transaction_isolation={escaped}"
    )
    with ThreadPoolExecutor() as pool:
        with deployment_lock(empty_database):
            runs = [pool.submit(pgwallet.migrate, owner) for _ in range(2)]
            wait_until_waiting(empty_database)
        reports = [run.result() for run in runs]

    assert sorted(report.functions_installed for report in reports) == [False, True]
    assert pgwallet.status(owner).up_to_date


def test_a_lock_that_yoyo_left_behind_does_not_matter(empty_database: str) -> None:
    owner = as_owner(empty_database)
    with psycopg.connect(owner) as conn:
        conn.execute("create schema pgwallet")
        conn.execute(
            "create table pgwallet.yoyo_lock"
            " (locked int default 1, ctime timestamp, pid int not null, primary key (locked))"
        )
        conn.execute("insert into pgwallet.yoyo_lock values (1, now(), 4711)")

    assert pgwallet.migrate(owner).functions_installed
    assert pgwallet.status(owner).up_to_date


def test_functions_alone_wait_for_nobody_who_reads_or_writes_tables(database: str) -> None:
    edit_comment(database)
    with psycopg.connect(database) as application:
        application.execute(
            """
            do $$
            declare v_table text;
            begin
              for v_table in
                select c.oid::regclass::text from pg_class as c
                where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'r'
                  and c.relname not like '%yoyo%' and c.relname not like 'deploy%'
                  and c.relname <> 'role_grant'
              loop
                execute 'lock table ' || v_table || ' in exclusive mode';
              end loop;
            end
            $$
            """
        )
        assert pgwallet.migrate(as_owner(database)).functions_installed


def test_calls_go_on_while_functions_are_replaced(database: str) -> None:
    done = Event()

    def calls() -> int:
        count = 0
        with psycopg.connect(database, autocommit=True) as conn:
            while not done.is_set():
                conn.execute("select pgwallet.create_wallet('load', 'EUR')")
                count += 1
        return count

    with ThreadPoolExecutor() as pool:
        callers = [pool.submit(calls) for _ in range(3)]
        try:
            for _ in range(5):
                edit_comment(database)
                assert pgwallet.migrate(as_owner(database)).functions_installed
        finally:
            done.set()
        assert all(caller.result() > 0 for caller in callers)


def test_a_superuser_who_owns_it_is_warned_once(
    empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "pgwallet"):
        pgwallet.migrate(empty_database)

    (record,) = caplog.records
    assert (record.name, record.levelname) == ("pgwallet", "WARNING")
    assert "is a superuser" in record.message


def test_an_owner_without_login_is_not_warned(
    empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "pgwallet"):
        pgwallet.migrate(as_owner(empty_database))

    assert not caplog.records


def test_without_conninfo_the_environment_counts(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"dbname": "PGDATABASE", "user": "PGUSER", "host": "PGHOST", "port": "PGPORT"}
    for key, value in conninfo_to_dict(as_owner(empty_database)).items():
        monkeypatch.setenv(names.get(key, f"PG{key.upper()}"), str(value))

    assert pgwallet.migrate().functions_installed
    assert pgwallet.status().up_to_date


def test_name_and_password_of_the_owner_may_hold_any_character(
    server: str, odd_role: str, empty_database: str
) -> None:
    with psycopg.connect(empty_database) as conn:
        conn.execute(
            sql.SQL("create schema pgwallet authorization {}").format(sql.Identifier(odd_role))
        )

    assert pgwallet.migrate(as_role(empty_database, odd_role)).functions_installed
    assert pgwallet.status(as_role(empty_database, odd_role)).up_to_date


def edit_comment(conninfo: str) -> None:
    """Makes a difference that `migrate` has to mend, without changing what anything does."""
    with psycopg.connect(conninfo) as conn:
        conn.execute("comment on function pgwallet.grant_app(name) is 'edited'")


@pytest.fixture
def odd_role(server: str) -> Iterator[str]:
    with login_role(server, ODD_NAME) as name:
        yield name
