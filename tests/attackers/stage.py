"""A ledger at work, those who attack it, and what must be the same after every attack."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.string import TextLoader

import pgwallet
from tests import databases
from tests.access.roles import as_role, login_role
from tests.catalogue.access import ACCESSES
from tests.catalogue.world import World, world_in
from tests.databases import OWNER, as_owner
from tests.ledger.calling import value

ATTACKERS = (*ACCESSES, "nobody")
# Where an attacker may create what they like, as in a database that others use too.
LAIR = "lair"


@dataclass(frozen=True, slots=True)
class Stage:
    """A database with a ledger in it; `roles` are the attackers' names by their access."""

    conninfo: str
    roles: dict[str, str]
    world: World

    def login(self, attacker: str, **options: str) -> psycopg.Connection:
        """A new session of an attacker. What they do is committed, if they can do it."""
        conninfo = make_conninfo(as_role(self.conninfo, self.roles[attacker]), **options)
        conn = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)
        # Times are not compared, and attackers may set a DateStyle that psycopg does not read.
        conn.adapters.register_loader("timestamptz", TextLoader)
        return conn

    def owner(self) -> psycopg.Connection:
        return psycopg.connect(as_owner(self.conninfo), autocommit=True)

    def superuser(self) -> psycopg.Connection:
        return psycopg.connect(self.conninfo, autocommit=True)


@contextmanager
def attackers(server: str) -> Iterator[dict[str, str]]:
    """A role that may log in for each access, and one that was granted nothing."""
    with ExitStack() as stack:
        yield {
            attacker: stack.enter_context(login_role(server, f"attacker {attacker}"))
            for attacker in ATTACKERS
        }


def prepare(conninfo: str, roles: dict[str, str]) -> World:
    """Fills a migrated database: the ledger, the accesses, a schema that everyone may write."""
    with psycopg.connect(as_owner(conninfo)) as conn:
        for access in ACCESSES:
            conn.execute(f"select pgwallet.grant_{access}(%s)".encode(), [roles[access]])
    with psycopg.connect(conninfo) as conn:
        conn.execute(f"create schema {LAIR}; grant all on schema {LAIR} to public".encode())
        world = world_in(conn)
        # Expiries lie ahead when they are set; only time, or a superuser, makes them pass.
        expired = pgwallet.pledge(conn, world.wallet, world.open, 5).escrow_id
        pgwallet.deposit(conn, world.wallet, 5)
        conn.execute(
            "update pgwallet.escrow set expires_at = created_at where escrow_id = %s", [expired]
        )
    return world


@contextmanager
def staged(server: str, template: str, roles: dict[str, str], world: World) -> Iterator[Stage]:
    """A stage of its own, copied from a prepared database."""
    with databases.created(server, template) as name:
        yield Stage(make_conninfo(server, dbname=name), roles, world)


CATALOGS = {
    "schema": "select n.nspname, n.nspowner, n.nspacl::text from pg_namespace as n "
    "where n.nspname = 'pgwallet'",
    "relations": "select c.relname, c.relkind, c.relowner, c.relacl::text, c.relrowsecurity, "
    "c.reloptions from pg_class as c where c.relnamespace = 'pgwallet'::regnamespace order by 1",
    "columns": "select c.relname, a.attname, a.atttypid, a.attacl::text, "
    "col_description(c.oid, a.attnum) from pg_class as c "
    "join pg_attribute as a on a.attrelid = c.oid "
    "where c.relnamespace = 'pgwallet'::regnamespace order by 1, 2",
    "routines": "select p.oid, p.proname, p.proowner, p.proacl::text, p.prosrc, p.prosecdef, "
    "p.proconfig, obj_description(p.oid, 'pg_proc') from pg_proc as p "
    "where p.pronamespace = 'pgwallet'::regnamespace order by 1",
    "types": "select t.oid, t.typname, t.typowner, t.typacl::text, "
    "array(select pg_get_constraintdef(k.oid) from pg_constraint as k where k.contypid = t.oid) "
    "from pg_type as t where t.typnamespace = 'pgwallet'::regnamespace order by 1",
    "operators": "select o.oprname from pg_operator as o "
    "where o.oprnamespace = 'pgwallet'::regnamespace",
    "triggers": "select g.tgname, g.tgrelid, g.tgenabled from pg_trigger as g "
    "join pg_class as c on c.oid = g.tgrelid "
    "where c.relnamespace = 'pgwallet'::regnamespace order by g.oid",
    "rules": "select r.rulename, r.ev_class from pg_rewrite as r "
    "join pg_class as c on c.oid = r.ev_class "
    "where c.relnamespace = 'pgwallet'::regnamespace order by r.oid",
    "policies": "select y.polname from pg_policy as y "
    "join pg_class as c on c.oid = y.polrelid where c.relnamespace = 'pgwallet'::regnamespace",
    "constraints": "select k.conname from pg_constraint as k "
    "where k.connamespace = 'pgwallet'::regnamespace order by k.oid",
    "children": "select i.inhrelid from pg_inherits as i join pg_class as c on c.oid = i.inhparent "
    "where c.relnamespace = 'pgwallet'::regnamespace",
}
TABLES = """
  select c.oid::regclass::text from pg_class as c
  where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'r'
"""
ROLES = """
  select r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls,
    array(select m.roleid from pg_auth_members as m where m.member = r.oid order by 1)
  from pg_roles as r
  where r.rolname = any (%s)
  order by r.rolname
"""


def state(conn: psycopg.Connection, roles: list[str]) -> dict[str, object]:
    """All rows of all tables of the schema, as digests; its objects, their rights, the roles."""
    seen: dict[str, object] = {"roles": conn.execute(ROLES, [[*roles, OWNER]]).fetchall()}
    queries = dict(CATALOGS)
    for (table,) in conn.execute(TABLES).fetchall():
        queries[f"rows of {table}"] = f"select t::text from {table} as t order by 1"
    digests = sql.SQL(" union all ").join(
        sql.SQL("select {}, md5(string_agg(q::text, ' ')) from ({}) as q").format(
            sql.Literal(name), sql.SQL(query)
        )
        for name, query in queries.items()
    )
    seen.update(conn.execute(digests).fetchall())
    return seen


def superuser_name(conn: psycopg.Connection) -> str:
    return str(value(conn, "select rolname from pg_roles where oid = 10"))
