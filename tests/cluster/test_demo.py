"""The demo of a cluster shows what it says, and leaves nothing behind."""

import sys
from pathlib import Path

import psycopg
import pytest

from examples import cluster_demo

DATABASES = "select datname from pg_database order by 1"
ROLES = "select rolname from pg_roles order by 1"


def test_the_demo_ends_with_a_sound_cluster_and_leaves_a_server_as_it_was(
    cluster_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster_demo, "BACKERS", 24)
    monkeypatch.setattr(sys, "argv", ["cluster_demo.py", "--server", cluster_server])
    with psycopg.connect(cluster_server, autocommit=True) as conn:
        before = [conn.execute(query).fetchall() for query in (DATABASES, ROLES)]
        assert cluster_demo.main() == 0
        assert [conn.execute(query).fetchall() for query in (DATABASES, ROLES)] == before
    told = capsys.readouterr().out
    for shown in (
        "08001 shard demo_",
        "closing the project, which is on all: 08001",
        "balance 76.00, so it was done once",
        "projects closed on all shards now: 1",
        "24 pledges released",
        "nothing was found",
    ):
        assert shown in told


def test_without_a_server_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster_demo, "DEBIAN", tmp_path)
    monkeypatch.setattr(sys, "argv", ["cluster_demo.py"])
    monkeypatch.delenv(cluster_demo.VARIABLE, raising=False)
    assert cluster_demo.main() == 1
    assert "apt-get install postgresql-15 postgresql-15-plproxy" in capsys.readouterr().err
