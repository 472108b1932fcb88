"""The server that everything is measured on, and what it and the machine are."""

import logging
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg

import pgwallet
from pgwallet import embedded

_MEMORY_MB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20

# Durable as in production, and with the share of memory that docs/performance.md advises. Room for
# WAL keeps checkpoints out of the seconds that are measured; autovacuum would meet one contender
# and not the next, so the bench vacuums between rounds.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": f"{_MEMORY_MB // 4}MB",
    "min_wal_size": "2GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
}


class Bench:
    """One server with SETTINGS, a ledger on it, and more databases as they are asked for."""

    def __init__(self, server: embedded.Server, stack: ExitStack, log: int) -> None:
        self.server = server
        self._stack = stack
        self.conninfo = self.database("main_ledger")
        self.conn = self._connected(self.conninfo)
        # WAL files to write again, as a server has that has run for a while: making new ones
        # would stop whoever comes first.
        self.conn.execute(
            "select from generate_series(1, %s) as g (n) cross join lateral ("
            "select pg_logical_emit_message(false, '', repeat('x', 1048576 + g.n * 0))) as m",
            [log],
        )
        self.conn.execute("checkpoint")

    def rest(self) -> None:
        """Leaves no dead rows and no unwritten pages of one contest to the next."""
        self.conn.execute("vacuum pgwallet.account")
        self.conn.execute("checkpoint")

    def database(self, name: str) -> str:
        """The connection string of a new, empty database."""
        with psycopg.connect(self.server.conninfo, autocommit=True) as conn:
            conn.execute(f"create database {name}".encode())
        return self.server.conninfo.replace("/postgres?", f"/{name}?")

    def ledger(self, name: str) -> psycopg.Connection:
        """A connection, on autocommit, to a new ledger."""
        return self._connected(self.database(name))

    def pgbench(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.server.bin_path / "pgbench", *arguments], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"pgbench failed: {done.stderr}")
        return done.stdout

    def _connected(self, conninfo: str) -> psycopg.Connection:
        logging.getLogger("pgwallet").setLevel(logging.ERROR)  # the owner is a superuser here
        pgwallet.migrate(conninfo)
        return self._stack.enter_context(psycopg.connect(conninfo, autocommit=True))


@contextmanager
def started(log: int, changes: Mapping[str, str] | None = None) -> Iterator[Bench]:
    """An embedded PostgreSQL 18 with SETTINGS and `changes`, in a directory that goes with it.

    `log` is how many MB of WAL files it has from the start.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, ExitStack() as stack:
        data = Path(directory, "data")
        with (
            embedded.start(data) as server,
            psycopg.connect(server.conninfo, autocommit=True) as conn,
        ):
            for name, value in {**SETTINGS, **(changes or {})}.items():
                conn.execute(f"alter system set {name} = '{value}'".encode())
        yield Bench(stack.enter_context(embedded.start(data)), stack, log)


def described(conn: psycopg.Connection) -> dict[str, dict[str, str]]:
    """The machine, the versions and the settings of a run."""
    settings: dict[str, str] = dict(
        conn.execute(
            "select s.name, current_setting(s.name) from pg_settings as s "
            "where s.name = any (%s) order by s.name",
            [[*SETTINGS, "full_page_writes", "wal_sync_method", "wal_level"]],
        ).fetchall()
    )
    return {
        "machine": {
            "cpu": _cpu(),
            "cores": str(os.cpu_count()),
            "memory": f"{_MEMORY_MB >> 10} GB",
            "system": platform.platform(terse=True),
        },
        "versions": {
            "PostgreSQL": str(conn.info.parameter_status("server_version")),
            "Python": platform.python_version(),
            **{name: version(name) for name in ("pgwallet", "psycopg", "Django")},
        },
        "settings": settings,
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
