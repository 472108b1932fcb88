"""What lives on every shard is one thing on the router: projects, currencies, the platform."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from pgwallet import cluster
from tests.cli.command import pgwallet_here
from tests.cluster.conftest import SHARDS, number_of, wallets_on_all_shards


def _funded_project(
    router: psycopg.Connection, name: str, outcome: str | None = None
) -> tuple[int, list[int]]:
    """A project, to which a wallet of each shard has pledged 10."""
    project = pgwallet.create_project(router, name).project_id
    wallets = wallets_on_all_shards(router, name)
    for wallet in wallets:
        pgwallet.deposit(router, wallet, 100)
        pgwallet.pledge(router, wallet, project, 10)
    if outcome is not None:
        pgwallet.close_project(router, project, outcome)
    return project, wallets


def _direct(whole: cluster.ClusterFile, shard: int) -> psycopg.Connection:
    return psycopg.connect(whole.shards[shard].conninfo, autocommit=True)


def test_a_project_sums_up_its_shards(router: psycopg.Connection) -> None:
    project, _ = _funded_project(router, "sums")
    shown = pgwallet.get_project(router, project)
    assert shown.escrow_count == SHARDS
    assert shown.pledged_amount == 10 * SHARDS
    assert pgwallet.find_project(router, "sums") == shown
    assert pgwallet.find_project(router, "no such project") is None
    with pytest.raises(pgwallet.ProjectNotFound):
        pgwallet.get_project(router, 5 * 1024)


def test_projects_are_listed_once_each_in_pages(router: psycopg.Connection) -> None:
    made = {pgwallet.create_project(router, f"listed {n}").project_id for n in range(7)}
    listed: list[int] = []
    after = 0
    while page := pgwallet.list_projects(router, after_project_id=after, limit=2):
        listed += [project.project_id for project in page]
        after = page[-1].project_id
    assert listed == sorted(set(listed))
    assert made <= set(listed)


def test_a_release_goes_from_shard_to_shard(router: psycopg.Connection) -> None:
    project, _ = _funded_project(router, "released", "succeeded")
    batches = list(pgwallet.release_project(router, project, batch_size=3))
    assert [batch.escrow_count for batch in batches] == [1] * SHARDS
    assert pgwallet.get_project(router, project).locked_count == 0
    net = sum(batch.net_amount for batch in batches)
    assert (
        pgwallet.balance(router, project)
        == net
        == pgwallet.balance_at(router, project, datetime.now(UTC))
    )


def test_a_refund_goes_from_shard_to_shard(router: psycopg.Connection) -> None:
    project, wallets = _funded_project(router, "refunded", "failed")
    assert sum(b.escrow_count for b in pgwallet.refund_project(router, project)) == SHARDS
    assert [pgwallet.balance(router, wallet) for wallet in wallets] == [100] * SHARDS


def test_expired_escrows_of_all_shards_are_refunded(router: psycopg.Connection) -> None:
    project = pgwallet.create_project(router, "expiring").project_id
    for wallet in wallets_on_all_shards(router, "expiring"):
        pgwallet.deposit(router, wallet, 10)
        router.execute(
            "select * from pgwallet.pledge(%s, %s, 10, "
            "p_expires_at => clock_timestamp() + '0.05 s')",
            [wallet, project],
        )
    router.execute("select pg_sleep(0.1)")
    counts = []
    while batch := pgwallet.refund_expired_escrows(router).escrow_count:
        counts.append(batch)
    assert counts == [1] * SHARDS


def test_escrows_of_a_project_are_listed_shard_after_shard(router: psycopg.Connection) -> None:
    project, wallets = _funded_project(router, "escrows")
    listed: list[int] = []
    after = 0
    while page := pgwallet.list_escrows(router, project_id=project, after_escrow_id=after, limit=1):
        listed += [escrow.escrow_id for escrow in page]
        after = page[-1].escrow_id
    assert [number_of(escrow) for escrow in listed] == list(range(SHARDS))
    (own,) = pgwallet.list_escrows(router, wallet_id=wallets[-1])
    assert own.escrow_id == listed[number_of(wallets[-1])]
    assert pgwallet.list_escrows(router, wallet_id=wallets[0], after_escrow_id=listed[-1]) == []


def test_the_statement_of_a_project_is_read_in_pages(router: psycopg.Connection) -> None:
    project, _ = _funded_project(router, "statement", "succeeded")
    for _ in pgwallet.release_project(router, project):
        pass
    whole_one = pgwallet.statement(router, project)
    assert len(whole_one) == SHARDS
    assert [row.balance for row in whole_one] == [None] * SHARDS
    for newest_first in (False, True):
        paged: list[int] = []
        after = 0
        while page := pgwallet.statement(
            router, project, after_posting_id=after, limit=1, newest_first=newest_first
        ):
            paged += [row.posting_id for row in page]
            after = page[-1].posting_id
        expected = [row.posting_id for row in whole_one]
        assert paged == (expected[::-1] if newest_first else expected)


def test_a_project_is_frozen_on_all_shards(router: psycopg.Connection) -> None:
    project, wallets = _funded_project(router, "frozen")
    assert pgwallet.freeze_account(router, project, "asked for").frozen
    for wallet in wallets:
        with pytest.raises(pgwallet.AccountFrozen):
            pgwallet.pledge(router, wallet, project, 1)
    assert not pgwallet.unfreeze_account(router, project, "again").frozen
    assert pgwallet.pledge(router, wallets[0], project, 1)
    kinds = [event.kind for event in pgwallet.list_events(router, project)]
    assert kinds == ["create_project", "freeze_account", "unfreeze_account"]


def test_what_was_done_to_a_project_on_one_shard_alone_is_told(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    project = pgwallet.create_project(router, "frozen on each").project_id
    for shard in whole.shards:
        # Its owner goes past the functions, which refuse it.
        with psycopg.connect(shard.conninfo) as conn:
            conn.execute(
                "select pgwallet._insert_event('freeze_account', %s, '{}', '{}', %s)",
                [project, f"on shard {shard.number}"],
            )
    events = [(e.kind, e.reason) for e in pgwallet.list_events(router, project, limit=2)]
    events += [
        (e.kind, e.reason)
        for after in pgwallet.list_events(router, project, limit=2)[-1:]
        for e in pgwallet.list_events(router, project, after.event_id)
    ]
    assert sorted(events, key=lambda event: event[1] or "") == [
        ("create_project", None),
        *(("freeze_account", f"on shard {number}") for number in range(SHARDS)),
    ]


def test_what_is_done_to_all_shards_is_one_event(router: psycopg.Connection) -> None:
    router.execute("update pgwallet.settings set max_pockets_per_allocation = 99")
    router.execute("update pgwallet.settings set max_pockets_per_allocation = 100")
    router.execute("update pgwallet.currency set name = 'Kroner' where currency = 'NOK'")
    events, after = [], 0
    while page := pgwallet.list_events(router, after_event_id=after):
        events += [event for event in page if event.kind in ("update_settings", "update_currency")]
        after = page[-1].event_id
    changed = [event.after for event in events if event.after]
    assert changed.count({"max_pockets_per_allocation": 99}) == 1
    assert changed.count({"max_pockets_per_allocation": 100}) == 1
    assert changed.count({"name": "Kroner", "currency": "NOK"}) == 1


@pytest.mark.parametrize("view", ["settings", "currency"])
def test_what_is_alike_on_all_shards_changes_by_one_call(
    router: psycopg.Connection, whole: cluster.ClusterFile, view: str
) -> None:
    """Whether it finds one row or many; a second one in a transaction is refused."""
    update = f"update pgwallet.{view} set max_pledge = %s".encode()
    before = router.execute(f"select max_pledge from pgwallet.{view}".encode()).fetchone()
    with psycopg.connect(whole.routers[0]) as conn:
        conn.execute(update, [7000])
        with pytest.raises(psycopg.errors.DatabaseError) as refused:
            conn.execute(update, [8000])
        assert refused.value.sqlstate == "PW401"
    for shard in range(SHARDS):
        with _direct(whole, shard) as conn:
            changed = conn.execute(f"select distinct max_pledge from pgwallet.{view}".encode())
            assert changed.fetchall() == [(7000,)]
    router.execute(update, before)
    assert pgwallet.check_ledger(router) == []


def test_a_currency_that_accounts_are_in_keeps_its_code_and_its_decimals(
    router: psycopg.Connection,
) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        router.execute("update pgwallet.currency set currency = 'DMK' where currency = 'EUR'")
    with pytest.raises(psycopg.errors.DatabaseError) as refused:
        router.execute("update pgwallet.currency set exponent = 3 where currency = 'EUR'")
    assert refused.value.sqlstate == "PW901"
    assert pgwallet.check_ledger(router) == []


def test_a_wallet_is_frozen_where_it_is(router: psycopg.Connection) -> None:
    (wallet, *_) = wallets_on_all_shards(router, "cold")
    assert pgwallet.freeze_account(router, wallet, "asked for").frozen
    pgwallet.deposit(router, wallet, 5)
    with pytest.raises(pgwallet.AccountFrozen):
        pgwallet.withdraw(router, wallet, 5)
    with pytest.raises(pgwallet.AccountNotFound):
        pgwallet.freeze_account(router, 5, "nothing")


def test_the_credit_of_a_project_is_its_home_s(router: psycopg.Connection) -> None:
    project, _ = _funded_project(router, "credit")
    limit = pgwallet.set_credit_limit(router, project, 50)
    assert limit.credit_limit == 50
    assert limit.balance == 0
    assert pgwallet.get_project(router, project).credit_limit == 50


def test_a_key_is_found_wherever_it_was_used(router: psycopg.Connection) -> None:
    for wallet in wallets_on_all_shards(router, "keys"):
        pgwallet.deposit(router, wallet, 5, f"key of {wallet}")
        found = pgwallet.find_transaction(router, f"key of {wallet}")
        assert found is not None
        assert pgwallet.get_transaction(router, found.transaction_id) == found
    assert pgwallet.find_transaction(router, "a key of nobody") is None


def test_a_currency_has_the_same_accounts_on_all_shards(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    made = router.execute("select * from pgwallet.create_currency('PTS', 1, 'Points')").fetchall()
    assert (
        router.execute("select * from pgwallet.create_currency('PTS', 1, 'Points')").fetchall()
        == made
    )
    for shard in range(SHARDS):
        with _direct(whole, shard) as conn:
            accounts = conn.execute(
                "select external_account_id, commission_account_id, fee_account_id "
                "from pgwallet.currency where currency = 'PTS'"
            ).fetchone()
            assert accounts == made[0][3:]
    with pytest.raises(psycopg.errors.DatabaseError, match="is another one"):
        router.execute("select * from pgwallet.create_currency('PTS', 2, 'Points')")
    external = made[0][3]
    for owner in range(8):
        wallet = pgwallet.create_wallet(router, f"points {owner}", "PTS").wallet_id
        pgwallet.deposit(router, wallet, Decimal("1.5"))
    assert pgwallet.balance(router, external) == -12


def test_metrics_are_those_of_all_shards(router: psycopg.Connection) -> None:
    def deposited() -> Decimal:
        return sum(
            (m.deposited_amount for m in pgwallet.currency_metrics(router) if m.currency == "EUR"),
            Decimal(0),
        )

    before, counted = deposited(), pgwallet.ledger_metrics(router).last_posting_id
    for wallet in wallets_on_all_shards(router, "metrics"):
        pgwallet.deposit(router, wallet, 7)
    assert deposited() - before == 7 * SHARDS
    assert pgwallet.ledger_metrics(router).last_posting_id == counted + SHARDS


def test_each_shard_seals_its_own(router: psycopg.Connection) -> None:
    for wallet in wallets_on_all_shards(router, "seals"):
        pgwallet.deposit(router, wallet, 7)
    rows = router.execute("select seal_id, has_more from pgwallet.seal_ledger()").fetchall()
    assert [(number_of(seal_id), more) for seal_id, more in rows] == [
        (shard, False) for shard in range(SHARDS)
    ]
    listed = pgwallet.list_seals(router)
    assert {seal.seal_id for seal in listed} >= {seal_id for seal_id, _ in rows}
    newest = pgwallet.list_seals(router, newest_first=True)
    assert [seal.seal_id for seal in newest] == [seal.seal_id for seal in listed][::-1]
    (first, *_) = pgwallet.list_seals(router, after_seal_id=listed[-2].seal_id, limit=1)
    assert first == listed[-1]
    assert pgwallet.check_seals(router) is None
    missing = pgwallet.check_seals(router, until_seal_id=listed[-1].seal_id + 5)
    assert missing is not None
    assert missing.seal_id == listed[-1].seal_id + 5


def test_each_shard_has_a_feed_of_its_own(router: psycopg.Connection) -> None:
    wallets = wallets_on_all_shards(router, "feed")
    paid = [pgwallet.deposit(router, wallet, 7).transaction_id for wallet in wallets]
    for shard in range(SHARDS):
        rows = router.execute(
            "select posting_id, transaction_id from pgwallet.read_feed(0, 100000, %s)", [shard]
        ).fetchall()
        assert {number_of(posting) for posting, _ in rows} == {shard}
        assert rows[-1][1] == paid[shard]
        before = rows[-2][0]
        assert router.execute(
            "select posting_id from pgwallet.read_feed(%s)", [before]
        ).fetchall() == [(rows[-1][0],)]
    for wrong in ("0", "0, 10, 4", "0, 10, -1"):
        with pytest.raises(psycopg.errors.DatabaseError) as refused:
            router.execute(f"select * from pgwallet.read_feed({wrong})")
        assert refused.value.sqlstate == "PW002"


def test_the_driver_and_the_command_follow_one_shard(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    place, wallet = 1, wallets_on_all_shards(router, "followed")[1]
    pgwallet.deposit(router, wallet, 1)
    before = pgwallet.statement(router, wallet)[-1].posting_id
    pgwallet.deposit(router, wallet, 2)
    pgwallet.withdraw(router, wallet, 3)

    batches = [*pgwallet.feed(router, before, limit=1, shard=place)]
    assert [[row.kind for row in batch] for batch in batches] == [["deposit"], ["withdrawal"]]
    # What it has seen says which shard it is.
    assert [*pgwallet.feed(router, before, limit=1)] == batches
    with pytest.raises(pgwallet.InvalidArgument, match="shard null has no feed"):
        next(pgwallet.feed(router))

    async def followed() -> list[list[pgwallet.FeedRow]]:
        async with await psycopg.AsyncConnection.connect(whole.routers[0], autocommit=True) as conn:
            return [batch async for batch in pgwallet.feed(conn, before, limit=1, shard=place)]

    assert asyncio.run(followed()) == batches

    told = pgwallet_here("feed", "--after", before, "--shard", place, database_url=whole.routers[0])
    assert [json.loads(line)["kind"] for line in told.stdout.splitlines()] == [
        "deposit",
        "withdrawal",
    ]


def test_one_database_has_no_feed_of_a_shard(whole: cluster.ClusterFile) -> None:
    conninfo = whole.shards[1].conninfo
    with (
        psycopg.connect(conninfo, autocommit=True) as conn,
        pytest.raises(psycopg.errors.UndefinedFunction, match="p_shard"),
    ):
        next(pgwallet.feed(conn, shard=1))
    told = pgwallet_here("feed", "--shard", 1, database_url=conninfo)
    assert (told.returncode, told.stdout) == (2, "")
    assert "--shard is for the router of a cluster, and this database is none" in told.stderr
