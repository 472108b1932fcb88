"""What several shards did of one call is completed or taken back, whatever happened meanwhile."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from pgwallet import cluster
from tests.cluster.conftest import (
    SHARDS,
    as_owner,
    as_router,
    number_of,
    released_on_all_shards,
    wallets_on_all_shards,
)
from tests.ledger.calling import value


def begun(
    router: psycopg.Connection,
    file: cluster.ClusterFile,
    key: str,
    request: str,
    parts: Sequence[Mapping[str, Any]],
) -> None:
    """A plan that its caller has left after the first part."""
    with as_owner(router, file):
        row = router.execute(
            "select r.error from pgwallet_router._plan(%s, %s, %s) as p cross join lateral "
            "pgwallet_remote.run_part(%s, p.plan_id, 0, p.parts -> 0) as r",
            [key, request, json.dumps(parts), parts[0]["shard"]],
        ).fetchone()
    assert row == (None,)


def half_transfer(
    router: psycopg.Connection, file: cluster.ClusterFile, here: int, there: int, key: str
) -> None:
    sides = [("send", here), ("receive", there)]
    parts = [
        {"shard": number_of(wallet), "do": do, "wallet_id": wallet, "amount": 10, "key": key}
        for do, wallet in sides
    ]
    begun(router, file, key, f"transfer({here}, {there}, 10)", parts)


def test_a_reversal_that_is_refused_on_any_shard_has_moved_nothing(
    router: psycopg.Connection,
) -> None:
    here, there, *_ = wallets_on_all_shards(router, "sender is gone")
    pgwallet.deposit(router, here, 10)
    sent = pgwallet.transfer(router, here, there, 10, "sender is gone")
    pgwallet.close_wallet(router, here)
    for _ in range(2):
        with pytest.raises(pgwallet.AccountClosed):
            pgwallet.reverse_transaction(router, sent.transaction_id, "sender is gone, back")
    assert pgwallet.balance(router, there) == 10
    assert pgwallet.check_ledger(router) == []


def test_a_reversal_that_has_begun_ends_in_a_wallet_that_was_closed_meanwhile(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    here, there, *_ = wallets_on_all_shards(router, "begun")
    pgwallet.deposit(router, here, 10)
    sent = pgwallet.transfer(router, here, there, 10, "begun")
    received = value(
        router,
        "select transaction_id from pgwallet.find_transaction('begun') where transaction_id <> %s",
        sent.transaction_id,
    )
    reversed_ids = [(number_of(there), received), (number_of(here), sent.transaction_id)]
    parts = [
        {"shard": shard, "do": "reverse", "transaction_id": each, "key": "begun, back"}
        for shard, each in reversed_ids
    ]
    begun(router, whole, "begun, back", f"reverse_transaction({sent.transaction_id})", parts)
    pgwallet.close_wallet(router, here)
    back = pgwallet.reverse_transaction(router, sent.transaction_id, "begun, back")
    assert back.reversed_transaction_id == sent.transaction_id
    assert pgwallet.balance(router, here) == 10
    assert pgwallet.balance(router, there) == 0
    assert pgwallet.check_ledger(router) == []


def test_a_transfer_is_taken_back_into_a_wallet_that_was_closed_meanwhile(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    here, there, *_ = wallets_on_all_shards(router, "both closed")
    pgwallet.deposit(router, here, 10)
    half_transfer(router, whole, here, there, "both closed")
    pgwallet.close_wallet(router, here)
    pgwallet.close_wallet(router, there)
    for _ in range(2):
        with pytest.raises(pgwallet.AccountClosed):
            pgwallet.transfer(router, here, there, 10, "both closed")
    assert pgwallet.balance(router, here) == 10
    assert pgwallet.check_ledger(router) == []


def test_a_collection_that_has_begun_is_completed_though_a_shard_has_less_by_then(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    """As if the refund, or the other collection, had come after it."""
    router.execute("select * from pgwallet.create_currency('BEGUN', 2, 'Begun')")
    released_on_all_shards(router, "begun to collect", "BEGUN", Decimal("0.1"))
    part = {"do": "collect", "currency": "BEGUN", "account": "commission", "amount": 1}
    parts = [
        {**part, "shard": shard, "key": "begun to collect", "elsewhere": 0}
        for shard in range(SHARDS)
    ]
    request = f"collect_earnings(BEGUN, commission, {SHARDS})"
    begun(router, whole, "begun to collect", request, parts)
    with as_router(whole, SHARDS - 1) as shard:
        shard.execute("select from pgwallet_call.collect_earnings('BEGUN', 'commission', 0.4)")
    first = pgwallet.collect_earnings(router, "BEGUN", "commission", SHARDS, "begun to collect")
    again = pgwallet.collect_earnings(router, "BEGUN", "commission", SHARDS, "begun to collect")
    assert (first.replayed, again.replayed) == (False, True)
    assert first.balance == Decimal("-0.4")
    metrics = {row.currency: row for row in pgwallet.currency_metrics(router)}
    assert metrics["BEGUN"].earned_amount == Decimal("-0.4")
    assert pgwallet.check_ledger(router) == []


def test_a_key_of_the_payers_shard_is_refused(router: psycopg.Connection) -> None:
    here, there, *_ = wallets_on_all_shards(router, "one key")
    pgwallet.deposit(router, here, 10, "one key")
    with pytest.raises(pgwallet.IdempotencyConflict, match="belongs to another call"):
        pgwallet.transfer(router, here, there, 10, "one key")
    assert pgwallet.balance(router, here) == 10
    assert pgwallet.transfer(router, here, there, 10, "another key").from_balance == 0


def test_who_is_erased_is_in_no_plan(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    here, there, *_ = wallets_on_all_shards(router, "forgotten")
    pgwallet.deposit(router, here, 10)
    sent = pgwallet.transfer(router, here, there, 4, "forgotten", {"from": "Ada Lovelace"})
    shown = pgwallet.get_transaction(router, sent.transaction_id)
    assert shown.metadata == {"from": "Ada Lovelace"}
    pgwallet.erase_owner(router, here)
    pgwallet.erase_owner(router, there)
    for shard in whole.shards:
        with psycopg.connect(shard.conninfo) as conn:
            plans = conn.execute("select p.* from pgwallet_shard.plan as p").fetchall()
        assert "Lovelace" not in str(plans)
    assert pgwallet.transfer(router, here, there, 4, "forgotten").replayed
    back = pgwallet.reverse_transaction(router, sent.transaction_id, "forgotten, back")
    assert back.amount == 4
