"""Who the databases of a file are: asked before anything is changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from pgwallet.deployment import DeploymentError
from pgwallet.deployment.code import Code
from pgwallet.deployment.comparing import compare
from pgwallet.deployment.connecting import connect, explain_errors
from pgwallet.deployment.versions import is_newer

from .file import ClusterFile

# Servers that were copied have one identifier, and each its own start.
_PLACE = """
select format(
  '%s/%s/%s', s.system_identifier, d.oid, extract(epoch from pg_postmaster_start_time())
)
from pg_control_system() as s
cross join pg_database as d
where d.datname = current_database()
"""

# What tells a ledger, a shard and a router from each other, and from anything else.
_KIND = """
select
  exists (
    select from pg_class as c
    where c.oid = to_regclass('pgwallet.posting') and c.relkind = 'r'
  ),
  to_regclass('pgwallet_shard.identity') is not null,
  to_regprocedure('pgwallet_router._cluster()') is not null,
  to_regnamespace('pgwallet') is not null
"""

_IDENTITY = """
select i.cluster, i.shard, i.shard_count, i.moved_at is not null, i.is_adopted
from pgwallet_shard.identity as i
"""

_IN_USE = """
select exists (select from pgwallet.transaction) or exists (select from pgwallet.wallet)
  or exists (select from pgwallet.project)
"""

_VERSION = """
select d.version from pgwallet.deployment as d order by d.deployment_id desc limit 1
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which shard a database says that it is; one that was adopted was a ledger in use before."""

    cluster: str
    shard: int
    shard_count: int
    has_moved: bool = False
    is_adopted: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        moved = ", from which it has moved away" if self.has_moved else ""
        return f"shard {self.shard} of {self.shard_count} of cluster {self.cluster}{moved}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a database is: all false for an empty one."""

    is_ledger: bool
    is_shard: bool
    is_router: bool
    has_schema: bool


def kind_of(conn: psycopg.Connection) -> Kind:
    row = conn.execute(_KIND).fetchone()
    assert row is not None
    return Kind(*row)


def identity_of(conn: psycopg.Connection) -> Identity | None:
    if not kind_of(conn).is_shard:
        return None
    row = conn.execute(_IDENTITY).fetchone()
    return None if row is None else Identity(*row)


def place_of(conn: psycopg.Connection) -> str:
    """The database, by whatever name and address it was reached."""
    row = conn.execute(_PLACE).fetchone()
    assert row is not None
    return str(row[0])


def version_of(conn: psycopg.Connection) -> str | None:
    row = conn.execute(_VERSION).fetchone()
    return None if row is None else str(row[0])


class _NamedError(DeploymentError):
    """It says already which database it is about."""


@contextmanager
def member(name: str, conninfo: str) -> Iterator[psycopg.Connection]:
    """A connection to one database of the cluster; what fails meanwhile says where."""
    try:
        with reached(name, conninfo) as conn:
            yield conn
    except _NamedError:
        raise
    except DeploymentError as error:
        raise _NamedError(f"{name}: {error}") from error


@contextmanager
def reached(name: str, conninfo: str) -> Iterator[psycopg.Connection]:
    """The same where there are connections to several: only what is about this one says so."""
    conn = None
    try:
        with connect(conninfo) as conn, explain_errors():
            yield conn
    except DeploymentError as error:
        if conn is not None:
            raise
        raise _NamedError(f"{name}: {error}") from error
    except psycopg.OperationalError as error:
        if conn is not None and not conn.broken:
            raise
        raise _NamedError(
            f"{name} cannot be reached: {str(error).strip().splitlines()[0]}"
        ) from error


def look(
    cluster: ClusterFile,
    code: Code,
    check_router: Callable[[psycopg.Connection], None],
    *,
    made: bool,
    adopt: bool,
    downgrade: bool,
) -> None:
    """Refuses databases that cannot be those of the cluster, before the first one is changed.

    With `made` they have to be a cluster already, with `adopt` the first is a ledger in use.
    """
    places: dict[str, str] = {}
    for shard in cluster.shards:
        name = f"shard {shard.number}"
        with member(name, shard.conninfo) as conn:
            _claim(places, name, conn)
            wanted = Identity(cluster.name, shard.number, len(cluster.shards))
            may_be_used = adopt and shard.number == 0
            _check_shard(conn, wanted, code, made, may_be_used, downgrade)
    for number, router in enumerate(cluster.routers):
        name = f"router {number}"
        with member(name, router) as conn:
            _claim(places, name, conn)
            check_router(conn)
            _check_router(conn, cluster, code, downgrade)


def _claim(places: dict[str, str], name: str, conn: psycopg.Connection) -> None:
    place = place_of(conn)
    if place in places:
        raise DeploymentError(f"this database, {conn.info.dbname}, is {places[place]} already")
    places[place] = name


def _check_shard(
    conn: psycopg.Connection,
    wanted: Identity,
    code: Code,
    made: bool,
    may_be_used: bool,
    downgrade: bool,
) -> None:
    kind = kind_of(conn)
    if kind.is_router:
        raise DeploymentError("this database is a router, which holds no money")
    found = identity_of(conn)
    if found not in (None, wanted):
        raise DeploymentError(f"this database is {found}, and the file says {wanted}")
    if found is None and made:
        raise DeploymentError("this database is no shard yet: pgwallet cluster init makes it one")
    is_used = found is None and kind.is_ledger and conn.execute(_IN_USE).fetchone() == (True,)
    if is_used and not may_be_used:
        raise DeploymentError(
            "this database is a ledger in use, and its ids may be those of another shard; a new "
            "cluster is made of databases without wallets, projects and transactions, except for "
            "shard 0, which pgwallet cluster adopt takes as it is"
        )
    if may_be_used and not is_used and not (found and found.is_adopted):
        raise DeploymentError(
            "there is nothing to adopt: this database is no ledger in use; pgwallet cluster init "
            "makes a cluster of it"
        )
    with conn.transaction():
        status = compare(conn, code)
    if status.newer and not downgrade:
        raise DeploymentError(
            f"this database has pgwallet {status.version}, and this is {code.version}, which is "
            "older; run it with that version or a later one"
        )


def _check_router(
    conn: psycopg.Connection, cluster: ClusterFile, code: Code, downgrade: bool
) -> None:
    kind = kind_of(conn)
    if kind.is_ledger:
        raise DeploymentError("this database is a ledger, and a router holds no money; use another")
    if not kind.is_router:
        if kind.has_schema:
            raise DeploymentError(
                "the schema pgwallet here is none that pgwallet has made; use another database"
            )
        return
    row = conn.execute(
        "select pgwallet_router._cluster(), pgwallet_router._shard_count()"
    ).fetchone()
    if row != (cluster.name, len(cluster.shards)):
        name, count = row or ("", 0)
        raise DeploymentError(
            f"this database is a router of cluster {name} with {count} shards, and the file has "
            f"{cluster.name} with {len(cluster.shards)}; the number of shards never changes"
        )
    version = version_of(conn)
    if version is not None and is_newer(version, code.version) and not downgrade:
        raise DeploymentError(
            f"this router has pgwallet {version}, and this is {code.version}, which is older; run "
            "it with that version or a later one"
        )
