"""A pgbouncer of Debian's, in transaction mode, in front of one database."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
DEADLINE = 20.0  # seconds
SERVER_CONNECTIONS = 2


def require() -> str:
    """The path of the program; without it tests are skipped, but CI must have it."""
    if PROGRAM is None:
        reason = "pgbouncer is not installed: apt-get install pgbouncer"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return PROGRAM


def version() -> tuple[int, int]:
    text = subprocess.check_output([require(), "--version"], text=True)
    match = re.search(r"PgBouncer (\d+)\.(\d+)", text)
    assert match is not None, text
    return int(match[1]), int(match[2])


@contextmanager
def in_front_of(conninfo: str, *settings: str) -> Iterator[str]:
    """Yields the conninfo of the pooler; `settings` are further lines of its configuration."""
    # Not pytest's directory: a socket's path must be short, and the account must get in.
    directory = Path(tempfile.mkdtemp(prefix="pgwallet-"))
    server = conninfo_to_dict(conninfo)
    user, group = _account(str(server.get("host") or ""))
    # Quotes are doubled there, not escaped as libpq has it.
    given = {
        name: str(value).replace("'", "''") for name, value in server.items() if value is not None
    }
    target = " ".join(f"{name}='{value}'" for name, value in given.items())
    configuration = directory / "pgbouncer.ini"
    configuration.write_text(
        "\n".join(
            [
                "[databases]",
                f"app = {target}",
                "[pgbouncer]",
                "auth_type = any",
                "pool_mode = transaction",
                f"default_pool_size = {SERVER_CONNECTIONS}",
                "listen_addr =",
                "listen_port = 6432",
                f"unix_socket_dir = {directory}",
                *settings,
            ]
        )
    )
    if user is not None and group is not None:
        os.chown(directory, user, group)
        os.chown(configuration, user, group)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [require(), configuration],
            cwd=directory,
            user=user,
            group=group,
            extra_groups=None if group is None else [],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        pooler = make_conninfo(host=str(directory), port=6432, dbname="app", user="postgres")
        _wait_until_it_answers(process, pooler, directory / "log")
        yield pooler
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(directory)


def _account(host: str) -> tuple[int | None, int | None]:
    """Root's pgbouncer, which refuses to run as root, gets the account of the server's socket."""
    if os.geteuid() != 0:
        return None, None
    if host.startswith("/") and (owner := Path(host).stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _wait_until_it_answers(process: subprocess.Popen[bytes], conninfo: str, log: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError(f"pgbouncer does not answer:\n{log.read_text(errors='replace')}")
