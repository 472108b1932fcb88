"""What the commands for one database say on a router and on a shard."""

from decimal import Decimal
from pathlib import Path
from uuid import uuid4

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


def test_an_import_on_a_router_keeps_lines_and_goes_on(
    whole: cluster.ClusterFile, router: psycopg.Connection, tmp_path: Path
) -> None:
    url = whole.routers[0]
    name = f"import {uuid4()}"
    owners = [f"{name} {number}" for number in range(8)]
    file = tmp_path / "may.csv"
    file.write_text("owner_id,amount\n" + "".join(f"{owner},10\n" for owner in owners))
    command = ("import", file, "--kind", "deposit", "--create-wallets", "--name", name)
    dry = pgwallet_here(*command, "--dry-run", database_url=url)
    assert (dry.returncode, pgwallet.list_wallets(router, owners[0])) == (2, []), dry.stderr
    told = pgwallet_here(*command, database_url=url)
    assert told.returncode == 0, told.stderr
    wallets = [pgwallet.create_wallet(router, owner).wallet_id for owner in owners]
    assert len({wallet >> 46 for wallet in wallets}) > 1
    assert [pgwallet.balance(router, wallet) for wallet in wallets] == [10] * 8

    # The last of these is refused: the others are kept, and it says how to go on.
    pgwallet.freeze_account(router, wallets[-1], "to see it refused")
    lines = "".join(f"{wallet},4\n" for wallet in wallets)
    file.write_text(f"wallet_id,amount\n{lines}")
    again = ("import", file, "--kind", "withdrawal", "--name", f"{name} back")
    told = pgwallet_here(*again, database_url=url)
    assert told.returncode == 1
    assert "Lines that were imported before that are kept." in told.stderr
    pgwallet.unfreeze_account(router, wallets[-1], "seen")
    told = pgwallet_here(*again, "--again", database_url=url)
    assert told.returncode == 0, told.stderr
    assert [pgwallet.balance(router, wallet) for wallet in wallets] == [6] * 8
