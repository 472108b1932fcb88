"""The ORM baselines of the bench do the work of the replaced service, in as many queries."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import uuid4

import pytest

pytest.importorskip("django", reason="Django is not installed: make setup")

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.orm import release
from bench.orm.allocation import allocate_after, allocate_before
from bench.orm.database import connect
from bench.orm.filling import add_escrows, add_wallets
from bench.orm.models import EscrowContract, UserWallet, WalletPocket, WalletTransaction
from bench.orm.money import MAX_ESCROWS_PER_BATCH
from bench.orm.pledge import deposit, pledge
from bench.orm.release import release_after, release_before

PROJECT = 7
TYPE = WalletTransaction.Type


@pytest.fixture(autouse=True)
def tables(empty_database: str) -> Iterator[None]:
    connect(empty_database)
    yield
    connection.close()


def queries(call: Callable[[], object]) -> list[str]:
    """What each query of the call does to which table, such as `SELECT userwallet FOR UPDATE`."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return [
        " ".join(
            [
                query["sql"].split()[0],
                *re.findall(r'"orm_(\w+)"', query["sql"])[:1],
                *re.findall(r"FOR UPDATE$", query["sql"]),
            ]
        )
        for query in captured.captured_queries
    ]


def balances(wallet: UserWallet) -> tuple[Decimal, list[Decimal]]:
    """What the wallet holds, and what each of its pockets does."""
    wallet.refresh_from_db()
    pockets = WalletPocket.objects.filter(wallet=wallet).order_by("pk")
    return wallet.balance, list(pockets.values_list("current_amount", flat=True))


def moved(wallet: UserWallet) -> list[tuple[str, Decimal]]:
    rows = WalletTransaction.objects.filter(wallet=wallet).order_by("pk")
    return list(rows.values_list("transaction_type", "amount"))


def test_a_deposit_adds_to_the_wallet() -> None:
    (wallet,) = add_wallets(1, 0, Decimal(5))
    assert queries(lambda: deposit(wallet.pk, Decimal("2.50"))) == [
        "BEGIN",
        "SELECT userwallet FOR UPDATE",
        "UPDATE userwallet",
        "INSERT wallettransaction",
        "COMMIT",
    ]
    assert balances(wallet) == (Decimal("7.50"), [])
    assert moved(wallet) == [(TYPE.DEPOSIT, Decimal("2.50"))]


def test_a_pledge_moves_money_into_an_escrow() -> None:
    (wallet,) = add_wallets(1, 0, Decimal(20))
    assert queries(lambda: pledge(wallet.user, PROJECT, Decimal("7.50"), uuid4())) == [
        "BEGIN",
        "SELECT userwallet FOR UPDATE",
        "SELECT wallettransaction",
        "UPDATE userwallet",
        "INSERT wallettransaction",
        "INSERT escrowcontract",
        "COMMIT",
    ]
    assert balances(wallet) == (Decimal("12.50"), [])
    assert moved(wallet) == [(TYPE.PLEDGE_DONATION, Decimal("7.50"))]
    escrow = EscrowContract.objects.get()
    assert (escrow.user, escrow.project, escrow.amount) == (wallet.user, PROJECT, Decimal("7.50"))
    assert (escrow.status, escrow.released_at) == (EscrowContract.Status.LOCKED, None)
    assert escrow.pledge_transaction.wallet == wallet


def test_a_refused_pledge_moves_nothing() -> None:
    (wallet,) = add_wallets(1, 0, Decimal(200_000))
    key = uuid4()
    escrow_id = pledge(wallet.user, PROJECT, Decimal(5), key)
    with pytest.raises(ValueError, match="was used before"):
        pledge(wallet.user, PROJECT, Decimal(5), key)
    with pytest.raises(ValueError, match="is above"):
        pledge(wallet.user, PROJECT, Decimal("100000.01"))
    with pytest.raises(ValueError, match="is below"):
        pledge(wallet.user + 1, PROJECT, Decimal(5))
    assert balances(wallet) == (Decimal(199_995), [])
    assert EscrowContract.objects.get().pk == escrow_id


@pytest.mark.parametrize("pockets", [3, 100])
def test_both_ways_allocate_the_same(pockets: int) -> None:
    before, after = add_wallets(2, pockets, Decimal(500))
    amount = Decimal("200.10")
    assert allocate_before(before.pk, amount) == pockets
    assert allocate_after(after.pk, amount) == pockets
    share = {3: Decimal("66.69"), 100: Decimal("2.00")}[pockets]
    assert balances(before) == (500 - share * pockets, [share] * pockets)
    assert balances(after) == balances(before)
    assert moved(before) == [(TYPE.POCKET_TRANSFER, share)] * pockets
    assert moved(after) == moved(before)


