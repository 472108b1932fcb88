"""A server for a test alone: another environment or other settings than the one of all tests."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from pgwallet import embedded
from tests import servers


@contextmanager
def directory() -> Iterator[Path]:
    """A new one that the server's account may enter."""
    with servers.directory() as path:
        path.chmod(0o755)
        yield path


def programs(server: str) -> Path:
    """Where the programs are of the server that the other tests use."""
    if os.environ.get("PGWALLET_TEST_SERVER") not in (
        None,
        "",
        "embedded",
        "embedded-16",
        "system",
    ):
        pytest.skip("a server that the tests did not start cannot be started again")
    with psycopg.connect(server) as conn:
        row = conn.execute(
            "select c.setting from pg_config as c where c.name = 'BINDIR'"
        ).fetchone()
    assert row is not None
    return Path(row[0])


@contextmanager
def standby_of(primary: embedded.Server, data: Path) -> Iterator[embedded.Server]:
    """A copy of a server whose data are in `primary` beside it; it goes on as its standby."""
    subprocess.run(
        [
            primary.bin_path / "pg_basebackup",
            *("--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"),
            *(f"--pgdata={data}", f"--dbname={primary.conninfo}"),
        ],
        check=True,
        capture_output=True,
    )
    owner = (data.parent / "primary").stat()
    for path in (data, *data.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
        if path.name in ("postmaster.pid", "server.log"):
            path.unlink()
    with embedded.Server(primary.bin_path, data) as server:
        yield server
