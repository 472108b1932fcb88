"""A cluster of four shards and a router on one machine: what it does, and what it does without one.

    python examples/cluster_demo.py [--server CONNINFO]

It starts a PostgreSQL of its own, the newest one here that has PL/Proxy, and removes it afterwards.
With --server, or PGWALLET_CLUSTER_SERVER, it makes its databases and roles on that server instead,
as a superuser, and drops them in the end. Each database stands for a server of its own.

It pledges and releases through the router, shuts one shard, shows what goes on and what is refused,
opens it again, completes what was broken off, and ends with a check of all shards. The exit code is
1 where that finds anything, or no server can be had.

Needs pip install 'pgwallet[all]', and for PL/Proxy: apt-get install postgresql-15-plproxy
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgwallet
from pgwallet import cluster, embedded
from pgwallet.deployment import DeploymentError

SHARDS = 4
BACKERS = 200
SHUT = 2

VARIABLE = "PGWALLET_CLUSTER_SERVER"
DEBIAN = Path("/usr/lib/postgresql")
NO_SERVER = f"""\
No PostgreSQL with PL/Proxy is installed here. On Debian or Ubuntu root installs both:

    apt-get install postgresql-15 postgresql-15-plproxy

The demo itself needs no root. Or let {VARIABLE} be the connection string of a superuser on a
server that has it."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Shows a cluster of four shards on one machine.")
    parser.add_argument("--server", default=os.environ.get(VARIABLE, ""), metavar="CONNINFO")
    server = parser.parse_args().server
    try:
        with ExitStack() as stack:
            if not server:
                server = stack.enter_context(own_server())
            return show(stack.enter_context(made(server)), server)
    except (DeploymentError, psycopg.OperationalError, embedded.EmbeddedServerError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1


@contextmanager
def own_server() -> Iterator[str]:
    """The newest installed PostgreSQL that has PL/Proxy, on data that will be thrown away."""
    found = [
        version
        for version in DEBIAN.glob("*/bin/postgres")
        if Path(f"/usr/share/postgresql/{version.parts[-3]}/extension/plproxy.control").exists()
    ]
    if not found:
        raise embedded.EmbeddedServerError(NO_SERVER)
    newest = max(found, key=lambda path: int(path.parts[-3]))
    title(f"Start a PostgreSQL {newest.parts[-3]} for this demo")
    with embedded.Server(newest.parent) as server:
        yield server.conninfo


@contextmanager
def made(server: str) -> Iterator[cluster.ClusterFile]:
    """A cluster on databases of its own, which are dropped in the end."""
    name = f"demo_{secrets.token_hex(3)}"
    roles = [f"{name}_owner", f"{name}_calls"]
    databases = [*(f"{name}_shard{number}" for number in range(SHARDS)), f"{name}_router"]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("create role {}").format(sql.Identifier(roles[0])))
        try:
            for each in databases:
                create = sql.SQL("create database {} owner {}")
                admin.execute(create.format(sql.Identifier(each), sql.Identifier(roles[0])))
            with tempfile.TemporaryDirectory() as directory:
                file = Path(directory) / "cluster.toml"
                file.write_text(text_of(server, name, roles, databases))
                title("Make four databases shards and one their router")
                print(file.read_text())
                command("pgwallet cluster init cluster.toml")
                began = time.monotonic()
                found = cluster.read_cluster_file(file)
                cluster.init(found)
                said(f"{time.monotonic() - began:.1f} s")
            yield found
        finally:
            for each in databases:
                drop = sql.SQL("drop database if exists {} with (force)")
                admin.execute(drop.format(sql.Identifier(each)))
            for role in roles:
                admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


def text_of(server: str, name: str, roles: list[str], databases: list[str]) -> str:
    owner, calls = roles
    *shards, router = databases
    lines = [f'name = "{name}"', f'owner = "{owner}"', f'role = "{calls}"']
    for shard in shards:
        conninfo = make_conninfo(server, dbname=shard, options=f"-c role={owner}")
        lines += ["", "[[shards]]", f'conninfo = "{conninfo}"']
    lines += ["", "[[routers]]", f'conninfo = "{make_conninfo(server, dbname=router)}"']
    return "\n".join(lines)


