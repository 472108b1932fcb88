"""What servers use of the processors, and how to give one only a part of one."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from pgwallet import embedded

_PROC = Path("/proc")
_OLD = Path("/sys/fs/cgroup/cpu")
_NEW = Path("/sys/fs/cgroup")
_PERIOD = 20_000  # microseconds: short, so that a client does not wait long for its turn


def processes_of(server: embedded.Server) -> list[int]:
    """The postmaster and all that it has started."""
    place = conninfo_to_dict(server.conninfo)
    lock = Path(str(place["host"]), f".s.PGSQL.{place['port']}.lock")
    postmaster = int(lock.read_text().splitlines()[0])
    children = Path(_PROC, f"{postmaster}/task/{postmaster}/children").read_text()
    return [postmaster, *map(int, children.split())]


def used_by(servers: Iterable[embedded.Server]) -> float:
    """Microseconds of processor so far, those of sessions that have ended among them."""
    used = 0.0
    tick = 1e6 / os.sysconf("SC_CLK_TCK")
    for server in servers:
        for number, process in enumerate(processes_of(server)):
            with suppress(FileNotFoundError, ProcessLookupError):
                used += int((_PROC / f"{process}/schedstat").read_text().split()[0]) / 1e3
                if number == 0:
                    fields = (_PROC / f"{process}/stat").read_text().rpartition(")")[2].split()
                    used += (int(fields[13]) + int(fields[14])) * tick
    return used


@contextmanager
def limited(servers: Iterable[embedded.Server], share: float) -> Iterator[None]:
    """Meanwhile each server has so much of one processor, by a control group of its own.

    Raises PermissionError where this account may not make one.
    """
    groups: list[Path] = []
    try:
        for number, server in enumerate(servers):
            group = _group(f"bench-{os.getpid()}-{number}", share)
            groups.append(group)
            for process in processes_of(server):
                with suppress(ProcessLookupError):
                    (group / "cgroup.procs").write_text(str(process))
        yield
    finally:
        for group in groups:
            _dissolve(group)


def _dissolve(group: Path) -> None:
    """Gives its processes back, those too that were started meanwhile."""
    deadline = time.monotonic() + 10
    while True:
        for process in (group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                (group.parent / "cgroup.procs").write_text(process)
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _group(name: str, share: float) -> Path:
    quota = str(int(share * _PERIOD))
    if (_NEW / "cgroup.controllers").exists():
        group = _NEW / name
        group.mkdir()
        (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
    else:
        group = _OLD / name
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group / "cpu.cfs_quota_us").write_text(quota)
    return group
