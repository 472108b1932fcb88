"""What several shards do for one call with a key: exactly once, whatever breaks it off."""

from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

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
from tests.waiting import until_true


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
    # What another session takes meanwhile, a plan that was left does not know of.
    planned_payout(router, whole, project, 40, "taken back")
    with as_router(whole, 3) as shard:
        shard.execute("select from pgwallet_call.payout(%s, 1)", [project])
    with pytest.raises(pgwallet.InsufficientFunds):
        pgwallet.payout(router, project, 40, "taken back")
    assert pgwallet.balance(router, project) == 39
    assert pgwallet.payout(router, project, 39, "taken back").balance == 0
    assert pgwallet.check_ledger(router) == []


def planned_payout(
    router: psycopg.Connection, file: cluster.ClusterFile, project: int, amount: int, key: str
) -> int:
    """The plan of a payout of 10 a shard that its caller has left before the first part."""
    with as_owner(router, file):
        plan = router.execute(
            "select p.plan_id from pgwallet_router._plan(%(key)s, %(request)s, "
            "pgwallet_router._split_amount(%(amount)s, '{10,10,10,10}', '{10,10,10,10}', "
            "jsonb_build_object('do', 'payout', 'project_id', %(project)s::bigint, "
            "'key', %(key)s::text))) as p",
            {
                "key": key,
                "request": f"payout({project}, {amount})",
                "amount": amount,
                "project": project,
            },
        ).fetchone()
    assert plan is not None
    return int(plan[0])


def test_a_payout_finds_what_another_one_has_left(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    project = released_on_all_shards(router, "two at once")
    planned_payout(router, whole, project, 30, "first")
    # It takes of shard 0, of which the plan has all.
    assert pgwallet.payout(router, project, 10, "second").balance == 30
    assert pgwallet.payout(router, project, 30, "first").balance == 0
    assert pgwallet.check_ledger(router) == []


def test_a_payout_waits_for_one_that_may_give_back(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    project = released_on_all_shards(router, "gives back")
    plan = planned_payout(router, whole, project, 40, "left")
    with as_owner(router, whole):
        part = router.execute(
            "select r.error from pgwallet_remote.show_plan("
            "pgwallet_router._shard_of(%(plan)s), %(plan)s) as p "
            "cross join lateral pgwallet_remote.run_part(0, %(plan)s, 0, p.parts -> 0) as r",
            {"plan": plan},
        ).fetchone()
    assert part == (None,)
    # 30 are left, and 10 more if the other one is refused.
    with pytest.raises(psycopg.errors.SerializationFailure, match="about to take"):
        pgwallet.payout(router, project, 35, "waits")
    assert pgwallet.payout(router, project, 40, "left").balance == 0
    with pytest.raises(pgwallet.InsufficientFunds):
        pgwallet.payout(router, project, 35, "waits")


def test_a_key_finds_the_transactions_of_its_plan(router: psycopg.Connection) -> None:
    project = released_on_all_shards(router, "found by its key")
    paid = pgwallet.payout(router, project, 25, "found by its key")
    rows = router.execute(
        "select t.transaction_id, t.amount from pgwallet.find_transaction('found by its key') as t"
    ).fetchall()
    assert sorted(amount for _, amount in rows) == [5, 10, 10]
    assert rows[0][0] == paid.transaction_id
    found = pgwallet.find_transaction(router, "found by its key")
    assert found is not None
    assert found.transaction_id == paid.transaction_id


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


def test_of_two_sessions_that_do_the_same_at_once_one_is_told_that_it_did_it(
    router: psycopg.Connection, whole: cluster.ClusterFile, cluster_server: str
) -> None:
    here, there, *_ = wallets_on_all_shards(router, "at once")
    pgwallet.deposit(router, here, 10)
    place = str(conninfo_to_dict(whole.shards[number_of(there)].conninfo)["dbname"])
    with (
        psycopg.connect(whole.routers[0], autocommit=True) as other,
        psycopg.connect(cluster_server, autocommit=True) as observer,
        ThreadPoolExecutor(2) as threads,
        psycopg.connect(cluster_server, dbname=place) as holder,
    ):
        holder.execute("select from pgwallet.account where account_id = %s for update", [there])
        calls = [
            threads.submit(pgwallet.transfer, conn, here, there, 4, "at once")
            for conn in (router, other)
        ]
        until_true(
            observer,
            "count(*) = 2 from pg_stat_activity as a "
            "where a.datname = %s and a.wait_event_type = 'Lock'",
            place,
        )
        holder.rollback()
        told = [call.result() for call in calls]
    assert sorted(each.replayed for each in told) == [False, True]
    assert len({each.transaction_id for each in told}) == 1
    assert pgwallet.balance(router, there) == 4


def test_what_the_same_call_has_taken_meanwhile_is_not_refused_but_replayed(
    router: psycopg.Connection, whole: cluster.ClusterFile, cluster_server: str
) -> None:
    """Its key is looked up again: the first session may be one whose client is gone."""
    home_of = "select pgwallet_router._home_of(%s)"
    codes = map("TWICE{}".format, range(100))
    # Its home, where its terms and the plan are, is not the shard that the second waits for.
    code, home = next((each, n) for each in codes if (n := value(router, home_of, each)) != 0)
    pgwallet.create_currency(router, code, 2, "Twice")
    project = pgwallet.create_project(router, code, code, commission_rate=1, fee_rate=0).project_id
    *_, wallet = wallets_on_all_shards(router, code, code)
    pgwallet.deposit(router, wallet, 10)
    pgwallet.pledge(router, wallet, project, 10)
    pgwallet.close_project(router, project, "succeeded")
    for _ in pgwallet.release_project(router, project):
        pass
    places = [str(conninfo_to_dict(whole.shards[n].conninfo)["dbname"]) for n in (home, 0)]
    waits = "exists (select from pg_stat_activity where datname = %s and wait_event_type = 'Lock')"
    with (
        psycopg.connect(whole.routers[0], autocommit=True) as other,
        psycopg.connect(cluster_server, autocommit=True) as observer,
        ThreadPoolExecutor(2) as threads,
        psycopg.connect(cluster_server, dbname=places[0]) as at_home,
        psycopg.connect(cluster_server, dbname=places[1]) as at_first,
    ):

        def collect(conn: psycopg.Connection) -> Future[pgwallet.Collection]:
            return threads.submit(pgwallet.collect_earnings, conn, code, "commission", 10, code)

        at_home.execute("lock table pgwallet_shard.plan in share mode")
        first = collect(router)
        until_true(observer, waits, places[0])
        at_first.execute("lock table pgwallet.posting in access exclusive mode")
        second = collect(other)
        until_true(observer, waits, places[1])
        at_home.rollback()
        made = first.result()
        at_first.rollback()
        again = second.result()
    assert (made.replayed, again.replayed) == (False, True)
    assert made.transaction_id == again.transaction_id


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
