"""The file that says what a cluster is made of.

    name = "shop"

    [[shards]]
    conninfo = "host=db1 dbname=shard0 options='-c role=pgwallet_owner'"
    through = "host=pooler1 port=6432 dbname=shard0"

    [[shards]]
    conninfo = "host=db2 dbname=shard1 options='-c role=pgwallet_owner'"

    [[routers]]
    conninfo = "host=router1 dbname=shop user=postgres"

Shards count from 0, in this order. `conninfo` is how `pgwallet cluster` connects: to a shard as
the role that is to own it, to a router as a superuser. `through` is how routers reach the shard,
without user and password, best through a pooler; left out, they go where `conninfo` does. No
password belongs in the file: libpq finds them in a passfile, also for routers (that of the account
which their server runs as).
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

# What another machine needs to find a database, and what is the business of who connects.
_PLACE = ("host", "hostaddr", "port", "dbname", "target_session_attrs")


class ClusterFileError(ValueError):
    """The file does not describe a cluster; the message says what is wrong, and where."""


@dataclass(frozen=True, slots=True)
class Shard:
    number: int
    conninfo: str
    through: str


@dataclass(frozen=True, slots=True)
class ClusterFile:
    """`owner` is the role that owns the routers' functions, `role` what they call shards as."""

    name: str
    shards: tuple[Shard, ...]
    routers: tuple[str, ...]
    owner: str = "pgwallet_owner"
    role: str = "pgwallet_router"


def read_cluster_file(path: str | os.PathLike[str]) -> ClusterFile:
    """What the file says, checked for what a look at it can find; raises ClusterFileError."""
    try:
        said = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ClusterFileError(f"{path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ClusterFileError(f"{path} is no TOML: {error}") from error
    return _checked(str(path), said)


def _checked(path: str, said: dict[str, Any]) -> ClusterFile:
    unknown = sorted(set(said) - {"name", "owner", "role", "shards", "routers"})
    if unknown:
        raise ClusterFileError(f"{path}: {', '.join(unknown)} means nothing here")
    names = {key: said[key] for key in ("name", "owner", "role") if key in said}
    for key, name in names.items():
        if not isinstance(name, str) or not name:
            raise ClusterFileError(f"{path}: {key} is a text that is not empty")
    if "name" not in names:
        raise ClusterFileError(f'{path}: it has no name, such as name = "shop"')
    shards = tuple(
        _shard(f"{path}, shard {number}", number, each)
        for number, each in enumerate(_tables(path, said, "shards"))
    )
    if len(shards) & (len(shards) - 1) or len(shards) > 64:
        raise ClusterFileError(
            f"{path}: {len(shards)} shards; their number is a power of two up to 64 and never "
            "changes, so begin with many on few servers: a shard moves as a whole"
        )
    places = [shard.through for shard in shards]
    for shard in shards:
        if places.index(shard.through) != shard.number:
            raise ClusterFileError(
                f"{path}: shards {places.index(shard.through)} and {shard.number} are one database"
            )
    routers = tuple(
        _conninfo(f"{path}, router {number}", each, "conninfo")
        for number, each in enumerate(_tables(path, said, "routers"))
    )
    return ClusterFile(shards=shards, routers=routers, **names)


def _tables(path: str, said: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tables = said.get(key, [])
    if not tables or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise ClusterFileError(f"{path}: it has no [[{key}]]")
    return tables


def shard_at(number: int, conninfo: str, through: str | None = None) -> Shard:
    """A shard as the file would have it: without `through`, routers go where `conninfo` does."""
    return Shard(number, conninfo, _place(conninfo) if through is None else through)


def _shard(where: str, number: int, said: dict[str, Any]) -> Shard:
    conninfo = _conninfo(where, said, "conninfo")
    through = _conninfo(where, said, "through") if "through" in said else None
    shard = shard_at(number, conninfo, through)
    strange = sorted({"user", "password", "passfile"} & set(conninfo_to_dict(shard.through)))
    if strange:
        raise ClusterFileError(
            f"{where}: everybody may read what through says, so it has no {', '.join(strange)}"
        )
    return shard


def _conninfo(where: str, said: dict[str, Any], key: str) -> str:
    unknown = sorted(set(said) - {"conninfo", "through"})
    if unknown:
        raise ClusterFileError(f"{where}: {', '.join(unknown)} means nothing here")
    conninfo = said.get(key)
    if not isinstance(conninfo, str) or not conninfo:
        raise ClusterFileError(f"{where}: it has no {key}")
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        raise ClusterFileError(f"{where}: {key} is no connection string: {error}") from error
    return conninfo


def _place(conninfo: str) -> str:
    said = conninfo_to_dict(conninfo)
    return make_conninfo("", **{key: said[key] for key in _PLACE if key in said})
