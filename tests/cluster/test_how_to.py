"""What the page on running a cluster shows works as it is written there."""

import shlex
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests.cli.command import pgwallet_here
from tests.cluster.conftest import SHARDS, wallets_on_all_shards
from tests.clusters import planned, written
from tests.docs.blocks import ROOT, blocks
from tests.examples import bouncer

PAGE = ROOT / "docs" / "how-to" / "cluster.md"


def of_page(language: str, containing: str) -> str:
    (found,) = (
        block.text
        for block in blocks(PAGE.read_text("utf-8"))
        if block.language == language and containing in block.text
    )
    return found


def test_the_file_is_one(tmp_path: Path) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(of_page("toml", "[[shards]]"))
    file = cluster.read_cluster_file(path)
    assert (len(file.shards), len(file.routers)) == (4, 1)
    pooled = of_page("ini", "[pgbouncer]")
    assert {
        str(psycopg.conninfo.conninfo_to_dict(shard.through)["dbname"]) for shard in file.shards
    } == {line.split(" = ")[0] for line in pooled.splitlines() if " = host=" in line}


def test_what_watches_it_runs(whole: cluster.ClusterFile, tmp_path: Path) -> None:
    path = written(whole, tmp_path / "cluster.toml")
    lines = of_page("console", "each quarter of an hour").splitlines()
    assert len(lines) == 3
    for line in lines:
        program, *arguments = shlex.split(line.removeprefix("$ "), comments=True)
        assert program == "pgwallet"
        told = pgwallet_here(*(path if each == "cluster.toml" else each for each in arguments))
        # Other tests leave keys of two shards behind.
        assert told.returncode == 0 or "--keys" in arguments, told.stdout + told.stderr
        assert told.returncode in (0, 1), told.stderr


def test_a_project_is_released_by_a_worker_a_shard(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    project = pgwallet.create_project(router, "released by workers").project_id
    for wallet in wallets_on_all_shards(router, "worked"):
        pgwallet.deposit(router, wallet, 10)
        pgwallet.pledge(router, wallet, project, 10)
    namespace: dict[str, object] = {}
    exec(of_page("python", "def release("), namespace)
    release = namespace["release"]
    assert callable(release)
    with pgwallet.Cluster(whole.routers[0]) as way:
        assert release(way, project) == SHARDS
    assert pgwallet.get_project(router, project).locked_count == 0


def test_a_pooler_ends_a_call_on_a_shard_that_hangs(cluster_server: str) -> None:
    settings = [
        "query_timeout = 1" if line.startswith("query_timeout") else line
        for line in of_page("ini", "[pgbouncer]").partition("[pgbouncer]")[2].splitlines()
        # Where it listens and whom it knows is another matter here.
        if line and not line.startswith(("listen_", "auth_"))
    ]
    assert "pool_mode = transaction" in settings
    with planned(cluster_server, 1) as file:
        (shard,) = file.shards
        target = make_conninfo(shard.through, user="postgres")
        with bouncer.in_front_of(target, *settings, "admin_users = postgres") as pooler:
            through = make_conninfo(
                "",
                **{
                    key: value
                    for key, value in psycopg.conninfo.conninfo_to_dict(pooler).items()
                    if key != "user"
                },
            )
            file = replace(file, shards=(replace(shard, through=through),))
            cluster.init(file)
            assert cluster.status(file).up_to_date
            with (
                psycopg.connect(file.routers[0], autocommit=True) as conn,
                psycopg.connect(shard.conninfo) as other,
                psycopg.connect(
                    make_conninfo(pooler, dbname="pgbouncer"), autocommit=True
                ) as admin,
            ):
                wallet = pgwallet.create_wallet(conn, "ann").wallet_id
                other.execute(
                    "select from pgwallet.account where account_id = %s for update", [wallet]
                )
                began = time.monotonic()
                with pytest.raises(psycopg.OperationalError) as refused:
                    pgwallet.deposit(conn, wallet, 10, "waited for")
                assert refused.value.sqlstate == "08007"
                assert time.monotonic() - began < 10
                cursor = admin.execute("show pools")
                assert "cl_waiting" in {column.name for column in cursor.description or ()}
                other.rollback()
                pgwallet.deposit(conn, wallet, 10, "waited for")
                assert pgwallet.balance(conn, wallet) == 10
