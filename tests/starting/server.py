"""Forks a process for each program that `client.py` asks for; ends when its own stdin does."""

import atexit
import gc
import io
import marshal
import os
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import typer

from pgwallet.cli import main as pgwallet_main
from pgwallet.cli import output
from pgwallet.cli.app import app

# What the programs import, as far as it is installed.
IMPORTED = (
    "rich.progress",
    "typer.rich_utils",
    "typer._adapters",  # and with it pydantic, if that is there
    "psycopg_pool",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.orm",
)
# Any other of Python's own variables is for the interpreter that it starts.
HARMLESS = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}

Program = Callable[[], object]


def main() -> None:
    for name in IMPORTED:
        with suppress(ImportError):
            import_module(name)
    # All commands are made once, too, not anew for each run.
    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(app)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(16)
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                answer(client)
            client.close()
    os.killpg(0, signal.SIGKILL)  # also what has not ended yet


def answer(client: socket.socket) -> NoReturn:
    """Becomes the program, and says with which code it ends."""
    header, streams, _, _ = socket.recv_fds(client, 4, 3)
    request = bytearray()
    while len(request) < int.from_bytes(header, sys.byteorder):
        request += client.recv(65536)
    (name, *arguments), directory, environment = marshal.loads(request)
    program = pgwallet(arguments) if name == "pgwallet" else python(arguments)
    if program is None or not is_plain(environment):
        client.sendall(b"r\0")
        os._exit(0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    become(directory, environment)
    code = ran(program)
    client.sendall(bytes([ord("e"), code & 255]))
    os._exit(0)


def is_plain(environment: dict[str, str]) -> bool:
    """Whether the interpreter would start as this one has, and think the same of the streams."""
    own = {name for name in environment if name.startswith(("PYTHON", "FORCE_COLOR", "TTY_"))}
    locale = next(
        (environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "C"
    )
    return own <= HARMLESS and (locale in ("C", "POSIX") or "utf" in locale.lower())


def become(directory: str, environment: dict[str, str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(Path(path).resolve()) for path in paths if path]
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0)), encoding="utf-8")
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            io.BufferedWriter(io.FileIO(number, "w")),
            encoding="utf-8",
            errors=errors,
            line_buffering=number == 2 or os.isatty(number),
        )
        for number, errors in ((1, "strict"), (2, "backslashreplace"))
    )


def ran(program: Program) -> int:
    """Runs it to its end, and what Python does at the end of a program."""
    code = 0
    try:
        program()
    except SystemExit as end:
        code = exit_code(end)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    return code


def exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def pgwallet(arguments: list[str]) -> Program | None:
    def run() -> None:
        sys.argv = ["-c", *arguments]
        # They looked at the environment and the streams when they were made.
        for console in (output.out, output.err):
            vars(console).update(vars(output._console(stderr=console.stderr)))
        pgwallet_main()

    # It becomes psql, which says nothing to the client.
    return None if "psql" in arguments else run


def python(arguments: list[str]) -> Program | None:
    """What `python` does with them, where it is the usual."""
    strict = arguments[:2] == ["-W", "error"]
    first, *rest = [*(arguments[2:] if strict else arguments), "-"]
    rest = rest[:-1]

    def run() -> None:
        if strict:
            warnings.simplefilter("error")
        if first == "-c":
            sys.path.insert(0, "")
            sys.argv = ["-c", *rest[1:]]
            exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
        elif first == "-m":
            sys.path.insert(0, str(Path.cwd()))
            sys.argv = ["-m", *rest[1:]]
            sys.modules.pop(rest[0], None)
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, str(Path(first).resolve().parent))
            sys.argv = [first, *rest]
            runpy.run_path(first, run_name="__main__")

    return None if first.startswith("-") and first not in ("-c", "-m") else run


if __name__ == "__main__":
    main()
