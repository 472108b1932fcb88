"""A check of the cluster: that of each shard, and what they have to agree on."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests.cluster.conftest import SHARDS, number_of, wallets_on_all_shards


def _shard(whole: cluster.ClusterFile, number: int) -> psycopg.Connection:
    """As a superuser, who may do what nobody should."""
    place = make_conninfo(whole.shards[number].conninfo, options="")
    return psycopg.connect(place, autocommit=True)


def _differences(router: psycopg.Connection) -> list[str]:
    return [v.subject for v in pgwallet.check_ledger(router) if v.invariant == 8]


def test_a_cluster_that_was_used_is_sound(router: psycopg.Connection) -> None:
    for wallet in wallets_on_all_shards(router, "sound"):
        pgwallet.deposit(router, wallet, 5)
    assert pgwallet.check_ledger(router) == []


@pytest.mark.parametrize(
    ("change", "back", "subject"),
    [
        (
            "update pgwallet.settings set fee_rate = 0.07",
            "update pgwallet.settings set fee_rate = 0.029",
            "settings",
        ),
        (
            "update pgwallet.currency set max_pledge = 5 where currency = 'EUR'",
            "update pgwallet.currency set max_pledge = null where currency = 'EUR'",
            "currency EUR",
        ),
        (
            "alter function pgwallet.deposit security invoker",
            "alter function pgwallet.deposit security definer",
            "functions of pgwallet",
        ),
    ],
)
def test_what_one_shard_has_otherwise_is_named(
    router: psycopg.Connection, whole: cluster.ClusterFile, change: str, back: str, subject: str
) -> None:
    with _shard(whole, 2) as shard:
        # A shard alone refuses it: that is how it would come about nevertheless.
        shard.execute("set session_replication_role = replica")
        shard.execute(change.encode())
        try:
            (found,) = pgwallet.check_ledger(router)
        finally:
            shard.execute(back.encode())
    assert (found.invariant, found.subject) == (8, subject)
    assert found.detail.startswith("Shard 0, 1, 3: ")
    assert " Shard 2: " in found.detail
    assert pgwallet.check_ledger(router) == []


def test_a_project_whose_making_was_broken_off_is_named_and_completed(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    home = router.execute("select pgwallet_router._home_of('half made')").fetchone()
    assert home is not None
    with _shard(whole, home[0]) as shard:
        (project,) = shard.execute(
            "select p.project_id from pgwallet._open_project("
            "'half made', 'EUR', null, null, null, null, null, "
            "pgwallet_shard.draw_project_id('half made')) as p"
        ).fetchall()[0]
    (found,) = pgwallet.check_ledger(router)
    assert (found.invariant, found.subject) == (8, f"project {project}")
    assert found.detail.endswith("On others it is not there.")
    assert pgwallet.get_project(router, project) == pgwallet.find_project(router, "half made")
    assert pgwallet.create_project(router, "half made").project_id == project
    assert pgwallet.check_ledger(router) == []


def test_a_project_of_one_shard_alone_is_not_made_one_of_all(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    home = router.execute("select pgwallet_router._home_of('alone')").fetchone()
    assert home is not None
    with _shard(whole, home[0]) as shard, shard.transaction(force_rollback=True):
        # As it was made before this was a shard: what is one refuses it.
        shard.execute("create temporary table kept as table pgwallet_shard.identity")
        shard.execute("delete from pgwallet_shard.identity")
        pgwallet.create_project(shard, "alone")
        shard.execute("insert into pgwallet_shard.identity select * from kept")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            shard.execute("select pgwallet_shard.draw_project_id('alone')")


def test_a_wallet_on_a_wrong_shard_is_named(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    with _shard(whole, 0) as shard, shard.transaction(force_rollback=True):
        shard.execute("update pgwallet_shard.identity set shard = 1")
        wallet = pgwallet.create_wallet(shard, "stray").wallet_id
        strays = shard.execute("select subject from pgwallet_shard.find_strays()").fetchall()
    assert (f"wallet {wallet}",) in strays


def test_a_wallet_that_was_made_where_its_owner_is_not_looked_up_is_named(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    at_home = number_of(pgwallet.create_wallet(router, "made twice").wallet_id)
    wrong = (at_home + 1) % SHARDS
    with _shard(whole, wrong) as shard, shard.transaction(force_rollback=True):
        wallet = pgwallet.create_wallet(shard, "made twice").wallet_id
        strays = shard.execute("select * from pgwallet_shard.find_strays()").fetchall()
    detail = f"It is on shard {wrong}, its owner is looked up on shard {at_home}."
    assert strays == [(f"wallet {wallet}", detail)]


def test_a_check_is_recorded_on_all_shards(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    assert pgwallet.record_check(router) == []
    metrics = pgwallet.ledger_metrics(router)
    assert metrics.checked_at is not None
    assert metrics.violation_count == 0
    for number in range(SHARDS):
        with _shard(whole, number) as shard:
            (event,) = pgwallet.list_events(shard, limit=100000)[-1:]
            assert event.kind == "record_check"
