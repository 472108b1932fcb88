"""A cluster where tests would have a database: PGWALLET_TEST_SERVER=cluster.

`template` is then the router of four empty shards, all databases of one server, and a database made
from it is a router with shards of its own. What a test does there is committed, so before the next
one the shards are made as they were at first. The tables of the ledger, which a router has none of,
are shown to superusers as views: a test may look into them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, TypeVar, cast

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgwallet import cluster
from pgwallet.cluster import routing
from tests import databases

T = TypeVar("T")

# What a router has for whoever may do anything, and one database has not.
OF_ROUTERS = frozenset({"complete_plans", "list_shards", "shard_of"})
SHARDS = 4
ROLE = f"{databases.OWNER}_router"

_AS_AT_FIRST = (databases.HERE / "cluster" / "as_at_first.sql").read_text("utf-8")
_TABLES = (databases.HERE / "cluster" / "tables_shown.sql").read_text("utf-8")


def are_tested() -> bool:
    return os.environ.get("PGWALLET_TEST_SERVER") == "cluster"


# Of what is made once for a module where all tests undo what they do: there nothing can be undone.
BESIDES = OF_ROUTERS if are_tested() else frozenset[str]()
NOT_HERE = frozenset(routing.NOT_HERE) if are_tested() else frozenset[str]()
# What is a plan there even where one shard does all of it: its key is not at home by a wallet.
PLANNED = ("payout", "collect_earnings")
# What a call needs there to be about one shard.
OF_ONE_SHARD = {"p_shard": 0} if are_tested() else {}
KEPT = {"shared", "sealed"}
SCOPE: Literal["function", "module"] = "function" if are_tested() else "module"


@contextmanager
def planned(server: str, shards: int = SHARDS, **more: str) -> Iterator[cluster.ClusterFile]:
    """A file of a cluster whose databases exist on that server, and are empty."""
    with ExitStack() as stack:

        def database() -> str:
            name = stack.enter_context(databases.created(server))
            return make_conninfo(server, dbname=name, **more)

        places = [databases.as_owner(database()) for _ in range(shards)]
        yield cluster.ClusterFile(
            name="tests",
            owner=databases.OWNER,
            role=ROLE,
            shards=tuple(cluster.shard_at(number, each) for number, each in enumerate(places)),
            routers=(database(),),
        )


@contextmanager
def made(server: str, shards: int = SHARDS, **more: str) -> Iterator[cluster.ClusterFile]:
    """A new cluster, each of its databases on that server; what else its file says of them."""
    with planned(server, shards, **more) as file:
        cluster.init(file)
        yield file


def written(file: cluster.ClusterFile, path: Path) -> Path:
    """The same as a file, for the command line."""
    lines = [f'name = "{file.name}"', f'owner = "{file.owner}"', f'role = "{file.role}"']
    for shard in file.shards:
        lines += [
            "[[shards]]",
            f"conninfo = '''{shard.conninfo}'''",
            f"through = '''{shard.through}'''",
        ]
    for router in file.routers:
        lines += ["[[routers]]", f"conninfo = '''{router}'''"]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@contextmanager
def template(server: str) -> Iterator[str]:
    """Name of a router's database that `databases.created` makes whole clusters from."""
    with made(server) as file:
        names = [str(conninfo_to_dict(shard.conninfo)["dbname"]) for shard in file.shards]
        router = str(conninfo_to_dict(file.routers[0])["dbname"])
        for name in names:
            with psycopg.connect(make_conninfo(server, dbname=name)) as shard:
                shard.execute(_AS_AT_FIRST.encode())
        with (
            psycopg.connect(make_conninfo(server, dbname=names[0])) as shard,
            psycopg.connect(make_conninfo(server, dbname=router)) as conn,
        ):
            show_tables(shard, conn)
        databases.parts[router] = names
        try:
            yield router
        finally:
            del databases.parts[router]


@contextmanager
def one(server: str, template: str) -> Iterator[tuple[str, list[str]]]:
    """A cluster like that of the template: its router, and its shards."""
    with databases.created(server, template) as name:
        yield (
            make_conninfo(server, dbname=name),
            [make_conninfo(server, dbname=each) for each in databases.parts[name]],
        )


def show_tables(shard: psycopg.Connection, router: psycopg.Connection) -> None:
    """Has the router show its superuser the tables that a shard has."""
    superuser = sql.SQL("create user mapping for current_user server pgwallet options (user {})")
    router.execute(superuser.format(router.info.user))
    router.execute("create schema pgwallet_test")
    router.execute(_CHANGED)
    # What makes the statements reads the catalog of a shard; they are run on the router.
    statements = shard.execute(_TABLES.encode()).fetchall()
    shown = {name for (name,) in router.execute(_RELATIONS)}
    for table, statement in statements:
        if table not in shown:
            router.execute(statement.encode())
            router.execute(
                sql.SQL(
                    "create trigger change instead of update or delete on pgwallet.{} "
                    "for each row execute function pgwallet_test.changed()"
                ).format(sql.Identifier(table))
            )


_CHANGED = """
create function pgwallet_test.change(p_table text, p_old jsonb, p_new jsonb)
returns setof integer
language plproxy
as $$
  cluster 'pgwallet'; run on all; select pgwallet_test.change(p_table, p_old, p_new);
$$;

create function pgwallet_test.run(p_statement text)
returns setof integer
language plproxy
as $$
  cluster 'pgwallet'; run on all; select pgwallet_test.run(p_statement);
$$;

create function pgwallet_test.contents()
returns table (name text, rows bigint, digest numeric)
language plproxy
as $$
  cluster 'pgwallet'; run on all; select name, rows, digest from pgwallet_test.contents();
$$;

create function pgwallet_test.changed()
returns trigger
language plpgsql
security definer
as $$
begin
  perform from pgwallet_test.change(
    tg_table_name, to_jsonb(old), case when tg_op = 'UPDATE' then to_jsonb(new) end
  );
  return case when tg_op = 'UPDATE' then new else old end;
end;
$$
"""
_RELATIONS = "select relname::text from pg_class where relnamespace = 'pgwallet'::regnamespace"


class Shards:
    """The shards behind the router that tests have one after another."""

    def __init__(self, server: str, router: str) -> None:
        self._connections = [
            psycopg.connect(make_conninfo(server, dbname=name), autocommit=True)
            for name in databases.parts[router]
        ]
        self._kept: tuple[object, object] | None = None

    @contextmanager
    def open(self) -> Iterator["Shards"]:
        yield self
        for connection in self._connections:
            connection.close()

    def reset(self) -> None:
        """Makes all rows as they were at first; ids go on from where they are."""
        self._kept = None
        for connection in self._connections:
            connection.execute("select pgwallet_test.make_as_at_first()")

    def remember(self) -> None:
        """Has the next resets make all rows as they are now."""
        for connection in self._connections:
            connection.execute("select pgwallet_test.remember()")

    def kept(self, make: Callable[[], T]) -> T:
        """What was made last, as long as nobody has changed anything since."""
        if self._kept is None or self._kept[0] != self._state():
            self.reset()
            value = make()
            self._kept = (self._state(), value)
        return cast(T, self._kept[1])

    def _state(self) -> object:
        return [
            connection.execute("select pgwallet_test.state()").fetchone()
            for connection in self._connections
        ]
