"""Where shards ask for passwords, routers find them in the passfile of their server's account."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import pgwallet
from pgwallet import cluster
from pgwallet.cluster import ClusterFile
from pgwallet.deployment import DeploymentError
from tests import clusters, databases, servers
from tests.cli.command import pgwallet_here
from tests.clusters import ROLE, written

PASSWORD = "geheim, 'quoted' and \\ backslashed"
HBA = "local all postgres trust\nlocal all all scram-sha-256\n"

# All that a role without rights may read of servers, mappings and functions.
READABLE = """
select s.srvoptions::text from pg_foreign_server as s
union all
select m.umoptions::text from pg_user_mappings as m
union all
select p.prosrc from pg_proc as p where p.pronamespace::regnamespace::text like 'pgwallet%'
"""


@pytest.fixture
def guarded(cluster_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterFile]:
    """Databases on a server that asks all but its superuser for a password."""
    with psycopg.connect(cluster_server) as conn:
        row = conn.execute("select setting from pg_config where name = 'BINDIR'").fetchone()
    assert row is not None
    with servers.directory() as place:
        place.chmod(0o755)
        passfile = place / "passfile"
        # Before the start: a server's processes have its environment.
        monkeypatch.setenv("PGPASSFILE", str(passfile))
        with servers.started(Path(row[0]), place / "data") as server:
            with psycopg.connect(server.conninfo, autocommit=True) as admin:
                (place / "data" / "pg_hba.conf").write_text(HBA)
                admin.execute("select pg_reload_conf()")
            monkeypatch.delenv("PGPASSFILE")
            with (
                databases.owner_role(server.conninfo),
                clusters.planned(server.conninfo, 2) as file,
            ):
                yield file


def know(file: ClusterFile, password: str) -> None:
    """Writes the passfile of the server's account, which nobody else may read."""
    with psycopg.connect(file.routers[0]) as conn:
        row = conn.execute("show data_directory").fetchone()
    assert row is not None
    data = Path(row[0])
    passfile = data.parent / "passfile"
    said = password.replace("\\", "\\\\").replace(":", "\\:")
    passfile.write_text(f"*:*:*:{ROLE}:{said}\n")
    passfile.chmod(0o600)
    owner = data.stat()
    os.chown(passfile, owner.st_uid, owner.st_gid)


def test_routers_find_the_password_in_a_passfile_and_nobody_else_finds_it(
    guarded: ClusterFile, tmp_path: Path
) -> None:
    with pytest.raises(DeploymentError) as refused:
        cluster.init(guarded)
    assert "router 0: it does not reach shard 0: " in str(refused.value)
    assert "no password supplied" in str(refused.value)
    assert "Left behind: router 0." in str(refused.value)

    with psycopg.connect(guarded.routers[0], autocommit=True) as admin:
        admin.execute(
            psycopg.sql.SQL("alter role {} password {}").format(
                psycopg.sql.Identifier(ROLE), PASSWORD
            )
        )
    know(guarded, PASSWORD)
    path = written(guarded, tmp_path / "cluster.toml")
    done = pgwallet_here("cluster", "init", path)
    assert done.returncode == 0, done.stderr
    assert cluster.status(guarded).up_to_date
    with psycopg.connect(guarded.routers[0], autocommit=True) as router:
        for number in range(6):
            wallet = pgwallet.create_wallet(router, f"owner {number}").wallet_id
            assert pgwallet.deposit(router, wallet, 10).balance == 10
        readable = [text for (text,) in router.execute(READABLE) if text]
        assert not any("geheim" in text for text in readable)
    assert "geheim" not in path.read_text()

    know(guarded, "another")
    told = pgwallet_here("cluster", "status", path, "--check")
    assert told.returncode == 1
    assert "password authentication failed" in told.stdout
    assert "geheim" not in told.stdout + told.stderr


def test_a_password_in_the_place_that_routers_are_told_is_refused(
    whole: ClusterFile, tmp_path: Path
) -> None:
    first, *others = whole.shards
    said = conninfo_to_dict(first.through) | {"password": "geheim"}
    told = replace(first, through=psycopg.conninfo.make_conninfo("", **said))
    path = written(replace(whole, shards=(told, *others)), tmp_path / "cluster.toml")
    refused = pgwallet_here("cluster", "init", path)
    assert refused.returncode == 2
    assert "has no password" in refused.stderr
    assert "geheim" not in refused.stderr
