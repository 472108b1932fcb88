"""What calls record, whom they refuse, and which pockets take part, to the last one."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from psycopg.types.json import Jsonb

import pgwallet
from tests.ledger.calling import call, funded, project, refused, value

pytestmark = pytest.mark.sql


@pytest.mark.parametrize("key", [None, "once"])
@pytest.mark.parametrize("name", ["deposit", "pledge", "allocate_deposit"])
def test_a_call_records_one_transaction_with_all_that_it_was_told(
    conn: psycopg.Connection, name: str, key: str | None
) -> None:
    wallet_id, when = funded(conn, "ada", 100), datetime(2020, 2, 29, 12, tzinfo=UTC)
    pgwallet.create_pocket(conn, wallet_id, "half", 50)
    arguments = {"p_project_id": project(conn)} if name == "pledge" else {}
    before = value(conn, "select max(transaction_id) from pgwallet.transaction")
    (row,) = call(
        conn,
        name,
        p_wallet_id=wallet_id,
        p_amount=10,
        p_idempotency_key=key,
        p_metadata=Jsonb({"note": "why"}),
        p_effective_at=when,
        **arguments,
    )
    recorded = conn.execute(
        "select transaction_id, escrow_id, metadata, effective_at from pgwallet.transaction "
        "where transaction_id > %s",
        [before],
    ).fetchall()
    assert recorded == [(row["transaction_id"], row.get("escrow_id"), {"note": "why"}, when)]


def test_a_lack_of_funds_is_not_blamed_on_a_limit_that_is_just_met(
    conn: psycopg.Connection,
) -> None:
    wallet_id, project_id = funded(conn, "ada", 5), project(conn, max_pledge=10)
    with refused(conn, "PW201"):
        pgwallet.pledge(conn, wallet_id, project_id, 10)


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
@pytest.mark.parametrize("name", ["preview_allocation", "allocate_deposit"])
def test_of_equal_pockets_the_youngest_is_left_out_and_a_warning_says_so(
    conn: psycopg.Connection, name: str, rounding: str
) -> None:
    warnings: list[str | None] = []
    conn.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
    conn.execute("update pgwallet.settings set max_pockets_per_allocation = 2")
    wallet_id = funded(conn, "ada", 100)
    pockets = []
    for number, expected in ((1, []), (2, []), (3, ["1 pockets were left out of an allocation"])):
        pocket = pgwallet.create_pocket(conn, wallet_id, f"{number}", 20)
        pockets.append(pocket.pocket_id)
        shares = call(conn, name, wallet_id, 10, rounding)
        assert [share["pocket_id"] for share in shares] == pockets[:2]
        assert warnings == expected


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
def test_of_many_allocations_the_first_that_holds_too_little_is_named(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallets = [funded(conn, owner, 10) for owner in ("ada", "bob", "eve")]
    for wallet_id in wallets:
        for name in ("one", "two"):
            pgwallet.create_pocket(conn, wallet_id, name, 50)
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposits(conn, wallets, [10, 12, 14], rounding=rounding)
    assert str(wallets[1]) in said[0].message
    assert said[0].detail == "Its balance is 10.00, the amount 12.00."


def test_exact_shares_of_a_long_amount_round_up_to_no_missing_unit(
    conn: psycopg.Connection,
) -> None:
    wallet_id = funded(conn, "ada", 0)
    for name in ("one", "two"):
        pgwallet.create_pocket(conn, wallet_id, name, Decimal("33.3333"))
    # Each is 299999700001666.67499999: rounded to six decimals, two of them would make a cent.
    preview = pgwallet.preview_allocation(
        conn, wallet_id, Decimal("900000000005000.03"), "largest_remainder"
    )
    assert [share.amount for share in preview.shares] == [Decimal("299999700001666.67")] * 2


@pytest.mark.parametrize("amount", ["5", "5.0", "5.00000"])
def test_postings_and_balances_have_the_currency_s_decimals_whatever_was_passed(
    conn: psycopg.Connection, amount: str
) -> None:
    wallet_id, project_id = funded(conn, "ada", 0), project(conn)
    call(conn, "deposit", wallet_id, amount)
    (pledge,) = call(conn, "pledge", wallet_id, project_id, amount)
    assert (str(pledge["amount"]), str(pledge["balance"])) == ("5.00", "0.00")
    amounts = conn.execute("select amount::text from pgwallet.posting").fetchall()
    assert amounts == [("5.00",)] * 2
