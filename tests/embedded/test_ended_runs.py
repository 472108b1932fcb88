"""A run of the tests that is ended early stops the servers of its workers."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.test_embedded import processes

ROOT = Path(__file__).parents[2]
DEADLINE = 90.0  # seconds

if not Path("/proc").is_dir():
    pytest.skip("looks for processes in /proc", allow_module_level=True)


def servers(directory: Path) -> int:
    return sum(b"bin/postgres\0" in command for command in processes(directory))


@pytest.fixture
def directory() -> Iterator[Path]:
    """With a short name, so that the servers have their sockets in it and so can be told."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        Path(path).chmod(0o711)
        yield Path(path)


def test_a_run_that_is_terminated_leaves_no_server(directory: Path) -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "--dist",
            "load",
            "tests/pockets/test_vectors.py",
        ],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(directory), "PGWALLET_TEST_SERVER": "embedded"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        deadline = time.monotonic() + DEADLINE
        while servers(directory) < 2:
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        run.terminate()
        output, _ = run.communicate(timeout=DEADLINE)
    assert "KeyboardInterrupt" in output
    assert processes(directory) == []
    assert not list(directory.glob("pgwallet-*"))
