"""Releases of pgwallet that can be told apart, and processes that deploy them."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path

from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.deployment import migrations_directory
from tests.databases import OWNER

DEADLINE = 120.0  # seconds

# Python is started and pgwallet imported once, since both take longer than to migrate: for each
# name of a pipe that it reads, a fork migrates, and tells that pipe who it is and how it ended.
_FORKING = """
import os, signal, sys, traceback
import pgwallet
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
for line in sys.stdin:
    if os.fork() == 0:
        with open(line.rstrip("\\n"), "w") as told:
            print(os.getpid(), file=told, flush=True)
            try:
                pgwallet.migrate(sys.argv[1])
            except BaseException:
                told.write(traceback.format_exc())
            else:
                told.write("done")
        os._exit(0)
"""


def release(directory: Path, mark: str) -> Path:
    """A copy of pgwallet whose functions carry a mark, and leave it behind when they are called."""
    package = directory / mark / "pgwallet"
    own = Path(pgwallet.__file__).parent
    shutil.copytree(own, package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(migrations_directory().parent, package / "db", dirs_exist_ok=True)
    for file in (package / "db" / "procedures").rglob("*.sql"):
        text = re.sub(r"(?m)^as (\$\w+\$)$", rf"as \1 -- release {mark}", file.read_text("utf-8"))
        note = f"perform pg_catalog.set_config('release.{file.stem}', '{mark}', false);"
        file.write_text(re.sub(r"(?m)^begin$", f"begin {note}", text, count=1), "utf-8")
    return directory / mark


class Migration:
    """A process that runs `migrate`; it closes its pipe when it ends, however it does."""

    def __init__(self, pipe: Path) -> None:
        self._pipe = pipe.open("rb", buffering=0)  # once it is there
        self._told = b""
        self._ended = False
        while b"\n" not in self._told:
            self._read(DEADLINE)
        self._id = int(self._told.partition(b"\n")[0])

    def has_ended(self, seconds: float = 0) -> bool:
        """Waits for its end for so long."""
        deadline = time.monotonic() + seconds
        while self._read(max(0, deadline - time.monotonic())):
            pass
        return self._ended

    def finish(self) -> None:
        """Waits until it has migrated."""
        assert self.has_ended(DEADLINE)
        assert self._told.partition(b"\n")[2] == b"done", self._told.decode()

    def kill(self) -> None:
        if not self.has_ended():
            os.kill(self._id, signal.SIGKILL)
            assert self.has_ended(DEADLINE)

    def close(self) -> None:
        self.kill()
        self._pipe.close()

    def _read(self, seconds: float) -> bool:
        """Whether there was more to read within so long."""
        if self._ended or not select.select([self._pipe], [], [], seconds)[0]:
            return False
        more = self._pipe.read(65536)
        self._told += more
        self._ended = not more
        return not self._ended


class Deployer:
    """Starts processes, called like the release, that run its `migrate`."""

    def __init__(self, release: Path, process: subprocess.Popen[str], stack: ExitStack) -> None:
        self._release = release
        self._process = process
        self._stack = stack
        self._started = count()

    def migrate(self) -> Migration:
        pipe = self._release / f"pipe {next(self._started)}"
        os.mkfifo(pipe)
        assert self._process.stdin is not None
        print(pipe, file=self._process.stdin, flush=True)
        return self._stack.enter_context(closing(Migration(pipe)))


@contextmanager
def deployer(release: Path, database: str) -> Iterator[Deployer]:
    options = f"-c role={OWNER}"
    conninfo = make_conninfo(database, options=options, application_name=release.name)
    with (
        subprocess.Popen(
            [sys.executable, "-c", _FORKING, conninfo],
            env={**os.environ, "PYTHONPATH": str(release)},
            cwd=release,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        ExitStack() as stack,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Deployer(release, process, stack)
