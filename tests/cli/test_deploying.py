"""migrate, status, sql and grant."""

import psycopg
import pytest
from psycopg import sql

from tests.access.roles import as_role, login_role
from tests.cli.command import json_of, pgwallet_here
from tests.databases import as_owner
from tests.deployment.programs import psql


def test_migrate_installs_and_then_has_nothing_to_do(empty_database: str) -> None:
    url = as_owner(empty_database)
    completed = pgwallet_here("migrate", database_url=url)
    assert completed.returncode == 0
    assert "applied   0001_currencies" in completed.stdout
    assert completed.stderr == ""
    completed = pgwallet_here("migrate", database_url=url)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert "Nothing to do" in completed.stdout


def test_a_warning_appears_on_stderr(empty_database: str) -> None:
    completed = pgwallet_here("migrate", database_url=empty_database)
    assert completed.returncode == 0
    assert completed.stderr.startswith("WARNING: pgwallet is owned by ")
    assert completed.stderr.endswith(
        "see https://pgwallet.readthedocs.io/en/latest/how-to/roles/\n"
    )


def test_status_exits_with_1_only_when_asked_to_check(empty_database: str) -> None:
    completed = pgwallet_here("status", database_url=empty_database)
    assert completed.returncode == 0
    assert "pending   migration 0001_currencies\n" in completed.stdout
    completed = pgwallet_here("status", "--check", database_url=empty_database)
    assert completed.returncode == 1
    completed = pgwallet_here("status", "--check", "--csv", database_url=empty_database)
    assert completed.returncode == 1
    assert completed.stdout.startswith(
        "what,kind,name,detail,remedy\npending,migration,0001_currencies,,pgwallet migrate\n"
    )
    pgwallet_here("migrate", database_url=as_owner(empty_database))
    completed = pgwallet_here("status", "--check", database_url=empty_database)
    assert (completed.returncode, completed.stdout) == (0, "The database is up to date.\n")


