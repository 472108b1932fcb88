"""Who may do what on a router and on its shards, and that no password is to be read."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests import clusters, databases
from tests.access.roles import as_role, login_role
from tests.catalogue.access import ACCESSES
from tests.catalogue.calls import CALLS
from tests.ledger.calling import call

# What extensions and the system bring along is as on any database.
OF_NOBODY = r"""
  n.nspname !~ '^pg_|^information_schema$' and not exists (
    select from pg_depend as d where d.objid = o.oid and d.deptype = 'e'
  )
"""
SECRET = "correct horse"


@pytest.fixture(scope="session")
def roles(cluster_server: str, whole: cluster.ClusterFile) -> Iterator[dict[str, str]]:
    """A role for each access, granted on the router, and one that was granted nothing."""
    with (
        login_role(cluster_server, "of app") as app,
        login_role(cluster_server, "of operator") as operator,
        login_role(cluster_server, "of auditor") as auditor,
        login_role(cluster_server, "of monitor") as monitor,
        login_role(cluster_server, "of nobody") as nobody,
    ):
        granted = dict(zip(ACCESSES, (app, operator, auditor, monitor), strict=True))
        with psycopg.connect(databases.as_owner(whole.routers[0])) as owner:
            for access, role in granted.items():
                owner.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])
        yield {**granted, "nobody": nobody}
        with psycopg.connect(whole.routers[0]) as superuser:
            for role in granted.values():
                superuser.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))


def callable_by(conn: psycopg.Connection, role: str) -> set[tuple[str, str]]:
    """Schema and name of each function that the role could call."""
    return {
        (schema, name)
        for schema, name in conn.execute(
            f"""
            select n.nspname, o.proname
            from pg_proc as o inner join pg_namespace as n on n.oid = o.pronamespace
            where has_function_privilege(%s, o.oid, 'execute')
              and has_schema_privilege(%s, n.oid, 'usage') and {OF_NOBODY}
            """.encode(),
            [role, role],
        )
    }


def reachable_by(conn: psycopg.Connection, role: str) -> set[tuple[str, str]]:
    """Name and right of each table, view and sequence that the role could do something with."""
    return {
        (name, right)
        for name, right in conn.execute(
            f"""
            select o.oid::regclass::text, r.name
            from pg_class as o
            inner join pg_namespace as n on n.oid = o.relnamespace
            cross join unnest(
              array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']
            ) as r (name)
            where o.relkind in ('r', 'v', 'm', 'f', 'p')
              and has_schema_privilege(%(role)s, n.oid, 'usage')
              and (
                has_table_privilege(%(role)s, o.oid, r.name) or r.name !~ 'delete|truncate|trigger'
                and has_any_column_privilege(%(role)s, o.oid, r.name)
              )
              and {OF_NOBODY}
            union all
            select o.oid::regclass::text, r.name
            from pg_class as o
            inner join pg_namespace as n on n.oid = o.relnamespace
            cross join unnest(array['usage', 'select', 'update']) as r (name)
            where o.relkind = 'S' and has_schema_privilege(%(role)s, n.oid, 'usage')
              and has_sequence_privilege(%(role)s, o.oid, r.name) and {OF_NOBODY}
            """.encode(),
            {"role": role},
        )
    }


@pytest.mark.parametrize("number", range(clusters.SHARDS))
def test_the_role_of_routers_may_call_the_side_of_the_shard_and_nothing_else(
    whole: cluster.ClusterFile, number: int
) -> None:
    with psycopg.connect(whole.shards[number].conninfo) as owner:
        side = owner.execute(
            "select 'pgwallet_call', proname from pg_proc "
            "where pronamespace = 'pgwallet_call'::regnamespace"
        )
        assert callable_by(owner, clusters.ROLE) == {*side.fetchall()}
        # It reads what the router shows of the shard, and changes nothing by itself.
        assert {right for _, right in reachable_by(owner, clusters.ROLE)} <= {"select"}
        for name, _ in reachable_by(owner, clusters.ROLE):
            kind = owner.execute(
                "select relkind::text from pg_class where oid = %s::regclass", [name]
            ).fetchone()
            assert kind == ("v",) or name == "pgwallet.settings", name
        assert (
            owner.execute(
                """
            select r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls,
              exists (select from pg_auth_members as m where m.member = r.oid),
              exists (select from pg_database as d where d.datdba = r.oid),
              has_database_privilege(r.oid, current_database(), 'create'),
              exists (
                select from pg_namespace as n where has_schema_privilege(r.oid, n.oid, 'create')
              )
            from pg_roles as r where r.rolname = %s
            """,
                [clusters.ROLE],
            ).fetchone()
            == (False,) * 9
        )


def test_nobody_else_may_call_the_side_of_the_shard(
    whole: cluster.ClusterFile, roles: dict[str, str]
) -> None:
    """Not even who has an access on that shard itself."""
    with psycopg.connect(whole.shards[0].conninfo) as owner:
        for access in ACCESSES:
            owner.execute(f"select pgwallet.grant_{access}(%s)".encode(), [roles[access]])
            called = callable_by(owner, roles[access])
            assert {schema for schema, _ in called} == {"pgwallet"}, access
        assert callable_by(owner, roles["nobody"]) == set()
        owner.rollback()


@pytest.fixture(scope="module")
def one_database(cluster_server: str, roles: dict[str, str]) -> Iterator[str]:
    """A ledger that is no part of a cluster, with the same accesses."""
    with databases.created(cluster_server) as name:
        conninfo = make_conninfo(cluster_server, dbname=name)
        pgwallet.migrate(databases.as_owner(conninfo))
        with psycopg.connect(databases.as_owner(conninfo)) as owner:
            for access in ACCESSES:
                owner.execute(f"select pgwallet.grant_{access}(%s)".encode(), [roles[access]])
        yield conninfo


@pytest.mark.parametrize("role", [*ACCESSES, "nobody"])
def test_an_access_to_a_router_is_that_to_one_database(
    whole: cluster.ClusterFile, one_database: str, roles: dict[str, str], role: str
) -> None:
    name = roles[role]
    with psycopg.connect(one_database) as ledger, psycopg.connect(whole.routers[0]) as router:
        of_routers = {("pgwallet", each) for each in clusters.OF_ROUTERS if role != "nobody"}
        assert callable_by(router, name) == callable_by(ledger, name) | of_routers
        assert reachable_by(router, name) == reachable_by(ledger, name)
    with (
        psycopg.connect(as_role(one_database, name), autocommit=True) as ledger,
        psycopg.connect(as_role(whole.routers[0], name), autocommit=True) as router,
    ):
        allowed = {each for each in CALLS if _may_call(ledger, each)}
        assert allowed == {each for each, entry in CALLS.items() if role in entry.given_to}
        assert {each for each in CALLS if _may_call(router, each)} == allowed


def _may_call(conn: psycopg.Connection, name: str) -> bool:
    """Tried with nothing in any argument, which all that change anything refuse."""
    try:
        call(conn, name, **{argument.name: None for argument in CALLS[name].arguments})
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.DatabaseError:
        return True
    return True


def test_operators_alone_complete_plans(whole: cluster.ClusterFile, roles: dict[str, str]) -> None:
    complete = "select * from pgwallet.complete_plans()"
    for access in ACCESSES:
        with psycopg.connect(as_role(whole.routers[0], roles[access]), autocommit=True) as conn:
            if access == "operator":
                conn.execute(complete)
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="complete_plans"):
                    conn.execute(complete)


FORBIDDEN = """
select * from pgwallet_remote.balance(0, 1)
select pgwallet_router._home_of('ann')
create user mapping for current_user server pgwallet options (user 'postgres')
alter user mapping for public server pgwallet options (set user 'postgres')
alter server pgwallet options (set p0 'dbname=postgres')
drop server pgwallet
create server mine foreign data wrapper plproxy options (p0 'dbname=postgres')
create function pg_temp.mine() returns int language plproxy as $$ connect 'dbname=postgres' $$
create table pgwallet.mine ()
create table pgwallet_router.mine ()
create or replace function pgwallet_router._shard_of(bigint) returns int return 0
alter function pgwallet.deposit owner to current_user
delete from pgwallet.role_grant
set session authorization postgres
"""


@pytest.mark.parametrize("attacker", [*ACCESSES, "nobody"])
@pytest.mark.parametrize("attempt", FORBIDDEN.strip().splitlines())
def test_nobody_gets_past_the_functions_of_a_router(
    whole: cluster.ClusterFile, roles: dict[str, str], attacker: str, attempt: str
) -> None:
    with (
        psycopg.connect(as_role(whole.routers[0], roles[attacker])) as conn,
        pytest.raises(psycopg.Error) as refused,
    ):
        conn.execute(attempt.encode())
    assert refused.value.sqlstate in ("42501", "42704"), refused.value


def test_no_user_and_no_place_but_the_router_is_in_what_everybody_reads(
    whole: cluster.ClusterFile, roles: dict[str, str]
) -> None:
    """Who the routers connect as is for the owner to see."""
    for attacker, role in roles.items():
        with psycopg.connect(as_role(whole.routers[0], role)) as conn:
            options = conn.execute("select umoptions from pg_user_mappings").fetchall()
            assert all(each == (None,) for each in options), attacker
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("select * from pg_user_mapping")


def test_a_password_in_the_file_stays_there(cluster_server: str) -> None:
    """Even a superuser finds it nowhere in the catalog of a router or a shard."""
    with clusters.made(cluster_server, password=SECRET) as file:
        for conninfo in (file.routers[0], *(shard.conninfo for shard in file.shards)):
            with psycopg.connect(conninfo) as conn:
                for catalog in (
                    "pg_foreign_server",
                    "pg_user_mappings",
                    "pg_proc",
                    "pg_db_role_setting",
                ):
                    found = conn.execute(
                        f"select t::text from {catalog} as t where t::text ~ %s".encode(), [SECRET]
                    ).fetchall()
                    assert found == [], catalog


def test_each_function_of_a_router_pins_where_it_looks_names_up(router: psycopg.Connection) -> None:
    """Those that run with the owner's rights, which alone lead to a shard."""
    assert (
        router.execute(
            """
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace in ('pgwallet'::regnamespace, 'pgwallet_router'::regnamespace)
          and p.prosecdef and (
            p.proconfig is null or not 'search_path=pg_catalog, pg_temp' = any (p.proconfig)
          )
        """
        ).fetchall()
        == []
    )


def test_an_application_moves_money_through_the_router(
    whole: cluster.ClusterFile, roles: dict[str, str]
) -> None:
    conninfo = make_conninfo(as_role(whole.routers[0], roles["app"]))
    with psycopg.connect(conninfo, autocommit=True) as conn:
        wallet = pgwallet.create_wallet(conn, "secured").wallet_id
        assert pgwallet.deposit(conn, wallet, 5).balance == 5
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pgwallet.refund_escrow(conn, wallet)
