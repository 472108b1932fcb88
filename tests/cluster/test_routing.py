"""A call through the router is one call on the shard of its wallet."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from pgwallet import cluster
from tests.cluster.conftest import SHARDS, number_of


def test_owners_are_spread_over_all_shards(router: psycopg.Connection) -> None:
    wallets = [pgwallet.create_wallet(router, f"spread {n}").wallet_id for n in range(40)]
    assert {number_of(wallet) for wallet in wallets} == set(range(SHARDS))


def test_a_deposit_is_on_the_shard_of_its_wallet(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    wallet = pgwallet.create_wallet(router, "deposits").wallet_id
    paid = pgwallet.deposit(router, wallet, 10, "deposits")
    assert paid.balance == pgwallet.balance(router, wallet) == 10
    with psycopg.connect(whole.shards[number_of(wallet)].conninfo) as shard:
        assert pgwallet.balance(shard, wallet) == 10
    assert pgwallet.deposit(router, wallet, 10, "deposits").replayed


def test_a_refusal_is_that_of_one_database(router: psycopg.Connection) -> None:
    wallet = pgwallet.create_wallet(router, "refused").wallet_id
    with pytest.raises(pgwallet.InsufficientFunds) as refused:
        pgwallet.withdraw(router, wallet, Decimal("0.01"))
    assert refused.value.message == f"wallet {wallet} does not hold enough"
    assert refused.value.detail == "Its balance is 0.00, the amount 0.01."
    assert refused.value.hint


def test_a_project_is_on_all_shards_under_one_id(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    project = pgwallet.create_project(router, "everywhere")
    assert pgwallet.create_project(router, "everywhere") == project
    for shard in whole.shards:
        with psycopg.connect(shard.conninfo) as conn:
            assert pgwallet.get_project(conn, project.project_id).reference == "everywhere"


def test_a_second_call_in_a_transaction_is_refused(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    wallet = pgwallet.create_wallet(router, "twice").wallet_id
    with psycopg.connect(whole.routers[0]) as conn:
        pgwallet.deposit(conn, wallet, 10)
        with pytest.raises(pgwallet.TransactionNotDistributed):
            pgwallet.deposit(conn, wallet, 10)
    assert pgwallet.balance(router, wallet) == 10
