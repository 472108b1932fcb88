"""What concerns all shards is refused on one alone, whoever is connected there."""

from collections.abc import Callable, Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg.errors import FeatureNotSupported

import pgwallet
from pgwallet import cluster
from tests.access.roles import as_role, login_role
from tests.cluster.conftest import number_of, released_on_all_shards, wallets_on_all_shards

Call = Callable[[psycopg.Connection, int], object]

OF_PROJECTS: tuple[Call, ...] = (
    lambda conn, project: pgwallet.create_project(conn, "on one shard alone"),
    lambda conn, project: pgwallet.close_project(conn, project, "succeeded"),
    lambda conn, project: pgwallet.freeze_account(conn, project, "court order 17"),
    lambda conn, project: pgwallet.unfreeze_account(conn, project, "court order 17"),
    lambda conn, project: pgwallet.set_credit_limit(conn, project, 5),
    lambda conn, project: pgwallet.payout(conn, project, 1),
    lambda conn, project: pgwallet.collect_earnings(conn, "EUR", "fee", 1),
)


@pytest.fixture(scope="module")
def on_shard(cluster_server: str, whole: cluster.ClusterFile) -> Iterator[psycopg.Connection]:
    """An operator's connection to shard 1, as `pgwallet.Cluster` makes it."""
    with login_role(cluster_server, "of one shard") as role:
        with psycopg.connect(whole.shards[1].conninfo) as owner:
            owner.execute("select pgwallet.grant_operator(%s)", [role])
        with psycopg.connect(as_role(whole.shards[1].through, role), autocommit=True) as conn:
            yield conn
        with psycopg.connect(whole.shards[1].conninfo) as owner:
            owner.execute("delete from pgwallet.role_grant where role_name = %s", [role])
            owner.execute("set role none")
            owner.execute(psycopg.sql.SQL("drop owned by {}").format(psycopg.sql.Identifier(role)))


@pytest.mark.parametrize("call", OF_PROJECTS)
def test_what_concerns_a_whole_project_is_refused_on_one_shard(
    router: psycopg.Connection, on_shard: psycopg.Connection, call: Call
) -> None:
    project = pgwallet.create_project(router, "on all shards").project_id
    before = pgwallet.get_project(router, project)
    with pytest.raises(FeatureNotSupported, match="concerns all shards, and this is shard 1"):
        call(on_shard, project)
    assert pgwallet.get_project(router, project) == before
    assert pgwallet.find_project(router, "on one shard alone") is None


def test_the_owner_and_superusers_are_refused_too(whole: cluster.ClusterFile) -> None:
    with psycopg.connect(whole.shards[1].conninfo) as conn:
        with pytest.raises(FeatureNotSupported, match="create_currency concerns all shards"):
            pgwallet.create_currency(conn, "ALONE", 2, "Alone")
        conn.rollback()
        conn.execute("set role none")
        with pytest.raises(FeatureNotSupported) as refused:
            pgwallet.create_project(conn, "on one shard alone")
    assert refused.value.diag.message_hint is not None
    assert "through a router" in refused.value.diag.message_hint


@pytest.mark.parametrize(
    "change",
    [
        "settings set max_pledge = 5000",
        "currency set max_pledge = 5000 where currency = 'EUR'",
    ],
)
def test_what_all_shards_have_alike_is_not_updated_on_one(
    router: psycopg.Connection, whole: cluster.ClusterFile, change: LiteralString
) -> None:
    table = change.split()[0]
    with psycopg.connect(whole.shards[1].conninfo, autocommit=True) as conn:
        for role in ("the owner", "a superuser"):
            with pytest.raises(FeatureNotSupported) as refused:
                conn.execute(f"update pgwallet.{change}".encode())
            assert refused.value.diag.message_primary == (
                f"an update of pgwallet.{table} concerns all shards, "
                "and this is shard 1 of cluster tests"
            ), role
            conn.execute("set role none")
    assert pgwallet.check_ledger(router) == []


def test_a_part_of_what_several_shards_did_is_taken_back_by_a_router_alone(
    router: psycopg.Connection, on_shard: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    here, there, *_ = wallets_on_all_shards(router, "alone")
    pgwallet.deposit(router, here, 10)
    sent = pgwallet.transfer(router, here, there, 7, "alone")
    arrived = pgwallet.statement(router, there)[0].transaction_id
    assert (number_of(sent.transaction_id), number_of(arrived)) == (0, 1)
    with pytest.raises(FeatureNotSupported, match="reverse_transaction concerns all shards"):
        pgwallet.reverse_transaction(on_shard, arrived)

    project = released_on_all_shards(router, "alone, in parts")
    pgwallet.payout(router, project, 40, "alone, in parts")
    parts = pgwallet.statement(router, project)
    (paid,) = (
        row.transaction_id
        for row in parts
        if row.kind == "payout" and number_of(row.transaction_id) == 1
    )
    with pytest.raises(FeatureNotSupported):
        pgwallet.reverse_transaction(on_shard, paid)
    pgwallet.reverse_transaction(router, paid, "alone, back")
    assert pgwallet.balance(router, project) == 40


def test_what_concerns_a_wallet_is_done_there(
    router: psycopg.Connection, on_shard: psycopg.Connection
) -> None:
    wallet = wallets_on_all_shards(router, "of one shard")[1]
    paid = pgwallet.deposit(on_shard, wallet, 10)
    pgwallet.reverse_transaction(on_shard, paid.transaction_id)
    pgwallet.set_credit_limit(on_shard, wallet, 5)
    assert pgwallet.freeze_account(on_shard, wallet, "court order 17").frozen
    assert not pgwallet.unfreeze_account(on_shard, wallet, "court order 18").frozen
    assert pgwallet.balance(router, wallet) == 0


def test_nobody_passes_there_for_another(
    router: psycopg.Connection, on_shard: psycopg.Connection
) -> None:
    """Only what a router says of who asked it is believed."""
    wallet = wallets_on_all_shards(router, "passing for another")[1]
    on_shard.execute("set pgwallet.caller = 'somebody else'")
    pgwallet.freeze_account(on_shard, wallet, "court order 17")
    on_shard.execute("reset pgwallet.caller")
    frozen = pgwallet.list_events(router, wallet)[-1]
    assert (frozen.kind, frozen.changed_by) == ("freeze_account", on_shard.info.user)
