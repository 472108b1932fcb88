"""What happens on a router instead, where one database does what none can over several shards.

The product's own tests that cannot hold there are in differing.py, by the same reasons.
"""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from pgwallet import cluster
from tests.cluster.conftest import SHARDS, wallets_on_all_shards

UNKNOWN = (2**63 - 1, 1024)


def test_a_rollback_undoes_nothing(router: psycopg.Connection, whole: cluster.ClusterFile) -> None:
    wallet, *_ = wallets_on_all_shards(router, "rolled back")
    with psycopg.connect(whole.routers[0]) as conn:
        pgwallet.deposit(conn, wallet, 10, "rolled back")
        conn.rollback()
    assert pgwallet.balance(router, wallet) == 10
    assert pgwallet.deposit(router, wallet, 10, "rolled back").replayed


def test_a_transaction_that_says_so_has_several_calls_each_committed_by_itself(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    wallet, *_ = wallets_on_all_shards(router, "separately")
    with psycopg.connect(whole.routers[0]) as conn:
        conn.execute("set pgwallet.separate_commits = on")
        pgwallet.deposit(conn, wallet, 10)
        pgwallet.withdraw(conn, wallet, 3)
        assert pgwallet.balance(router, wallet) == 7
        with pytest.raises(pgwallet.InsufficientFunds):
            pgwallet.withdraw(conn, wallet, 8)
        conn.rollback()
    assert pgwallet.balance(router, wallet) == 7


def test_nobody_waits_for_a_transaction_that_made_a_call(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    """Its shard holds no lock for it any more."""
    wallet, *_ = wallets_on_all_shards(router, "not waiting")
    with psycopg.connect(whole.routers[0]) as conn:
        pgwallet.deposit(conn, wallet, 10)
        router.execute("set statement_timeout = '5s'")
        assert pgwallet.withdraw(router, wallet, 10).balance == 0
        router.execute("reset statement_timeout")
        conn.rollback()


def test_a_transaction_is_no_snapshot(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    wallet, *_ = wallets_on_all_shards(router, "no snapshot")
    with psycopg.connect(whole.routers[0]) as conn:
        conn.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        assert pgwallet.balance(conn, wallet) == 0
        pgwallet.deposit(router, wallet, 10)
        assert pgwallet.balance(conn, wallet) == 10


def test_one_key_with_wallets_of_two_shards_has_two_effects(router: psycopg.Connection) -> None:
    one, other, *_ = wallets_on_all_shards(router, "two effects")
    assert not pgwallet.deposit(router, one, 10, "two effects").replayed
    assert not pgwallet.deposit(router, other, 10, "two effects").replayed


def test_elements_on_several_shards_need_keys(router: psycopg.Connection) -> None:
    wallets = wallets_on_all_shards(router, "keyless")[:2]
    with pytest.raises(pgwallet.InvalidArgument, match="has no idempotency key"):
        pgwallet.deposit_many(router, wallets, [1, 1])
    assert [pgwallet.balance(router, each) for each in wallets] == [0, 0]


@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize("place", [0, 1])
def test_an_id_of_nothing_is_said_not_to_exist_without_keys_too(
    router: psycopg.Connection, unknown: int, place: int
) -> None:
    """It is on no shard, so that the others are on one."""
    wallets = wallets_on_all_shards(router, "unknown")[:1]
    wallets.insert(place, unknown)
    with pytest.raises(pgwallet.WalletNotFound, match=str(unknown)):
        pgwallet.deposit_many(router, wallets, [Decimal(1)] * 2)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_shards_refuse_is_refused(router: psycopg.Connection, limit: int) -> None:
    with pytest.raises(pgwallet.InvalidArgument, match="limit"):
        pgwallet.list_projects(router, limit=limit)


def test_what_is_on_the_shards_is_not_on_a_router(router: psycopg.Connection) -> None:
    for table in ("account", "transaction", "posting", "escrow", "event"):
        with pytest.raises(psycopg.errors.UndefinedTable):
            router.execute(f"select from pgwallet.{table}".encode())
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="shard"):
        router.execute("select * from pgwallet.list_sequences()")


def test_an_id_of_a_shard_is_none_for_a_project(router: psycopg.Connection) -> None:
    for shard in range(SHARDS):
        with pytest.raises(pgwallet.InvalidArgument):
            pgwallet.create_project(router, "ranged", project_id=(shard + 1) << 46)
    assert pgwallet.find_project(router, "ranged") is None


def test_backslashes_of_a_session_change_no_answer(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    with psycopg.connect(whole.routers[0], autocommit=True) as conn:
        conn.execute("set standard_conforming_strings = off")
        with pytest.raises(pgwallet.WalletNotFound):
            pgwallet.deposit(conn, 1024, 1)
        assert len(conn.execute("select from pgwallet.list_shards()").fetchall()) == SHARDS
