"""Bulk calls over several shards: each does its part or nothing, and rows come as given."""

import psycopg
import pytest

import pgwallet
from tests.cluster.conftest import SHARDS, wallets_on_all_shards


def test_deposits_come_in_the_order_of_the_elements(router: psycopg.Connection) -> None:
    wallets = wallets_on_all_shards(router, "many")[::-1] * 2
    keys = [f"many {n}" for n in range(len(wallets))]
    paid = pgwallet.deposit_many(router, wallets, range(1, len(wallets) + 1), keys)
    assert [row.wallet_id for row in paid] == wallets
    assert [row.balance for row in paid] == [1, 2, 3, 4, 6, 8, 10, 12]
    again = pgwallet.deposit_many(router, wallets, range(1, len(wallets) + 1), keys)
    assert [(row.transaction_id, row.balance) for row in again] == [
        (row.transaction_id, row.balance) for row in paid
    ]
    assert all(row.replayed for row in again)


def test_one_shard_needs_no_keys(router: psycopg.Connection) -> None:
    (wallet, *others) = wallets_on_all_shards(router, "no keys")
    assert [row.balance for row in pgwallet.deposit_many(router, [wallet] * 2, [1, 2])] == [1, 3]
    assert pgwallet.deposit_many(router, [], []) == []
    with pytest.raises(pgwallet.InvalidArgument, match="has no idempotency key"):
        pgwallet.deposit_many(router, [wallet, others[0]], [1, 2])
    with pytest.raises(pgwallet.InvalidArgument, match="has no idempotency key"):
        pgwallet.deposit_many(router, [wallet, others[0]], [1, 2], ["a key", None])
    with pytest.raises(pgwallet.IdempotencyConflict, match="is used twice"):
        pgwallet.deposit_many(router, [wallet, others[0]], [1, 2], ["twice", "twice"])
    assert pgwallet.balance(router, wallet) == 3


def test_malformed_arrays_are_refused_before_anything_is_done(router: psycopg.Connection) -> None:
    wallets = wallets_on_all_shards(router, "malformed")
    keys = [f"malformed {n}" for n in range(SHARDS)]
    with pytest.raises(pgwallet.InvalidAmount):
        pgwallet.deposit_many(router, wallets, [1, 1, 1, -1], keys)
    with pytest.raises(pgwallet.InvalidArgument, match="not of one length"):
        pgwallet.deposit_many(router, wallets, [1, 1, 1], keys)
    with pytest.raises(pgwallet.InvalidArgument, match="idempotency_key"):
        pgwallet.deposit_many(router, wallets, [1] * SHARDS, [*keys[1:], " "])
    assert [pgwallet.balance(router, wallet) for wallet in wallets] == [0] * SHARDS


def test_what_one_shard_refuses_the_others_may_have_done(router: psycopg.Connection) -> None:
    project = pgwallet.create_project(router, "pledged in bulk").project_id
    wallets = wallets_on_all_shards(router, "pledging")
    for wallet in wallets[:-1]:
        pgwallet.deposit(router, wallet, 10)
    keys = [f"pledging {n}" for n in range(SHARDS)]
    with pytest.raises(pgwallet.InsufficientFunds) as refused:
        pgwallet.pledge_many(router, project, wallets, [10] * SHARDS, keys)
    assert refused.value.hint is not None
    assert refused.value.hint.endswith(
        "Other shards may have done their part; with the same keys the call completes the rest."
    )
    pgwallet.deposit(router, wallets[-1], 10)
    made = pgwallet.pledge_many(router, project, wallets, [10] * SHARDS, keys)
    assert [row.replayed for row in made] == [True] * (SHARDS - 1) + [False]
    assert pgwallet.get_project(router, project).pledged_amount == 10 * SHARDS


def test_allocations_come_in_the_order_of_the_elements(router: psycopg.Connection) -> None:
    wallets = wallets_on_all_shards(router, "shares")
    names: dict[int, list[str]] = {}
    # One without a pocket, one with one, with two and with three.
    for pockets, wallet in enumerate(wallets):
        pgwallet.deposit(router, wallet, 1000)
        names[wallet] = [f"pocket {n}" for n in range(pockets)]
        for name in names[wallet]:
            pgwallet.create_pocket(router, wallet, name, allocation_percentage=20)
    given = [*wallets[::-1], *wallets]
    keys = [f"shares {n}" for n in range(len(given))]
    # The last one twice.
    given, keys = [*given, given[-1]], [*keys, keys[-1]]
    rows = router.execute(
        "select wallet_id, name, amount, replayed from pgwallet.allocate_deposits(%s, %s, %s)",
        [given, [100] * len(given), keys],
    ).fetchall()
    expected: list[tuple[int, str | None, int, bool]] = []
    for place, wallet in enumerate(given):
        shares: list[tuple[int, str | None, int, bool]] = [
            (wallet, name, 20, place == len(given) - 1) for name in names[wallet]
        ]
        expected += shares or [(wallet, None, 0, False)]
    assert rows == expected
