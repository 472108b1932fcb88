"""What calls record, whom they refuse, and which pockets take part, to the last one."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from psycopg.types.json import Jsonb

import pgwallet
from tests.catalogue.calls import BULK, CALLS, MOVING, SINGLE, good
from tests.catalogue.world import HOLDS, World
from tests.ledger.calling import call, funded, project, refused, value

pytestmark = pytest.mark.sql


@pytest.fixture
def conn(undone: psycopg.Connection) -> psycopg.Connection:
    return undone


@pytest.mark.parametrize("name", MOVING)
def test_a_call_moves_what_the_catalogue_says(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    posted = "select sum(amount) from pgwallet.posting"
    before = value(conn, posted)
    call(conn, name, **good(name, world, Decimal(10)))
    for account, held in HOLDS.items():
        moved = pgwallet.balance(conn, getattr(world, account)) - held
        assert moved == 10 * CALLS[name].effect(account), account
    assert value(conn, posted) - before == 10
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("key", [None, "once"])
@pytest.mark.parametrize("name", SINGLE)
def test_a_call_records_one_transaction_with_all_that_it_was_told(
    conn: psycopg.Connection, world: World, name: str, key: str | None
) -> None:
    when = datetime(2020, 2, 29, 12, tzinfo=UTC)
    before = value(conn, "select max(transaction_id) from pgwallet.transaction")
    (row,) = call(
        conn,
        name,
        **good(name, world),
        p_idempotency_key=key,
        p_metadata=Jsonb({"note": "why"}),
        p_effective_at=when,
    )
    recorded = conn.execute(
        "select transaction_id, idempotency_key, escrow_id, metadata, effective_at "
        "from pgwallet.transaction where transaction_id > %s",
        [before],
    ).fetchall()
    escrow_id = row.get("escrow_id")
    assert recorded == [(row["transaction_id"], key, escrow_id, {"note": "why"}, when)]


def test_a_lack_of_funds_is_not_blamed_on_a_limit_that_is_just_met(
    conn: psycopg.Connection,
) -> None:
    wallet_id, project_id = funded(conn, "adam", 5), project(conn, max_pledge=10)
    with refused(conn, "PW201"):
        pgwallet.pledge(conn, wallet_id, project_id, 10)


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
@pytest.mark.parametrize("name", ["preview_allocation", "allocate_deposit", "allocate_deposits"])
def test_of_equal_pockets_the_youngest_is_left_out_and_a_warning_says_so(
    conn: psycopg.Connection, name: str, rounding: str
) -> None:
    warnings: list[str | None] = []
    conn.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
    conn.execute("update pgwallet.settings set max_pockets_per_allocation = 2")
    wallet_id = funded(conn, "adam", 100)
    pockets = []
    for number, expected in ((1, []), (2, []), (3, ["1 pockets were left out of an allocation"])):
        pocket = pgwallet.create_pocket(conn, wallet_id, f"{number}", 20)
        pockets.append(pocket.pocket_id)
        one = (wallet_id, 10) if name != "allocate_deposits" else ([wallet_id], [10])
        shares = call(conn, name, *one, p_rounding=rounding)
        assert [share["pocket_id"] for share in shares] == pockets[:2]
        assert warnings == expected


def test_of_many_pledges_the_first_that_is_not_covered_is_named(conn: psycopg.Connection) -> None:
    """In the order of the elements, not of their ids."""
    adam, clara, ben = (funded(conn, owner, 10) for owner in ("adam", "clara", "ben"))
    project_id, six = project(conn), Decimal("6.00")
    with refused(conn, "PW201") as said:
        pgwallet.pledge_many(conn, project_id, [adam, ben, clara, ben], [10, six, 14, six])
    assert str(ben) in said[0].message
    assert said[0].detail == "Its balance is 10.00, the amount 12.00."


@pytest.mark.parametrize("name", BULK)
def test_of_many_amounts_the_first_with_too_many_decimals_is_named(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    """Trailing zeros do not count, whatever comes after them."""
    arguments = good(name, world)
    arguments["p_wallet_ids"] *= 3
    with refused(conn, "PW001") as said:
        call(conn, name, **{**arguments, "p_amounts": ["5.000", "0.001", "0.0002"]})
    assert "0.001" in str(said[0])


@pytest.mark.parametrize(
    ("name", "balance"), [("transfer_to_pocket", "7.00"), ("transfer_from_pocket", "3.00")]
)
def test_a_transfer_is_refused_with_the_balance_of_the_account_that_was_to_pay(
    conn: psycopg.Connection, name: str, balance: str
) -> None:
    wallet_id = funded(conn, "adam", 10)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday").pocket_id
    pgwallet.transfer_to_pocket(conn, pocket_id, 3)
    with refused(conn, "PW201") as said:
        call(conn, name, pocket_id, "8.0000")
    assert str(wallet_id if name == "transfer_to_pocket" else pocket_id) in said[0].message
    assert said[0].detail == f"Its balance is {balance}, the amount 8.00."


@pytest.mark.parametrize("name", ["withdraw", "payout"])
def test_a_payment_is_refused_in_the_currency_s_decimals(
    conn: psycopg.Connection, name: str
) -> None:
    account_id = funded(conn, "adam", 10) if name == "withdraw" else project(conn)
    balance = pgwallet.balance(conn, account_id)
    with refused(conn, "PW201") as said:
        call(conn, name, account_id, "12.0000")
    assert said[0].detail == f"Its balance is {balance}, the amount 12.00."


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
def test_of_many_allocations_the_first_that_holds_too_little_is_named(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallets = [funded(conn, owner, 10) for owner in ("adam", "ben", "clara")]
    for wallet_id in wallets:
        for name in ("one", "two"):
            pgwallet.create_pocket(conn, wallet_id, name, 50)
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposits(conn, wallets, [10, 12, 14], rounding=rounding)
    assert str(wallets[1]) in said[0].message
    assert said[0].detail == "Its balance is 10.00, the amount 12.00."


def test_a_wallet_that_comes_twice_is_asked_for_the_sum_and_named_in_its_place(
    conn: psycopg.Connection,
) -> None:
    ada, bob = funded(conn, "adam", 10), funded(conn, "ben", 10)
    for wallet_id in (ada, bob):
        pgwallet.create_pocket(conn, wallet_id, "all", 100)
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposits(conn, [ada, ada, bob], [6, 6, 12])
    assert str(ada) in said[0].message
    assert said[0].detail == "Its balance is 10.00, the amount 12.00."


def test_a_wallet_whose_second_amount_is_not_covered_is_named_with_what_it_held_before(
    conn: psycopg.Connection,
) -> None:
    wallet_id = funded(conn, "adam", 10)
    pgwallet.create_pocket(conn, wallet_id, "all", 100)
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposits(conn, [wallet_id] * 2, [6, 6])
    assert said[0].detail == "Its balance is 10.00, the amount 12.00."


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
def test_an_allocation_is_asked_for_the_sum_of_its_shares(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallet_id = funded(conn, "adam", 10)
    for name in ("one", "two"):
        pgwallet.create_pocket(conn, wallet_id, name, 50)
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposit(conn, wallet_id, 12, rounding)
    assert said[0].detail == "Its balance is 10.00, the amount 12.00."


def test_exact_shares_of_a_long_amount_round_up_to_no_missing_unit(
    conn: psycopg.Connection,
) -> None:
    wallet_id = funded(conn, "adam", 0)
    for name in ("one", "two"):
        pgwallet.create_pocket(conn, wallet_id, name, Decimal("33.3333"))
    # Each is 299999700001666.67499999: rounded to six decimals, two of them would make a cent.
    preview = pgwallet.preview_allocation(
        conn, wallet_id, Decimal("900000000005000.03"), "largest_remainder"
    )
    assert [share.amount for share in preview.shares] == [Decimal("299999700001666.67")] * 2


@pytest.mark.parametrize("zeros", ["", "0", "0000"])
def test_postings_and_balances_have_the_currency_s_decimals_whatever_was_passed(
    conn: psycopg.Connection, zeros: str
) -> None:
    """Calls tell by a balance's decimals how many an amount may have."""
    wallet_id, project_id = funded(conn, "adam", 0), project(conn)
    pockets = [pgwallet.create_pocket(conn, wallet_id, name, 50).pocket_id for name in "ab"]
    many: dict[str, list[object]] = {"p_wallet_ids": [wallet_id], "p_amounts": ["0.03" + zeros]}
    before = value(conn, "select coalesce(max(transaction_id), 0) from pgwallet.transaction")
    # Half of 0.03 rounds up to 0.02, so that what is left caps the second share.
    call(conn, "deposit", wallet_id, "9.99" + zeros)
    call(conn, "deposit_many", **many)
    for rounding in ("half_up", "largest_remainder"):
        call(conn, "allocate_deposit", wallet_id, "0.03" + zeros, rounding)
        call(conn, "allocate_deposits", **many, p_rounding=rounding)
    call(conn, "transfer_to_pocket", pockets[0], "0.07" + zeros)
    call(conn, "transfer_from_pocket", pockets[1], "0.01" + zeros)
    call(conn, "withdraw", wallet_id, "0.01" + zeros)
    (pledge,) = call(conn, "pledge", wallet_id, project_id, "0.05" + zeros)
    call(conn, "pledge_many", project_id, **many)
    call(conn, "release_escrow", pledge["escrow_id"], "0.02" + zeros)
    call(conn, "refund_escrow", pledge["escrow_id"], "0.01" + zeros)
    pgwallet.close_project(conn, project_id, "succeeded")
    pgwallet.release_escrows(conn, project_id)
    call(conn, "payout", project_id, "0.01" + zeros)
    kept = conn.execute(
        "select balance from pgwallet.account where balance is not null and currency = 'EUR'"
    ).fetchall()
    posted = conn.execute(
        "select amount, source_balance, destination_balance from pgwallet.posting "
        "where transaction_id > %s",
        [before],
    ).fetchall()
    amounts = [amount for row in kept + posted for amount in row if amount is not None]
    assert {amount.as_tuple().exponent for amount in amounts} == {-2}
    assert pgwallet.check_ledger(conn) == []
    for name in ("deposit", "withdraw"):
        with refused(conn, "PW001"):
            call(conn, name, wallet_id, "0.001")
