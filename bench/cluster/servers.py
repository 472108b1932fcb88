"""Servers that a cluster is measured on: one a shard, one for the router, a pgbouncer between."""

import os
import pwd
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgwallet import cluster, embedded

DEBIAN = Path("/usr/lib/postgresql/15/bin")
OWNER = "pgwallet_owner"
ROLE = "pgwallet_router"
THREADS = 2
FEW = 20

_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "300",
    "min_wal_size": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
}


@dataclass(frozen=True)
class Machines:
    """The servers, by the place of a shard; each stands in for a machine of its own."""

    router: embedded.Server
    shards: tuple[embedded.Server, ...]

    def database(self, server: embedded.Server, name: str) -> str:
        with psycopg.connect(server.conninfo, autocommit=True) as conn:
            conn.execute(
                sql.SQL("create database {} owner {}").format(
                    sql.Identifier(name), sql.Identifier(OWNER)
                )
            )
        return at(server, name)


def at(server: embedded.Server, name: str) -> str:
    return make_conninfo(server.conninfo, dbname=name)


@contextmanager
def started(shards: int) -> Iterator[Machines]:
    if not (DEBIAN / "initdb").exists():
        raise SystemExit("a cluster needs PL/Proxy: apt-get install postgresql-15-plproxy")
    with tempfile.TemporaryDirectory(prefix="bench-") as place, ExitStack() as stack:
        servers = []
        for number in range(shards + 1):
            data = Path(place, str(number))
            with (
                embedded.Server(DEBIAN, data) as server,
                psycopg.connect(server.conninfo, autocommit=True) as conn,
            ):
                for name, value in _SETTINGS.items():
                    conn.execute(f"alter system set {name} = '{value}'".encode())
                conn.execute(f"create role {OWNER} nologin".encode())
            servers.append(stack.enter_context(embedded.Server(DEBIAN, data)))
        yield Machines(servers[0], tuple(servers[1:]))


def made(machines: Machines, shards: int) -> cluster.ClusterFile:
    """A cluster on the first so many servers."""
    file = cluster.ClusterFile(
        name=f"of{shards}",
        owner=OWNER,
        role=ROLE,
        shards=tuple(
            cluster.shard_at(
                number,
                make_conninfo(
                    machines.database(server, f"of{shards}_{number}"), options=f"-c role={OWNER}"
                ),
            )
            for number, server in enumerate(machines.shards[:shards])
        ),
        routers=(machines.database(machines.router, f"of{shards}"),),
    )
    cluster.init(file)
    return file


def point(file: cluster.ClusterFile, places: Sequence[str]) -> None:
    """From now on the router finds the shards there."""
    options = sql.SQL(", ").join(
        sql.SQL("set {} {}").format(sql.Identifier(f"p{number}"), place)
        for number, place in enumerate(places)
    )
    with psycopg.connect(file.routers[0]) as conn:
        conn.execute(sql.SQL("alter server pgwallet options ({})").format(options))


@contextmanager
def pooler(file: cluster.ClusterFile, connections: int) -> Iterator[list[str]]:
    """A pgbouncer with so many connections to each shard; yields where the shards are behind it."""
    with tempfile.TemporaryDirectory(prefix="bouncer-") as place:
        directory = Path(place)
        through = [conninfo_to_dict(shard.through) for shard in file.shards]
        lines = ["[databases]"]
        lines += (
            f"{each['dbname']} = host={each['host']} port={each['port']} dbname={each['dbname']}"
            for each in through
        )
        lines += [
            "[pgbouncer]",
            f"unix_socket_dir = {directory}",
            "listen_addr =",
            "listen_port = 6432",
            "auth_type = trust",
            f"auth_file = {directory / 'users.txt'}",
            "pool_mode = transaction",
            f"default_pool_size = {connections}",
            "max_client_conn = 5000",
            "ignore_startup_parameters = extra_float_digits",
        ]
        (directory / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        (directory / "users.txt").write_text(f'"{ROLE}" ""\n')
        directory.chmod(0o777)
        user = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
        process = subprocess.Popen(
            ["/usr/sbin/pgbouncer", "--quiet", directory / "pgbouncer.ini"],
            user=user,
            extra_groups=None if user is None else [],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not (directory / ".s.PGSQL.6432").exists():
                if process.poll() is not None:
                    raise SystemExit("pgbouncer does not start: apt-get install pgbouncer")
                time.sleep(0.05)
            yield [f"host={directory} port=6432 dbname={each['dbname']}" for each in through]
        finally:
            process.terminate()
            process.wait()


def pgbench(conninfo: str, script: str, clients: int, seconds: int) -> float:
    """Calls a second; in no seconds a few calls, which measure nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        length = f"--time={seconds}" if seconds else f"--transactions={FEW}"
        command = [str(DEBIAN / "pgbench"), "--no-vacuum", "--protocol=prepared", length]
        command += [f"--client={clients}", f"--jobs={min(clients, THREADS)}"]
        done = subprocess.run(
            [*command, f"--file={file.name}", conninfo], capture_output=True, text=True
        )
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench failed: {done.stderr}{done.stdout}")
    return float(found[1])
