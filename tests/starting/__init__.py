"""Starting Python programs that begin with what takes them longest already done: their imports.

A server has imported what they need, and forks for each; a small client passes on the streams, the
arguments and the environment, and ends as the program ends. It is a process like any other, but for
signals and limits, which do not reach the program: what is about those starts Python itself. So
does a full run (tests/effort.py) throughout.
"""

import atexit
import shlex
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.effort import IS_FULL

HERE = Path(__file__).parent

_MAIN = "from pgwallet.cli import main; main()"


def python() -> list[str]:
    """The beginning of a command line, to go on as after `python`."""
    return [sys.executable] if IS_FULL else [*_client(), "python"]


def pgwallet() -> list[str]:
    """The beginning of a command line, to go on as after `pgwallet`."""
    return [sys.executable, "-c", _MAIN] if IS_FULL else [*_client(), "pgwallet"]


@cache
def programs() -> Path:
    """A directory for PATH with `python` and `pgwallet` in it."""
    if IS_FULL:
        return Path(sys.executable).parent
    directory = _directory()
    for name, command in (("python", python()), ("pgwallet", pgwallet())):
        script = directory / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        script.chmod(0o755)
    return directory


def _client() -> list[str]:
    return [sys.executable, "-SI", str(HERE / "client.py"), str(_server())]


@cache
def _directory() -> Path:
    directory = tempfile.TemporaryDirectory(prefix="pgwallet-starting-", dir="/tmp")
    atexit.register(directory.cleanup)
    return Path(directory.name)


@cache
def _server() -> Path:
    """The socket of a server that runs until this process ends."""
    socket = _directory() / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.starting.server", socket],
        cwd=HERE.parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    atexit.register(process.communicate)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return socket
