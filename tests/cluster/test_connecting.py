"""An application's own connections to the shards, found by asking a router."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgwallet
from pgwallet import cluster, shards
from pgwallet.shards import cluster as connecting
from pgwallet.shards.places import Places, slot_of
from tests.cluster.conftest import SHARDS

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())["slot"]


@pytest.fixture
def applications(whole: cluster.ClusterFile) -> Iterator[shards.Cluster]:
    with pgwallet.Cluster(whole.routers[0], timeout=2) as each:
        yield each


@pytest.fixture(params=[True, False], ids=["pool", "no pool"])
def either(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, applications: shards.Cluster
) -> shards.Cluster:
    monkeypatch.setattr(connecting, "_POOLED", request.param)
    return applications


@pytest.fixture
def owner() -> str:
    return f"owner {uuid4()}"


def test_a_wallet_is_made_where_the_router_finds_it(
    either: shards.Cluster, router: psycopg.Connection, owner: str
) -> None:
    for name in (f"{owner} {number}" for number in range(2 * SHARDS)):
        with either.connection(owner_id=name) as conn:
            wallet = pgwallet.create_wallet(conn, name).wallet_id
        assert pgwallet.create_wallet(router, name).wallet_id == wallet
        place = pgwallet.shard_of(router, wallet)
        assert place is not None
        assert place == pgwallet.shard_of(router, owner_id=name)
        assert either.shard_of(wallet) == either.shard_of(owner_id=name) == place.shard


def test_a_block_is_one_transaction_on_the_shard(
    either: shards.Cluster, router: psycopg.Connection, owner: str
) -> None:
    wallet = pgwallet.create_wallet(router, owner).wallet_id
    with either.connection(wallet) as conn:
        pgwallet.deposit(conn, wallet, 10)
        pgwallet.withdraw(conn, wallet, 4)
    assert pgwallet.balance(router, wallet) == 6

    def refused() -> None:
        with either.connection(wallet) as conn:
            pgwallet.deposit(conn, wallet, 10)
            pgwallet.withdraw(conn, wallet, 400)

    with pytest.raises(pgwallet.InsufficientFunds):
        refused()
    assert pgwallet.balance(router, wallet) == 6
    taken = either.run_transaction(lambda conn: pgwallet.withdraw(conn, wallet, 1), wallet)
    assert taken.balance == 5


def test_who_sets_autocommit_sets_it_for_the_next_block_no_more(
    either: shards.Cluster, router: psycopg.Connection, owner: str
) -> None:
    wallet = pgwallet.create_wallet(router, owner).wallet_id
    for _ in range(2):
        with either.connection(wallet) as conn:
            assert not conn.autocommit
            conn.autocommit = True


def test_what_concerns_a_project_goes_through_the_router(applications: shards.Cluster) -> None:
    with applications.router() as conn:
        project = pgwallet.create_project(conn, "through the router").project_id
        assert pgwallet.shard_of(conn, project) is None
    with (
        pytest.raises(pgwallet.InvalidArgument, match="no shard alone"),
        applications.connection(project),
    ):
        pass


def test_what_is_done_on_each_shard_names_it(
    applications: shards.Cluster, whole: cluster.ClusterFile
) -> None:
    places = applications.shards()
    assert [place.shard for place in places] == [*range(SHARDS)]
    for shard, place in zip(whole.shards, places, strict=True):
        assert place.place == shard.through
        with applications.connection(shard=shard.number) as conn:
            assert conn.info.dbname == conninfo_to_dict(shard.conninfo)["dbname"]
    with pytest.raises(IndexError), applications.connection(shard=SHARDS):
        pass


@pytest.mark.parametrize("given", [{}, {"subject_id": 1, "owner_id": "ada"}])
def test_either_an_id_or_an_owner_is_given(
    applications: shards.Cluster, router: psycopg.Connection, given: dict[str, Any]
) -> None:
    with pytest.raises(TypeError), applications.connection(**given):
        pass
    with pytest.raises(pgwallet.InvalidArgument):
        pgwallet.shard_of(router, **given)


def test_one_database_is_no_router(whole: cluster.ClusterFile) -> None:
    with (
        pgwallet.Cluster(whole.shards[0].conninfo) as each,
        pytest.raises(pgwallet.DeploymentError, match="no router"),
    ):
        each.shard_of(1)


def test_a_slot_is_what_the_database_computes(router: psycopg.Connection) -> None:
    slots = {vector["name"]: vector["slot"] for vector in VECTORS}
    slots |= {name: slot_of(name) for name in map(str, range(100))}
    computed = router.execute(
        "select pgwallet._slot_of(o.name) from unnest(%s::text[]) with ordinality as o (name, n) "
        "order by o.n",
        [[*slots]],
    ).fetchall()
    assert [slot_of(name) for name in slots] == [*slots.values()]
    assert [slot for (slot,) in computed] == [*slots.values()]


@contextmanager
def place_of(whole: cluster.ClusterFile, shard: int, place: str) -> Iterator[None]:
    """Meanwhile the router says that the shard is there."""

    def say(place: str) -> None:
        with psycopg.connect(whole.routers[0]) as conn:
            conn.execute(
                sql.SQL("alter server pgwallet options (set {} {})").format(
                    sql.Identifier(f"p{shard}"), place
                )
            )

    say(place)
    try:
        yield
    finally:
        say(whole.shards[shard].through)


def test_where_it_does_not_answer_the_router_is_asked_again(
    whole: cluster.ClusterFile, either: shards.Cluster, router: psycopg.Connection, owner: str
) -> None:
    wallet = pgwallet.create_wallet(router, owner).wallet_id
    shard = either.shard_of(wallet)
    gone = make_conninfo(whole.shards[shard].through, dbname="gone")
    with place_of(whole, shard, gone), shards.Cluster(whole.routers[0], timeout=1) as late:
        with pytest.raises(errors.SqlclientUnableToEstablishSqlconnection) as refused:
            late.run_transaction(lambda conn: pgwallet.balance(conn, wallet), wallet, attempts=2)
        assert refused.value.sqlstate == "08001"
        assert f"shard {shard} cannot be reached" in str(refused.value)
        other = next(n for n in range(SHARDS) if n != shard)
        with late.connection((other + 1) << 46) as conn:
            assert conn.info.dbname in whole.shards[other].conninfo
        with place_of(whole, shard, whole.shards[shard].through), late.connection(wallet) as conn:
            assert pgwallet.balance(conn, wallet) == 0


def _read_only(whole: cluster.ClusterFile, shard: int, setting: str) -> None:
    name = sql.Identifier(str(conninfo_to_dict(whole.shards[shard].through)["dbname"]))
    with psycopg.connect(whole.routers[0], autocommit=True) as admin:
        admin.execute(
            sql.SQL("alter database {} " + setting + " default_transaction_read_only").format(name)
            if setting == "reset"
            else sql.SQL("alter database {} set default_transaction_read_only = on").format(name)
        )


def test_a_server_that_was_left_behind_is_tried_again(
    whole: cluster.ClusterFile, either: shards.Cluster, router: psycopg.Connection, owner: str
) -> None:
    wallet = pgwallet.create_wallet(router, owner).wallet_id
    shard = either.shard_of(wallet)
    _read_only(whole, shard, "set")
    ends = Timer(0.1, _read_only, [whole, shard, "reset"])
    try:
        with (
            pytest.raises(errors.SqlclientUnableToEstablishSqlconnection),
            either.connection(wallet) as conn,
        ):
            pgwallet.deposit(conn, wallet, 10)
        ends.start()
        paid = either.run_transaction(
            lambda conn: pgwallet.deposit(conn, wallet, 10), wallet, attempts=10
        )
    finally:
        ends.cancel()
        _read_only(whole, shard, "reset")
    assert paid.balance == 10


def test_who_only_reads_is_led_to_the_new_place_in_time(
    whole: cluster.ClusterFile, either: shards.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgwallet.shards.places._GOOD_FOR", 0)
    subject_id = 1 << 46
    with either.connection(subject_id) as conn:
        assert conn.info.get_parameters().get("target_session_attrs") is None
    told = make_conninfo(whole.shards[0].through, target_session_attrs="read-write")
    with place_of(whole, 0, told), either.connection(subject_id) as conn:
        assert conn.info.get_parameters()["target_session_attrs"] == "read-write"


def test_a_router_that_is_gone_is_not_needed_to_go_on(
    whole: cluster.ClusterFile, either: shards.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgwallet.shards.places._GOOD_FOR", 0)
    assert either.shard_of(1 << 46) == 0
    monkeypatch.setattr(either._places, "router", make_conninfo(whole.routers[0], dbname="gone"))
    assert either.shard_of(1 << 46) == 0


def test_a_read_only_transaction_of_the_callers_own_stays_one(
    applications: shards.Cluster, router: psycopg.Connection, owner: str
) -> None:
    wallet = pgwallet.create_wallet(router, owner).wallet_id
    with applications.connection(wallet) as conn:
        conn.execute("set transaction read only")
        with pytest.raises(errors.ReadOnlySqlTransaction):
            pgwallet.deposit(conn, wallet, 10)


@pytest.mark.parametrize("pooled", [True, False])
def test_it_is_the_same_on_async_connections(
    whole: cluster.ClusterFile, monkeypatch: pytest.MonkeyPatch, pooled: bool
) -> None:
    monkeypatch.setattr("pgwallet.shards.cluster_async._POOLED", pooled)

    async def undone(conn: psycopg.AsyncConnection, wallet: int) -> None:
        await pgwallet.withdraw(conn, wallet, 5)
        raise ZeroDivisionError

    async def use(owner: str) -> tuple[int, int]:
        async with pgwallet.AsyncCluster(whole.routers[0]) as each:
            async with each.connection(owner_id=owner) as conn:
                wallet = (await pgwallet.create_wallet(conn, owner)).wallet_id
            paid = await each.run_transaction(
                lambda conn: pgwallet.deposit(conn, wallet, 10), wallet
            )
            with pytest.raises(ZeroDivisionError):
                async with each.connection(wallet) as conn:
                    await undone(conn, wallet)
            async with each.router() as conn:
                assert await pgwallet.balance(conn, wallet) == paid.balance
                assert await pgwallet.shard_of(conn, 1024) is None
            return await each.shard_of(wallet), wallet

    shard, wallet = asyncio.run(use(f"async {pooled}"))
    assert shard == (wallet >> 46) - 1


@pytest.mark.parametrize(
    ("router", "place", "expected"),
    [
        pytest.param(
            "host=r port=1 dbname=shop user=app password=secret options='-c lock_timeout=5s'",
            "host=s port=2 dbname=shard0",
            "host=s port=2 dbname=shard0 user=app password=secret options='-c lock_timeout=5s'",
            id="another machine",
        ),
        pytest.param(
            "host=r port=1 dbname=shop user=app",
            "port=2 dbname=shard0",
            "host=r port=2 dbname=shard0 user=app",
            id="the router's machine",
        ),
        pytest.param("", "dbname=shard0", "dbname=shard0", id="as the environment says"),
    ],
)
def test_who_asks_is_the_routers_and_where_the_shards(
    router: str, place: str, expected: str
) -> None:
    places = Places(router)
    assert places.learn([(0, place, False)]) == []
    assert conninfo_to_dict(places.conninfo(0)) == conninfo_to_dict(expected)
