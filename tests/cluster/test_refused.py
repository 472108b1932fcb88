"""What cannot become this cluster is refused in clear words, and nothing is changed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from pgwallet.cluster import ClusterFile, ClusterFileError
from pgwallet.cluster.making_shards import make_role
from pgwallet.deployment import DeploymentError
from tests import databases
from tests.cli.command import pgwallet_here
from tests.clusters import planned

SHARD = "[[shards]]\nconninfo = 'dbname={}'\n"
ROUTER = "[[routers]]\nconninfo = 'dbname=router'\n"
NAME = "name = 'shop'\n"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("name = ", "is no TOML"),
        (SHARD.format("a") + ROUTER, "it has no name"),
        (NAME + ROUTER, "it has no [[shards]]"),
        (NAME + SHARD.format("a"), "it has no [[routers]]"),
        (NAME + "colour = 'red'\n" + SHARD.format("a") + ROUTER, "colour means nothing here"),
        (NAME + SHARD.format("a") + "colour = 1\n" + ROUTER, "colour means nothing here"),
        ("name = ''\n" + SHARD.format("a") + ROUTER, "name is a text that is not empty"),
        ("name = 7\n" + SHARD.format("a") + ROUTER, "name is a text that is not empty"),
        (NAME + "".join(map(SHARD.format, "abc")) + ROUTER, "a power of two"),
        (NAME + 2 * SHARD.format("a") + ROUTER, "shards 0 and 1 are one database"),
        (NAME + "[[shards]]\n" + ROUTER, "shard 0: it has no conninfo"),
        (NAME + "[[shards]]\nconninfo = 'what?'\n" + ROUTER, "is no connection string"),
        (NAME + "shards = ['dbname=a']\n" + ROUTER, "it has no [[shards]]"),
        (
            NAME + SHARD.format("a") + "through = 'dbname=a user=me password=x'\n" + ROUTER,
            "everybody may read what through says, so it has no password, user",
        ),
    ],
)
def test_a_file_that_says_no_cluster_is_refused(tmp_path: Path, text: str, refusal: str) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(text)
    with pytest.raises(ClusterFileError) as refused:
        cluster.read_cluster_file(path)
    assert refusal in str(refused.value)
    told = pgwallet_here("cluster", "status", path)
    assert told.returncode == 2
    assert "password=x" not in told.stderr


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    told = pgwallet_here("cluster", "init", tmp_path / "none.toml")
    assert told.returncode == 2
    assert "cannot be read: No such file or directory" in told.stderr
    shown = pgwallet_here("cluster", "status", "--help").stdout
    assert "FILE <str>  Says what it is made of, as pgwallet cluster init --help" in shown


@pytest.fixture
def empty(cluster_server: str) -> Iterator[ClusterFile]:
    with planned(cluster_server, 2) as file:
        yield file


@pytest.fixture
def ledger(cluster_server: str) -> Iterator[str]:
    """A ledger in use."""
    with databases.created(cluster_server) as name:
        conninfo = databases.as_owner(make_conninfo(cluster_server, dbname=name))
        pgwallet.migrate(conninfo)
        with psycopg.connect(conninfo) as conn:
            pgwallet.create_wallet(conn, "ada")
        yield conninfo


def refusal_of(file: ClusterFile) -> str:
    with pytest.raises(DeploymentError) as refused:
        cluster.init(file)
    return str(refused.value)


def is_untouched(file: ClusterFile) -> bool:
    """No database of the file has anything of pgwallet, but those that had it before."""
    for conninfo in (*(shard.conninfo for shard in file.shards), *file.routers):
        with psycopg.connect(conninfo) as conn:
            if conn.execute("select to_regnamespace('pgwallet')").fetchone() != (None,):
                return False
    return True


def test_databases_that_are_no_empty_ones_are_refused(
    empty: ClusterFile, ledger: str, whole: ClusterFile
) -> None:
    first, _ = empty.shards
    (router,) = empty.routers
    superuser = make_conninfo(ledger, options="")

    assert "shard 1: this database is a ledger in use" in refusal_of(
        replace(empty, shards=(first, cluster.shard_at(1, ledger)))
    )
    assert "router 0: this database is a ledger, and a router holds no money" in refusal_of(
        replace(empty, routers=(superuser,))
    )
    assert "router 1: this database, " in refusal_of(replace(empty, routers=(router, router)))
    assert "shard 1: this database is a router" in refusal_of(
        replace(empty, shards=(first, cluster.shard_at(1, whole.routers[0])))
    )
    assert "shard 1: this database is shard 2 of 4 of cluster tests" in refusal_of(
        replace(empty, shards=(first, cluster.shard_at(1, whole.shards[2].conninfo)))
    )
    assert "router 0: this database is a router of cluster tests with 4 shards" in refusal_of(
        replace(empty, routers=whole.routers)
    )
    assert "router 0: role " in refusal_of(replace(empty, routers=(databases.as_owner(router),)))
    assert "shard 1 cannot be reached: " in refusal_of(
        replace(empty, shards=(first, cluster.shard_at(1, "host=/nowhere dbname=gone")))
    )
    assert is_untouched(empty)
    with pytest.raises(DeploymentError, match="shard 0: this database is no shard yet"):
        cluster.migrate(empty)
    assert is_untouched(empty)


def test_the_number_and_the_order_of_shards_never_change(whole: ClusterFile) -> None:
    first, second, *_ = whole.shards
    half = replace(whole, shards=(first, second))
    assert "shard 0: this database is shard 0 of 4 of cluster tests" in refusal_of(half)
    turned = tuple(
        replace(shard, number=number) for number, shard in enumerate(reversed(whole.shards))
    )
    assert "shard 0: this database is shard 3 of 4" in refusal_of(replace(whole, shards=turned))
    assert "and the file says shard 0 of 4 of cluster another" in refusal_of(
        replace(whole, name="another")
    )
    assert cluster.status(whole).up_to_date


def test_a_router_that_is_led_elsewhere_is_refused(empty: ClusterFile, whole: ClusterFile) -> None:
    first, second = empty.shards
    led = replace(second, through=whole.shards[1].through)
    said = refusal_of(replace(empty, shards=(first, led)))
    assert "router 0: it does not reach shard 1: the database there is shard 1 of 4" in said
    assert "Left behind: router 0." in said
    # The same call with a correct file goes on from there.
    assert cluster.init(empty).routers == (0,)
    assert cluster.status(empty).up_to_date


def test_what_a_superuser_is_to_run_makes_the_role_of_routers_as_init_does(
    empty: ClusterFile,
) -> None:
    """With its limits: without them a call that waits on a shard would wait for ever."""
    settings = "select rolconfig from pg_roles where rolname = 'tests_by_hand'"
    with psycopg.connect(empty.routers[0]) as conn:
        make_role(conn, "tests_by_hand")
        by_init = conn.execute(settings).fetchone()
        conn.rollback()
        conn.execute("create role tests_without_rights")
        conn.execute("set session authorization tests_without_rights")
        with pytest.raises(DeploymentError, match="may not create it") as refused:
            make_role(conn, "tests_by_hand")
        conn.execute("reset session authorization")
        conn.execute(str(refused.value).partition("have a superuser run: ")[2].encode())
        assert conn.execute(settings).fetchone() == by_init
        assert by_init is not None
        assert len(by_init[0]) == 2
        conn.rollback()
