"""A PostgreSQL server that keeps its promises of durability and can be killed at any moment."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from tests import servers

DEADLINE = 60.0  # seconds; a busy machine recovers slowly

# As on a server in production, whatever the defaults are: what is acknowledged stays.
_DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")


class KillableServer:
    """A cluster in `directory` that is started, killed and started again.

    The server is a child of this process, so that its end is noticed and its process id freed:
    PostgreSQL refuses to start while an id from before the crash is still in use. `conninfo` is
    a superuser's and the same after each start.
    """

    def __init__(self, programs: Path, directory: Path) -> None:
        self.programs = programs
        self._data = directory / "data"
        with servers.started(programs, self._data):
            pass  # makes the cluster, for an account that PostgreSQL runs as
        self._account: tuple[int, int] | None = None
        if os.geteuid() == 0:
            owner = self._data.stat()
            self._account = owner.st_uid, owner.st_gid
            os.chown(directory, *self._account)  # its socket goes there
        settings = [f"-c{setting}" for setting in (*_DURABLE, "listen_addresses=", "port=5432")]
        self._command: list[str | Path] = [programs / "postgres", *settings]
        self._command += ["-D", self._data, "-k", directory]
        self.socket = directory / ".s.PGSQL.5432"
        self.conninfo = make_conninfo(
            host=str(directory), port=5432, user="postgres", dbname="postgres"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Starts the server unless it runs, and returns once it has recovered and answers."""
        if self._process is None:
            user, group = self._account or (None, None)
            with (self._data / "server.log").open("ab") as log:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=self._data,
                    user=user,
                    group=group,
                    extra_groups=None if group is None else [],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for pytest, which then stops it
                )
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                psycopg.connect(self.conninfo).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"the server does not start:\n{self._log()}") from error
            time.sleep(0.02)

    def kill(self) -> None:
        """Ends all of its processes at once with SIGKILL, as a crash of the machine would."""
        assert self._process is not None
        process = self._process.pid
        # A server that stands still starts no process while they are looked up.
        self._process.send_signal(signal.SIGSTOP)
        _wait_until(lambda: _state(process) == "T")
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
        children = [int(child) for child in listed.split()]
        for child in children:
            os.kill(child, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._process = None
        # The next server would find the shared memory still in use.
        _wait_until(lambda: all(_state(child) in "ZX" for child in children))

    def stop(self) -> None:
        """Shuts it down; where it does not within the deadline, kills it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def _log(self) -> str:
        return "\n".join((self._data / "server.log").read_text(errors="replace").splitlines()[-20:])


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not happened():
        assert time.monotonic() < deadline, "a process does not follow its signal"
        time.sleep(0.0005)


def _state(process: int) -> str:
    """The letter that ps shows: T for stopped, Z for a zombie; X also for one that is gone."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return "X"
    return status.rpartition(")")[2].split()[0]  # a program's name may hold spaces
