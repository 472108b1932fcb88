"""What several shards do for one call with a key: exactly once, whatever breaks it off."""

from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

import pgwallet
from pgwallet import cluster
from tests.cluster.conftest import (
    SHARDS,
    number_of,
    released_on_all_shards,
    wallets_on_all_shards,
)


def test_a_payout_takes_what_it_needs_of_several_shards(router: psycopg.Connection) -> None:
    project = released_on_all_shards(router, "paid out")
    paid = pgwallet.payout(router, project, 25, "paid out", metadata={"bank": "ours"})
    assert paid.balance == 10 * SHARDS - 25 == pgwallet.balance(router, project)
    assert not paid.replayed
    again = pgwallet.payout(router, project, 25, "paid out")
    assert again.replayed
    assert (again.transaction_id, again.balance) == (paid.transaction_id, paid.balance)
    first = pgwallet.get_transaction(router, paid.transaction_id)
    assert first.metadata == {"bank": "ours"}
    rest = pgwallet.payout(router, project, 15, "the rest")
    assert rest.balance == 0
    assert pgwallet.check_ledger(router) == []


def test_a_key_of_another_payout_is_refused(router: psycopg.Connection) -> None:
    project = released_on_all_shards(router, "other key")
    pgwallet.payout(router, project, 25, "other key")
    with pytest.raises(pgwallet.IdempotencyConflict):
        pgwallet.payout(router, project, 24, "other key")


def test_a_payout_without_a_key_is_of_one_shard(router: psycopg.Connection) -> None:
    project = released_on_all_shards(router, "keyless")
    assert pgwallet.payout(router, project, 10).balance == 30
    with pytest.raises(pgwallet.InvalidArgument, match="has no idempotency key"):
        pgwallet.payout(router, project, 11)
    assert pgwallet.balance(router, project) == 30


def test_a_payout_is_refused_as_by_one_database(router: psycopg.Connection) -> None:
    project = released_on_all_shards(router, "refused")
    with pytest.raises(pgwallet.InsufficientFunds) as refused:
        pgwallet.payout(router, project, 41, "too much")
    assert refused.value.message == f"project {project} does not hold enough"
    assert refused.value.detail == "Its balance is 40.00, the amount 41.00."
    with pytest.raises(pgwallet.InvalidAmount):
        pgwallet.payout(router, project, 0, "nothing")
    with pytest.raises(pgwallet.InvalidAmount):
        pgwallet.payout(router, project, Decimal("0.001"), "too fine")
    with pytest.raises(pgwallet.ProjectNotFound):
        pgwallet.payout(router, 5, 1, "no project")
    with pytest.raises(pgwallet.InvalidArgument):
        pgwallet.payout(router, project, 1, " ")
    pgwallet.freeze_account(router, project, "asked for")
    with pytest.raises(pgwallet.AccountFrozen):
        pgwallet.payout(router, project, 1, "frozen")
    pgwallet.unfreeze_account(router, project, "again")
    # What was refused has not used its key.
    pgwallet.payout(router, project, 40, "too much")
    assert pgwallet.balance(router, project) == 0


def test_the_credit_of_a_project_pays_out(router: psycopg.Connection) -> None:
    project = released_on_all_shards(router, "on credit")
    pgwallet.set_credit_limit(router, project, 5)
    assert pgwallet.payout(router, project, 45, "on credit").balance == -5