def test_a_function_edited_by_hand_is_reported_and_mended(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("alter function pgwallet.balance(bigint) cost 7")
    completed = pgwallet_here("status", "--check", database_url=database)
    assert completed.returncode == 1
    assert "edited    function pgwallet.balance(bigint): another cost\n" in completed.stdout
    assert json_of("status", database_url=database) == [
        {
            "what": "edited",
            "kind": "function",
            "name": "pgwallet.balance(bigint)",
            "detail": "another cost",
            "remedy": "pgwallet migrate",
        }
    ]
    completed = pgwallet_here("migrate", database_url=as_owner(database))
    assert completed.returncode == 0
    assert "mended    pgwallet.balance(bigint) (edited)" in completed.stdout


def test_a_refused_migration_exits_with_1(database: str) -> None:
    completed = pgwallet_here("migrate", database_url=database)
    assert completed.returncode == 1
    assert completed.stderr.startswith("ERROR: the schema pgwallet belongs to ")


def test_the_gate_of_an_older_version_changes_nothing_and_goes_back_when_told_to(
    database: str,
) -> None:
    url = as_owner(database)
    with psycopg.connect(url) as conn:
        conn.execute(
            "insert into pgwallet.deployment (version, source_hash) values ('99.0.0', 'another')"
        )
    refused = pgwallet_here("migrate", database_url=url)
    assert refused.returncode == 1
    assert refused.stderr.startswith("ERROR: the database has pgwallet 99.0.0, and this is ")
    looked_at = pgwallet_here("status", "--check", database_url=url)
    assert looked_at.returncode == 1
    assert "newer     version pgwallet 99.0.0: newer than this version, " in looked_at.stdout
    assert "pgwallet migrate" not in looked_at.stdout

    told = pgwallet_here("migrate", "--downgrade", database_url=url)
    assert (told.returncode, told.stdout) == (0, "installed the functions\n")
    assert pgwallet_here("status", "--check", database_url=url).returncode == 0


def test_sql_installs_what_migrate_would(empty_database: str) -> None:
    script = pgwallet_here("sql")
    assert script.returncode == 0
    installed = psql(as_owner(empty_database), script.stdout, "ON_ERROR_STOP=1")
    assert installed.returncode == 0, installed.stderr
    assert pgwallet_here("status", "--check", database_url=empty_database).returncode == 0


def test_sql_stops_at_the_first_error_and_warns_of_its_owner(
    server: str, empty_database: str
) -> None:
    script = pgwallet_here("sql").stdout
    with login_role(server) as role:
        refused = psql(as_role(empty_database, role), script)
    assert (refused.returncode, refused.stderr.count("ERROR")) == (3, 1), refused.stderr
    installed = psql(empty_database, script)
    assert installed.returncode == 0
    assert "WARNING:  pgwallet will be owned by postgres" in installed.stderr
    assert "how-to/roles" in installed.stderr


def test_sql_can_print_the_functions_alone(database: str) -> None:
    script = pgwallet_here("sql", "--functions")
    assert "create table" not in script.stdout
    installed = psql(as_owner(database), script.stdout, "ON_ERROR_STOP=1")
    assert installed.returncode == 0, installed.stderr
    assert pgwallet_here("status", "--check", database_url=database).returncode == 0


@pytest.mark.parametrize(
    ("access", "allowed"),
    [
        ("app", {"create_wallet": True, "close_project": False, "check_ledger": False}),
        ("operator", {"create_wallet": True, "close_project": True, "check_ledger": True}),
        ("auditor", {"create_wallet": False, "close_project": False, "check_ledger": True}),
    ],
)
def test_grant_gives_a_role_its_rights(
    server: str, database: str, access: str, allowed: dict[str, bool]
) -> None:
    with login_role(server) as role:
        completed = pgwallet_here("grant", access, role, database_url=as_owner(database))
        assert (completed.returncode, completed.stderr) == (0, "")
        assert completed.stdout == (
            f"Role {role} has the rights of {access}, now and after each deployment.\n"
        )
        with psycopg.connect(database) as conn:
            rows = conn.execute(
                """
                select p.proname::text, has_function_privilege(%s, p.oid, 'execute')
                from pg_proc as p
                where p.pronamespace = 'pgwallet'::regnamespace and p.proname = any (%s)
                """,
                [role, [*allowed]],
            ).fetchall()
            assert dict(rows) == allowed
            conn.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))


def test_status_prints_the_sql_that_mends_what_migrate_does_not(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute('create role "odd\x1b[31m role"')
        conn.execute('grant select on pgwallet.wallet to "odd\x1b[31m role"')
    try:
        told = pgwallet_here("status", "--check", database_url=database)
    finally:
        with psycopg.connect(database) as conn:
            conn.execute('revoke all on pgwallet.wallet from "odd\x1b[31m role"')
            conn.execute('drop role "odd\x1b[31m role"')
    assert told.returncode == 1
    assert told.stdout == (
        'rights    table wallet: "odd\\x1b[31m role" has select\n'
        "What migrate does not mend, the owner or a superuser does:\n"
        'revoke select on pgwallet.wallet from "odd\\x1b[31m role";\n'
    )


def test_status_that_could_not_look_exits_with_3(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("lock table pgwallet.account in access exclusive mode")
        told = pgwallet_here("status", "--check", database_url=database)
    assert (told.returncode, told.stdout) == (3, "")
    assert told.stderr.startswith("ERROR: somebody is changing the schema pgwallet")


@pytest.mark.parametrize(
    "arguments", [("currency", "list"), ("wallet", "list", "ada"), ("balance", "1")]
)
def test_a_database_without_pgwallet_is_told_from_one_of_another_version(
    empty_database: str, arguments: tuple[str, ...]
) -> None:
    completed = pgwallet_here(*arguments, database_url=empty_database)
    assert completed.returncode == 1
    assert "HINT: pgwallet is not installed in this database" in completed.stderr
