"""`cluster status` names what is not as this version and the file have it, and where."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pgwallet import cluster
from pgwallet.cluster import ClusterFile
from tests.cli.command import pgwallet_here
from tests.clusters import ROLE, written


def findings(file: ClusterFile) -> list[tuple[str, str, str, str]]:
    return [
        (member.name, drift.what, drift.kind, drift.name)
        for member in cluster.status(file).members
        for drift in member.findings
    ]


@contextmanager
def changed(conninfo: str, there: str, back: str) -> Iterator[None]:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute(there.encode())
        try:
            yield
        finally:
            conn.execute(back.encode())


def test_a_new_cluster_is_as_it_should_be(whole: ClusterFile, tmp_path: Path) -> None:
    assert findings(whole) == []
    file = written(whole, tmp_path / "cluster.toml")
    told = pgwallet_here("cluster", "status", file, "--check")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines()[-1] == "The cluster is up to date."
    again = pgwallet_here("cluster", "init", file)
    assert (again.returncode, again.stdout) == (
        0,
        "Nothing to do: the cluster is up to date.\n",
    ), again.stderr


def test_a_function_that_was_changed_is_named_with_its_shard(
    whole: ClusterFile, cluster_server: str, tmp_path: Path
) -> None:
    shard = whole.shards[2]
    function = "pgwallet_call.balance(bigint)"
    with psycopg.connect(shard.conninfo) as conn:
        row = conn.execute("select pg_get_functiondef(%s::regprocedure)", [function]).fetchone()
    assert row is not None
    wrong = row[0].replace("return query", "/* better */ return query")
    with changed(shard.conninfo, wrong, row[0]):
        assert findings(whole) == [("shard 2", "edited", "function", function)]
        file = written(whole, tmp_path / "cluster.toml")
        told = pgwallet_here("cluster", "status", file, "--check", "--json")
        assert told.returncode == 1
        assert [each["member"] for each in json.loads(told.stdout)] == ["shard 2"]
        # What differs is mended, where it differs.
        mended = pgwallet_here("cluster", "migrate", file)
        assert mended.returncode == 0, mended.stderr
        assert findings(whole) == []


@pytest.mark.parametrize(
    ("there", "back", "found"),
    [
        (
            "create function pgwallet_router._more() returns int language sql as 'select 1'",
            "drop function pgwallet_router._more()",
            ("router 0", "unknown", "function", "pgwallet_router._more()"),
        ),
        (
            "alter function pgwallet.balance(bigint) security invoker",
            "alter function pgwallet.balance(bigint) security definer",
            ("router 0", "edited", "function", "pgwallet.balance(bigint)"),
        ),
        (
            "alter function pgwallet_remote.balance(int, bigint) rename to balanced",
            "alter function pgwallet_remote.balanced(int, bigint) rename to balance",
            ("router 0", "missing", "function", "pgwallet_remote.balance"),
        ),
    ],
)
def test_a_function_of_a_router_that_was_changed_is_named(
    whole: ClusterFile, there: str, back: str, found: tuple[str, ...]
) -> None:
    with changed(whole.routers[0], there, back):
        assert found in findings(whole)
    assert findings(whole) == []


def test_rights_of_the_routers_role_beyond_its_calls_are_named(
    whole: ClusterFile, cluster_server: str
) -> None:
    conninfo = whole.shards[0].conninfo
    for there, back in (
        (
            f"grant update on pgwallet.wallet to {ROLE}",
            f"revoke all on pgwallet.wallet from {ROLE}",
        ),
        (
            f"revoke execute on function pgwallet_call.balance(bigint) from {ROLE}",
            f"grant execute on function pgwallet_call.balance(bigint) to {ROLE}",
        ),
    ):
        with changed(conninfo, there, back):
            assert ("shard 0", "rights", "role", ROLE) in findings(whole)
    assert findings(whole) == []


def test_a_limit_that_the_routers_role_lacks_is_named_with_what_sets_it(
    whole: ClusterFile, cluster_server: str
) -> None:
    """Roles are of a server: who moves to a new one by a dump leaves their settings behind."""
    with (
        changed(
            cluster_server,
            f"alter role {ROLE} reset lock_timeout",
            f"alter role {ROLE} set lock_timeout = '30s'",
        ),
        psycopg.connect(cluster_server, autocommit=True) as admin,
    ):
        first = cluster.status(whole).members[0]
        assert [(drift.what, drift.detail) for drift in first.findings] == [
            ("edited", "has no lock_timeout of its own")
        ]
        admin.execute(first.findings[0].remedy.encode())
        assert findings(whole) == []
        # Another limit than ours is one.
        admin.execute(f"alter role {ROLE} set lock_timeout = '5s'".encode())
        assert findings(whole) == []


def test_a_shard_that_is_not_reached_is_named_and_the_others_are_looked_at(
    whole: ClusterFile, tmp_path: Path
) -> None:
    first, second, *others = whole.shards
    gone = replace(second, conninfo="host=/nowhere dbname=gone")
    file = replace(whole, shards=(first, gone, *others))
    named = findings(file)
    assert ("shard 1", "failed", "shard", "1") in named
    assert {member for member, *_ in named} <= {"shard 1", "router 0"}
    told = pgwallet_here("cluster", "status", written(file, tmp_path / "cluster.toml"), "--check")
    assert told.returncode == 1
    assert "shard 1   not reached" in told.stdout
