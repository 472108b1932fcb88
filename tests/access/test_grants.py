"""What each access gives: exactly their functions and views, and no way to write a table."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

import pgwallet
from tests import clusters
from tests.access.roles import ODD_NAME, as_role, login_role
from tests.catalogue.access import ACCESSES
from tests.catalogue.calls import CALLS, given_to
from tests.databases import OWNER, as_owner
from tests.deployment.contention import deployment_lock
from tests.ledger.calling import value

pytestmark = pytest.mark.sql

VIEWS = {
    *("wallet_summary", "pocket_summary", "project_summary", "escrow_summary"),
    *("platform_summary", "transaction_log"),
}
NOTHING: set[str] = set()
READABLE = {"app": NOTHING, "operator": VIEWS, "auditor": VIEWS, "monitor": {"platform_summary"}}

GRANTS = [name for name in CALLS if name.startswith("grant_")]

each_access = pytest.mark.parametrize("access", ACCESSES)


@pytest.fixture
def role(server: str) -> Iterator[str]:
    with login_role(server) as name:
        yield name


@pytest.fixture
def odd_role(server: str) -> Iterator[str]:
    with login_role(server, ODD_NAME) as name:
        yield name


def give(conninfo: str, access: str, role: str | None) -> None:
    with psycopg.connect(as_owner(conninfo)) as conn:
        conn.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])


def callable_by(conninfo: str, role: str) -> set[str]:
    with psycopg.connect(conninfo) as conn:
        rows = conn.execute(
            """
            select p.proname from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace
              and has_schema_privilege(%(role)s, 'pgwallet', 'usage')
              and has_function_privilege(%(role)s, p.oid, 'execute')
            """,
            {"role": role},
        ).fetchall()
    return {name for (name,) in rows}


def rights_in_relations(conninfo: str, role: str) -> dict[str, set[str]]:
    """What a role may do with each table, view and sequence that it may do anything with."""
    with psycopg.connect(conninfo) as conn:
        rows = conn.execute(
            """
            select c.relname, array_agg(distinct lower(g.privilege_type))
            from pg_class as c
            cross join lateral aclexplode(c.relacl) as g
            where c.relnamespace = 'pgwallet'::regnamespace
              and g.grantee in (0, (select r.oid from pg_roles as r where r.rolname = %s))
            group by c.relname
            """,
            [role],
        ).fetchall()
    return {name: set(rights) for name, rights in rows}


@each_access
def test_an_access_is_exactly_its_functions(role: str, database: str, access: str) -> None:
    assert callable_by(database, role) == set()

    give(database, access, role)

    assert callable_by(database, role) == {*given_to(access), *clusters.BESIDES}


@each_access
def test_operators_and_auditors_read_the_views_monitors_the_sums_applications_none(
    role: str, database: str, access: str
) -> None:
    assert rights_in_relations(database, role) == {}

    give(database, access, role)

    reading = {view: {"select"} for view in READABLE[access]}
    assert rights_in_relations(database, role) == reading
    with psycopg.connect(as_role(database, role), autocommit=True) as conn:
        for view in sorted(VIEWS):
            query = sql.SQL("select * from {}").format(sql.Identifier("pgwallet", view))
            if view in reading:
                assert conn.execute(query).fetchall() == []
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(query)


@each_access
def test_no_access_reads_or_writes_a_table(role: str, database: str, access: str) -> None:
    give(database, access, role)
    with psycopg.connect(database) as conn:
        tables = conn.execute(
            """
            select c.relname, a.attname
            from pg_class as c
            cross join lateral (
              select a.attname from pg_attribute as a
              where a.attrelid = c.oid and a.attnum > 0 order by a.attnum limit 1
            ) as a
            where c.relnamespace = 'pgwallet'::regnamespace and c.relkind in ('r', 'p')
            """
        ).fetchall()
    assert {"account", "escrow", "posting", "transaction", "wallet"} <= {name for name, _ in tables}

    with psycopg.connect(as_role(database, role), autocommit=True) as conn:
        for table, column in tables:
            for statement in (
                "select from {table}",
                "select from {table} for update",
                "insert into {table} default values",
                "update {table} set {column} = default",
                "delete from {table}",
                "truncate {table}",
                "lock table {table} in access exclusive mode",
                "alter table {table} add column extra int",
                "create trigger t before update on {table} execute function suppress_redundant()",
            ):
                command = sql.SQL(statement).format(
                    table=sql.Identifier("pgwallet", table), column=sql.Identifier(column)
                )
                with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                    conn.execute(command)


@each_access
def test_no_access_changes_the_schema_or_gives_itself_more(
    role: str, database: str, access: str
) -> None:
    give(database, access, role)
    with psycopg.connect(as_role(database, role), autocommit=True) as conn:
        for statement in (
            "select nextval('pgwallet.id_seq')",
            "select from pgwallet.installed_routine",
            "create table pgwallet.mine (id int)",
            "create function pgwallet.mine() returns int language sql return 1",
            "drop schema pgwallet cascade",
            "select pgwallet.grant_operator(current_user)",
            "select pgwallet._grant(current_user, 'operator')",
            "select pgwallet._finish_install('mine', '0.0.1')",
            f"set role {OWNER}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())


@pytest.mark.parametrize("grant", GRANTS)
@pytest.mark.parametrize("bad", [None, "", "  ", "public", "PUBLIC", "nobody here", "a%s'; --"])
def test_what_is_no_role_is_refused(database: str, grant: str, bad: str | None) -> None:
    with psycopg.connect(as_owner(database)) as conn:
        with pytest.raises(psycopg.Error) as refusal, conn.transaction():
            conn.execute(f"select pgwallet.{grant}(%s)".encode(), [bad])

        diagnostics = refusal.value.diag
        assert diagnostics.sqlstate == "PW002"
        assert diagnostics.message_detail
        assert diagnostics.message_hint
        assert conn.execute("select count(*) from pgwallet.role_grant").fetchone() == (0,)


@each_access
def test_a_role_of_any_name_can_really_log_in_and_call(
    odd_role: str, database: str, access: str
) -> None:
    give(database, access, odd_role)
    give(database, access, odd_role)

    with psycopg.connect(as_role(database, odd_role)) as conn:
        name = "ledger_metrics" if access == "monitor" else "list_projects"
        conn.execute(f"select from pgwallet.{name}()".encode())
    with psycopg.connect(database) as conn:
        remembered = conn.execute("select g.role_name, g.access from pgwallet.role_grant as g")
        assert remembered.fetchall() == [(odd_role, access)]


def test_a_deployment_gives_every_access_again(role: str, odd_role: str, database: str) -> None:
    give(database, "app", role)
    give(database, "auditor", role)
    give(database, "operator", odd_role)
    with psycopg.connect(as_owner(database)) as conn:
        conn.execute("drop function pgwallet.grant_app(name)")
        for name in (role, odd_role):
            conn.execute(
                sql.SQL(
                    "revoke execute on all routines in schema pgwallet from {role};"
                    "revoke select on all tables in schema pgwallet from {role}"
                ).format(role=sql.Identifier(name))
            )
    assert (callable_by(database, role), rights_in_relations(database, role)) == (set(), {})

    pgwallet.migrate(as_owner(database))

    assert callable_by(database, role) == {*given_to("app"), *given_to("auditor")}
    assert callable_by(database, odd_role) == set(given_to("operator"))
    for name in (role, odd_role):
        assert rights_in_relations(database, name) == {view: {"select"} for view in VIEWS}


def test_an_access_is_taken_away_as_the_comment_says(role: str, database: str) -> None:
    give(database, "operator", role)
    with psycopg.connect(as_owner(database)) as conn:
        comment = value(conn, "select obj_description('pgwallet.role_grant'::regclass)")
        _, statements = comment.split("delete the row and run: ")
        conn.execute("delete from pgwallet.role_grant")
        conn.execute(statements.rstrip(".").replace("the_role", f'"{role}"').encode())
        conn.execute("comment on function pgwallet.grant_app(name) is 'edited'")

    assert pgwallet.migrate(as_owner(database)).functions_installed

    assert (callable_by(database, role), rights_in_relations(database, role)) == (set(), {})


def test_a_deployment_skips_roles_that_were_dropped(server: str, database: str) -> None:
    with login_role(server) as gone:
        give(database, "app", gone)
        with psycopg.connect(database) as conn:
            conn.execute(sql.SQL("drop owned by {}").format(sql.Identifier(gone)))
            conn.execute("comment on function pgwallet.grant_app(name) is 'edited'")

    assert pgwallet.migrate(as_owner(database)).functions_installed


def test_a_deployment_and_a_grant_wait_for_each_other(role: str, database: str) -> None:
    with psycopg.connect(as_owner(database)) as conn:
        conn.execute("set lock_timeout = '100ms'")
        with deployment_lock(database), pytest.raises(psycopg.errors.LockNotAvailable):
            conn.execute("select pgwallet.grant_app(%s)", [role])


def test_a_deployment_closes_everything_to_public(role: str, database: str) -> None:
    with psycopg.connect(as_owner(database)) as conn:
        conn.execute("grant usage on schema pgwallet to public")
        conn.execute("grant execute on all routines in schema pgwallet to public")
        conn.execute("grant select on pgwallet.wallet_summary to public")
    assert callable_by(database, role) >= set(CALLS)
    assert rights_in_relations(database, role) == {"wallet_summary": {"select"}}

    pgwallet.migrate(as_owner(database))

    assert rights_in_relations(database, role) == {}
    with psycopg.connect(as_role(database, role), autocommit=True) as conn:
        for statement in ("select pgwallet.balance(1)", "select from pgwallet.account"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema pgwallet"):
                conn.execute(statement.encode())


@pytest.mark.parametrize(("procedure", "status"), [("release", "released"), ("refund", "refunded")])
def test_an_operator_settles_a_project_by_the_procedure(
    role: str, database: str, procedure: str, status: str
) -> None:
    give(database, "operator", role)
    with psycopg.connect(as_role(database, role), autocommit=True) as conn:
        wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
        project_id = pgwallet.create_project(conn, "film").project_id
        pgwallet.deposit(conn, wallet_id, Decimal(10))
        escrow = pgwallet.pledge(conn, wallet_id, project_id, Decimal(10))
        call = sql.SQL("call pgwallet.{}(%s::bigint, %s)").format(
            sql.Identifier(f"{procedure}_project")
        )
        with pytest.raises(psycopg.Error) as refused:
            conn.execute(call, (project_id, 0))
        assert refused.value.sqlstate == "PW002"

        conn.execute(call, (project_id, 1))
        assert pgwallet.check_ledger(conn) == []
    with psycopg.connect(database) as conn:
        row = conn.execute(
            "select status::text from pgwallet.escrow where escrow_id = %s", (escrow.escrow_id,)
        )
        assert row.fetchone() == (status,)


def test_a_procedure_uses_no_operator_of_its_callers_search_path(role: str, database: str) -> None:
    give(database, "operator", role)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            """
            create schema evil;
            create table evil.stolen (what text);
            create function evil.plus(bigint, integer) returns bigint language plpgsql
              as 'begin insert into evil.stolen values (current_user); return 0; end';
            create operator evil.+ (function = evil.plus, leftarg = bigint, rightarg = integer);
            create function evil.same(integer, integer) returns boolean language plpgsql
              as 'begin insert into evil.stolen values (current_user);
                return $1 operator(pg_catalog.=) $2; end';
            create operator evil.= (function = evil.same, leftarg = integer, rightarg = integer);
            """
        )
        wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
        project_id = pgwallet.create_project(conn, "film").project_id
        pgwallet.deposit(conn, wallet_id, Decimal(10))
        for _ in range(3):
            pgwallet.pledge(conn, wallet_id, project_id, Decimal(1))
        conn.execute("set search_path = evil, pg_catalog")
        conn.execute("call pgwallet.release_project(%s::bigint, 1)", (project_id,))
        assert conn.execute("select * from evil.stolen").fetchall() == []