def test_what_a_part_refuses_takes_back_the_others(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    project = released_on_all_shards(router, "taken back")
    # One that the plan does not know of yet: a shard is frozen alone.
    with psycopg.connect(whole.shards[3].conninfo, autocommit=True) as shard:
        router.execute(sql.SQL("set role {}").format(sql.Identifier(whole.owner)))
        plan = router.execute(
            "select p.* from pgwallet_router._plan('taken back', %s, "
            "pgwallet_router._split_amount(40, '{10,10,10,10}', '{10,10,10,10}', "
            "jsonb_build_object('do', 'payout', 'project_id', %s, 'key', 'taken back'))) as p",
            [f"payout({project}, 40)", project],
        ).fetchone()
        assert plan is not None
        router.execute("reset role")
        pgwallet.payout(shard, project, 1)
    with pytest.raises(pgwallet.InsufficientFunds):
        pgwallet.payout(router, project, 40, "taken back")
    assert pgwallet.balance(router, project) == 39
    assert pgwallet.payout(router, project, 39, "taken back").balance == 0
    assert pgwallet.check_ledger(router) == []


def test_a_payout_in_parts_is_reversed_as_a_whole(router: psycopg.Connection) -> None:
    project = released_on_all_shards(router, "reversed")
    paid = pgwallet.payout(router, project, 35, "reversed")
    with pytest.raises(pgwallet.InvalidArgument, match="has no idempotency key"):
        pgwallet.reverse_transaction(router, paid.transaction_id)
    back = pgwallet.reverse_transaction(router, paid.transaction_id, "back")
    assert (back.kind, back.amount, back.currency) == ("payout", Decimal(35), "EUR")
    assert back.reversed_transaction_id == paid.transaction_id
    assert pgwallet.balance(router, project) == 40
    again = pgwallet.reverse_transaction(router, paid.transaction_id, "back")
    assert again.replayed
    assert again.transaction_id == back.transaction_id
    with pytest.raises(pgwallet.NotReversible):
        pgwallet.reverse_transaction(router, paid.transaction_id, "back once more")
    assert pgwallet.balance(router, project) == 40
    assert pgwallet.check_ledger(router) == []


def test_earnings_are_collected_from_all_shards(router: psycopg.Connection) -> None:
    router.execute("select * from pgwallet.create_currency('EARN', 2, 'Earnings')")
    released_on_all_shards(router, "earning", "EARN", Decimal("0.1"))
    with pytest.raises(pgwallet.InvalidArgument):
        pgwallet.collect_earnings(router, "EARN", "tips", 1, "earnings")
    with pytest.raises(pgwallet.InvalidArgument, match="has no idempotency key"):
        pgwallet.collect_earnings(router, "EARN", "commission", 3)
    with pytest.raises(pgwallet.InsufficientFunds):
        pgwallet.collect_earnings(router, "EARN", "commission", 5, "earnings")
    assert pgwallet.collect_earnings(router, "EARN", "commission", 1).balance == 3
    got = pgwallet.collect_earnings(router, "EARN", "commission", 3, "earnings")
    assert (got.currency, got.balance, got.replayed) == ("EARN", Decimal(0), False)
    again = pgwallet.collect_earnings(router, "EARN", "commission", 3, "earnings")
    assert (again.transaction_id, again.replayed) == (got.transaction_id, True)
    assert pgwallet.check_ledger(router) == []


def test_a_transfer_goes_from_shard_to_shard(router: psycopg.Connection) -> None:
    here, there, *_ = wallets_on_all_shards(router, "transfers")
    pgwallet.deposit(router, here, 10)
    sent = pgwallet.transfer(router, here, there, 4, "transfers")
    assert (sent.from_balance, sent.to_balance, sent.replayed) == (Decimal(6), Decimal(4), False)
    again = pgwallet.transfer(router, here, there, 4, "transfers")
    assert (again.transaction_id, again.from_balance, again.replayed) == (
        sent.transaction_id,
        Decimal(6),
        True,
    )
    assert pgwallet.balance(router, here) == 6
    assert pgwallet.balance(router, there) == 4
    assert pgwallet.check_ledger(router) == []

    back = pgwallet.reverse_transaction(router, sent.transaction_id, "transfers back")
    assert (back.kind, back.amount) == ("transfer", Decimal(4))
    assert pgwallet.balance(router, here) == 10
    assert pgwallet.balance(router, there) == 0
    assert pgwallet.check_ledger(router) == []


def test_a_transfer_is_refused_as_by_one_database(router: psycopg.Connection) -> None:
    here, there, *_ = wallets_on_all_shards(router, "no transfers")
    pgwallet.deposit(router, here, 10)
    pocket = pgwallet.create_pocket(router, there, "rent").pocket_id
    (points, *_) = (
        wallet
        for wallet in (
            pgwallet.create_wallet(router, f"dollars {n}", "USD").wallet_id for n in range(100)
        )
        if number_of(wallet) == number_of(there)
    )
    for amount, to, key, refused in (
        (0, there, "key", pgwallet.InvalidAmount),
        (Decimal("0.001"), there, "key", pgwallet.InvalidAmount),
        (1, there, " ", pgwallet.InvalidArgument),
        (1, there, None, pgwallet.InvalidArgument),
        (1, pocket, "key", pgwallet.InvalidArgument),
        (1, there + 1, "key", pgwallet.AccountNotFound),
        (1, 5, "key", pgwallet.AccountNotFound),
        (1, points, "key", pgwallet.CurrencyMismatch),
        (11, there, "key", pgwallet.InsufficientFunds),
    ):
        with pytest.raises(refused):
            pgwallet.transfer(router, here, to, amount, key)
    pgwallet.close_wallet(router, points)
    assert pgwallet.transfer(router, here, there, 10, "key").from_balance == 0
    assert pgwallet.check_ledger(router) == []


def test_a_transfer_to_a_wallet_that_was_closed_is_taken_back(router: psycopg.Connection) -> None:
    here, there, *_ = wallets_on_all_shards(router, "closed")
    pgwallet.deposit(router, here, 10)
    pgwallet.close_wallet(router, there)
    with pytest.raises(pgwallet.AccountClosed):
        pgwallet.transfer(router, here, there, 10, "closed")
    assert pgwallet.balance(router, here) == 10
    assert pgwallet.check_ledger(router) == []