def test_allocating_before_takes_four_queries_a_pocket() -> None:
    (wallet,) = add_wallets(1, 5, Decimal(500))
    for_each = [
        "SELECT walletpocket FOR UPDATE",
        "INSERT wallettransaction",
        "UPDATE userwallet",
        "UPDATE walletpocket",
    ]
    assert queries(lambda: allocate_before(wallet.pk, Decimal(100))) == [
        "BEGIN",
        "SELECT userwallet",
        "SELECT walletpocket",
        *for_each * 5,
        "COMMIT",
    ]


@pytest.mark.parametrize("pockets", [5, 100])
def test_allocating_after_takes_eight_queries_however_many_pockets(pockets: int) -> None:
    (wallet,) = add_wallets(1, pockets, Decimal(500))
    assert queries(lambda: allocate_after(wallet.pk, Decimal(100))) == [
        "BEGIN",
        "SELECT userwallet FOR UPDATE",
        *["SELECT walletpocket"] * 3,
        "SELECT walletpocket FOR UPDATE",
        "INSERT wallettransaction",
        "UPDATE walletpocket",
        "UPDATE userwallet",
        "COMMIT",
    ]


def test_allocating_after_stops_at_a_hundred_pockets_the_largest_percentages_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (wallet,) = add_wallets(1, 102, Decimal(500))
    last = WalletPocket.objects.latest("pk")
    last.allocation_percentage = 1
    last.save()
    assert allocate_after(wallet.pk, Decimal(100)) == 100
    last.refresh_from_db()
    assert last.current_amount == Decimal("1.00")
    assert WalletPocket.objects.filter(current_amount=0).count() == 2
    assert caplog.messages == ["2 pockets take no part"]


def test_shares_above_the_balance_are_refused() -> None:
    (wallet,) = add_wallets(1, 2, Decimal(10))
    for allocate in (allocate_before, allocate_after):
        with pytest.raises(ValueError, match="is below"):
            allocate(wallet.pk, Decimal(30))
    assert balances(wallet) == (Decimal(10), [Decimal(0)] * 2)


@pytest.mark.parametrize("way", [release_before, release_after])
def test_a_release_takes_commission_and_fee_from_each_escrow(way: Callable[[int], int]) -> None:
    add_escrows(PROJECT, 110, Decimal("10.15"))
    add_escrows(PROJECT + 1, 1, Decimal("10.15"))
    assert way(PROJECT) == 110
    released = EscrowContract.objects.filter(
        status=EscrowContract.Status.RELEASED, released_at__isnull=False
    )
    assert set(released.values_list("project", flat=True)) == {PROJECT}
    assert released.count() == 110
    platform = UserWallet.objects.get(user=None)
    # 5 % of 10.15 is 0.51 and 2.9 % is 0.29, each rounded half-up for itself.
    assert moved(platform) == [(TYPE.COMMISSION, Decimal("0.80"))] * 110
    assert platform.balance == 110 * Decimal("0.80")
    assert way(PROJECT) == 0


def test_releasing_before_takes_three_queries_an_escrow() -> None:
    add_escrows(PROJECT, 101, Decimal(10))
    for_each = ["INSERT wallettransaction", "UPDATE userwallet", "UPDATE escrowcontract"]
    assert queries(lambda: release_before(PROJECT)) == [
        "BEGIN",
        "SELECT userwallet",
        "SELECT escrowcontract",
        "SELECT escrowcontract FOR UPDATE",
        *for_each * 100,
        "SELECT escrowcontract FOR UPDATE",
        *for_each,
        "COMMIT",
    ]


def test_releasing_after_takes_four_queries_a_hundred_escrows() -> None:
    add_escrows(PROJECT, 250, Decimal(10))
    for_each_chunk = [
        "SELECT escrowcontract FOR UPDATE",
        "UPDATE escrowcontract",
        "INSERT wallettransaction",
        "UPDATE userwallet",
    ]
    assert queries(lambda: release_after(PROJECT)) == [
        "BEGIN",
        "SELECT userwallet",
        "SELECT escrowcontract",
        *for_each_chunk * 3,
        "COMMIT",
    ]


def test_releasing_after_stops_at_a_thousand_and_before_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MAX_ESCROWS_PER_BATCH == 1000
    monkeypatch.setattr(release, "MAX_ESCROWS_PER_BATCH", 100)
    add_escrows(PROJECT, 101, Decimal(10))
    add_escrows(PROJECT + 1, 101, Decimal(10))
    assert release_before(PROJECT) == 101
    assert [release_after(PROJECT + 1) for _ in range(3)] == [100, 1, 0]