def show(file: cluster.ClusterFile, server: str) -> int:
    with psycopg.connect(file.routers[0], autocommit=True) as router:
        title("Open wallets through the router: the owner's name says on which shard")
        wallets = [
            pgwallet.create_wallet(router, f"backer {number}").wallet_id
            for number in range(BACKERS)
        ]
        for shard in range(SHARDS):
            count = sum(shard_of(wallet) == shard for wallet in wallets)
            print(f"  shard {shard}: {count} wallets")

        title("Each deposits 100.00 EUR and pledges 25.00 to a project that is on all shards")
        film = pgwallet.create_project(router, "film").project_id
        began = time.monotonic()
        for wallet in wallets:
            pgwallet.deposit(router, wallet, 100, f"deposit {wallet}")
            pgwallet.pledge(router, wallet, film, 25, idempotency_key=f"pledge {wallet}")
        said(f"{2 * BACKERS} calls, {2 * BACKERS / (time.monotonic() - began):.0f} a second")

        without_a_shard(router, server, file, wallets, film)

        title("Release the pledges: shard after shard, 50 in a transaction")
        released = sum(done.escrow_count for done in pgwallet.release_project(router, film, 50))
        said(f"{released} pledges released")
        print(f"  The project has {pgwallet.balance(router, film)} EUR, over all shards.")

    title("Does all agree, on each shard and between them?")
    command("pgwallet cluster check cluster.toml")
    violations = cluster.check(file)
    for violation in violations:
        print(f"  {violation}")
    said("nothing was found" if not violations else "this should not be")
    return 1 if violations else 0


def without_a_shard(
    router: psycopg.Connection,
    server: str,
    file: cluster.ClusterFile,
    wallets: list[int],
    film: int,
) -> None:
    gone = next(wallet for wallet in wallets if shard_of(wallet) == SHUT)
    other = next(wallet for wallet in wallets if shard_of(wallet) != SHUT)
    title(f"Shut shard {SHUT}, as if its server were down")
    open_or_shut(server, file.shards[SHUT], is_open=False)
    refused(router, gone)
    pgwallet.deposit(router, other, 1, "meanwhile")
    said(f"a deposit into a wallet of shard {shard_of(other)}: done, as ever")
    try:
        pgwallet.close_project(router, film, "succeeded")
    except psycopg.Error as error:
        said(f"closing the project, which is on all: {error.sqlstate} {error.diag.message_primary}")

    title("Open it again, and complete what was broken off")
    open_or_shut(server, file.shards[SHUT], is_open=True)
    deposit = pgwallet.deposit(router, gone, 1, "while it is shut")
    said(f"the same deposit once more: balance {deposit.balance}, so it was done once")
    command("pgwallet cluster complete cluster.toml")
    done = cluster.complete(file)
    said(f"projects closed on all shards now: {len(done.closed)}")
    assert pgwallet.close_project(router, film, "succeeded").status == "succeeded"


def refused(router: psycopg.Connection, wallet: int) -> None:
    """The first call may find a connection that was cut, the next one finds no server."""
    for _ in range(2):
        try:
            pgwallet.deposit(router, wallet, 1, "while it is shut")
        except psycopg.Error as error:
            said(f"a deposit there: {error.sqlstate} {error.diag.message_primary}")


def open_or_shut(server: str, shard: cluster.Shard, *, is_open: bool) -> None:
    name = str(conninfo_to_dict(shard.conninfo)["dbname"])
    with psycopg.connect(server, autocommit=True) as admin:
        change = sql.SQL("alter database {} with allow_connections {}")
        admin.execute(change.format(sql.Identifier(name), sql.SQL("true" if is_open else "false")))
        if not is_open:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                [name],
            )


def shard_of(wallet: int) -> int:
    return (wallet >> 46) - 1


def title(text: str) -> None:
    print(f"\n{text}", flush=True)


def command(text: str) -> None:
    print(f"  $ {text}", flush=True)


def said(text: str) -> None:
    print(f"  -- {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
