"""What the commands for one database say on a router and on a shard."""

from decimal import Decimal

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests.cli.command import pgwallet_here


@pytest.mark.parametrize("command", ["migrate", "status"])
def test_a_router_is_none_of_theirs(whole: cluster.ClusterFile, command: str) -> None:
    completed = pgwallet_here(command, database_url=whole.routers[0])
    assert completed.returncode in (1, 3)
    assert "router of a cluster" in completed.stderr
    assert "pgwallet cluster migrate FILE" in completed.stderr


def test_a_shard_is_migrated_with_the_others(whole: cluster.ClusterFile) -> None:
    completed = pgwallet_here("migrate", database_url=whole.shards[1].conninfo)
    assert completed.returncode == 1
    assert "pgwallet cluster migrate FILE" in completed.stderr
    completed = pgwallet_here("status", database_url=whole.shards[1].conninfo)
    assert "pgwallet cluster status FILE" in completed.stdout + completed.stderr


def test_a_deposit_on_a_router_does_not_fail_once_it_is_done(
    whole: cluster.ClusterFile, router: psycopg.Connection
) -> None:
    wallet = pgwallet.create_wallet(router, "by a command").wallet_id
    url = make_conninfo(whole.routers[0])
    completed = pgwallet_here("deposit", wallet, "12.30", database_url=url)
    assert completed.returncode == 0, completed.stderr
    assert pgwallet.balance(router, wallet) == Decimal("12.30")
