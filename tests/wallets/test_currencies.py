"""Currencies of one's own: making them, and amounts of 33 digits in every function."""

from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import call, funded, project, refused, value

pytestmark = pytest.mark.sql

UNIT = Decimal("0.000000000000000001")
# The largest amount that there is; Python's own context would round a sum to 28 digits.
MOST = Decimal("999999999999999.999999999999999999")


@pytest.fixture
def exact() -> Iterator[None]:
    with localcontext(Context(prec=100)):
        yield


@pytest.fixture
def token(conn: psycopg.Connection) -> str:
    return pgwallet.create_currency(conn, "TOKEN", 18, "Token").currency


def test_a_currency_is_made_with_its_three_accounts(conn: psycopg.Connection) -> None:
    made = pgwallet.create_currency(conn, "POINTS", 0, "Loyalty points")
    assert (made.currency, made.exponent, made.name) == ("POINTS", 0, "Loyalty points")
    accounts = conn.execute(
        "select account_id, kind from pgwallet.account where currency = 'POINTS' order by kind"
    ).fetchall()
    assert accounts == [
        (made.commission_account_id, "commission"),
        (made.external_account_id, "external"),
        (made.fee_account_id, "fee"),
    ]
    assert {account_id % 1024 for account_id, _ in accounts} == {0}
    assert [str(pgwallet.balance(conn, account_id)) for account_id, _ in accounts] == ["0"] * 3
    assert pgwallet.check_ledger(conn) == []


def test_the_same_again_returns_it_and_another_one_is_refused(conn: psycopg.Connection) -> None:
    made = pgwallet.create_currency(conn, "POINTS", 0, "Points")
    assert pgwallet.create_currency(conn, "POINTS", 0, "Points") == made
    for exponent, name in ((1, "Points"), (0, "points")):
        with refused(conn, "PW002") as said:
            pgwallet.create_currency(conn, "POINTS", exponent, name)
        assert said[0].detail == "It is called 'Points' and has 0 decimals."
    events = conn.execute(
        "select subject_id, before, after from pgwallet.event where kind = 'create_currency'"
    ).fetchall()
    assert events == [(None, None, {"currency": "POINTS", "exponent": 0, "name": "Points"})]


def test_what_iso_4217_has_is_there_already(conn: psycopg.Connection) -> None:
    euro = pgwallet.create_currency(conn, "EUR", 2, "Euro")
    assert value(conn, "select fee_account_id from pgwallet.currency where currency = 'EUR'") == (
        euro.fee_account_id
    )
    with refused(conn, "PW002"):
        pgwallet.create_currency(conn, "EUR", 3, "Euro")


@pytest.mark.parametrize("code", ["P2", "ABCDEFGHIJKL", "007"])
def test_a_code_has_2_to_12_capital_letters_and_digits(conn: psycopg.Connection, code: str) -> None:
    assert pgwallet.create_currency(conn, code, 2, "x" * 200).currency == code
    assert pgwallet.create_wallet(conn, "ada", code).currency == code


@pytest.mark.parametrize("exponent", [0, 1, 17, 18])
def test_results_have_the_decimals_of_the_currency(conn: psycopg.Connection, exponent: int) -> None:
    pgwallet.create_currency(conn, "TOKEN", exponent, "Token")
    wallet_id = funded(conn, "ada", 7, "TOKEN")
    assert -int(pgwallet.balance(conn, wallet_id).as_tuple().exponent) == exponent
    unit = Decimal(1).scaleb(-exponent)
    assert pgwallet.deposit(conn, wallet_id, unit).balance == 7 + unit
    with refused(conn, "PW001"):
        pgwallet.deposit(conn, wallet_id, unit / 10)


def test_ids_pass_over_those_that_projects_were_given(conn: psycopg.Connection) -> None:
    next_id = value(conn, "select last_value + 1 from pgwallet.id_seq") * 1024
    project(conn, "bridge", project_id=next_id)
    conn.execute("select setval('pgwallet.id_seq', %s)", [next_id // 1024 - 1])
    made = pgwallet.create_currency(conn, "POINTS", 0, "Points")
    ids = {made.external_account_id, made.commission_account_id, made.fee_account_id}
    assert next_id not in ids
    assert len(ids) == 3


def test_decimals_never_change(conn: psycopg.Connection, token: str) -> None:
    with refused(conn, "PW901"):
        conn.execute("update pgwallet.currency set exponent = 17 where currency = %s", [token])
    conn.execute("update pgwallet.currency set name = 'Coin' where currency = %s", [token])
    assert pgwallet.create_currency(conn, token, 18, "Coin").name == "Coin"


@pytest.mark.usefixtures("exact")
def test_the_largest_amount_with_every_decimal_passes_through_all_functions(
    conn: psycopg.Connection, token: str
) -> None:
    half = MOST - Decimal("499999999999999.123456789012345678")
    ada = funded(conn, "ada", MOST, token)
    bob = pgwallet.create_wallet(conn, "bob", token).wallet_id
    assert pgwallet.deposit_many(conn, [bob, bob], [MOST, UNIT])[1].balance == 10**15
    assert pgwallet.withdraw(conn, bob, MOST).balance == UNIT
    pocket_id = pgwallet.create_pocket(conn, ada, "all", 100, None, half).pocket_id
    to = pgwallet.transfer_to_pocket(conn, pocket_id, half)
    assert (to.balance, to.wallet_balance) == (half, MOST - half)
    back = pgwallet.transfer_from_pocket(conn, pocket_id, half - UNIT)
    assert (back.balance, back.wallet_balance) == (UNIT, MOST - UNIT)
    assert pgwallet.list_pockets(conn, ada)[0].lacking_amount == half - UNIT
    pgwallet.transfer_from_pocket(conn, pocket_id, UNIT)

    project_id = pgwallet.create_project(
        conn, "bridge", token, Decimal("0.05"), Decimal("0.029"), MOST, None, UNIT
    ).project_id
    pledge = pgwallet.pledge(conn, ada, project_id, MOST)
    assert pledge.amount == MOST
    assert pledge.balance == 0
    assert pgwallet.pledge_many(conn, project_id, [bob], [UNIT])[0].amount == UNIT
    part = Decimal("123456789012345.678901234567890123")
    release = pgwallet.release_escrow(conn, pledge.escrow_id, part)
    commission = (part * Decimal("0.05")).quantize(UNIT, "ROUND_HALF_UP")
    fee = (part * Decimal("0.029")).quantize(UNIT, "ROUND_HALF_UP") + UNIT
    assert (release.commission_amount, release.fee_amount) == (commission, fee)
    assert release.net_amount == part - commission - fee
    assert pgwallet.refund_escrow(conn, pledge.escrow_id, part).balance == part
    pgwallet.close_project(conn, project_id, "succeeded")
    rest = MOST - 2 * part
    batch = pgwallet.release_escrows(conn, project_id)
    assert (batch.escrow_count, batch.gross_amount) == (2, rest + UNIT)
    state = pgwallet.get_project(conn, project_id)
    assert state.pledged_amount == 10**15
    assert state.released_amount == MOST - part + UNIT
    assert pgwallet.payout(conn, project_id, state.net_amount).balance == 0
    assert pgwallet.list_escrows(conn, wallet_id=ada)[0].refunded_amount == part
    assert pgwallet.statement(conn, ada)[0].amount == MOST
    shown = value(conn, "select paid_out_amount from pgwallet.project_summary")
    assert shown == state.net_amount
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
@pytest.mark.parametrize("bulk", [False, True])
def test_allocations_are_exact_to_the_last_of_18_decimals(
    conn: psycopg.Connection, token: str, rounding: str, bulk: bool
) -> None:
    wallet_id = funded(conn, "ada", MOST, token)
    third = Decimal("33.3333")
    for name in "abc":
        pgwallet.create_pocket(conn, wallet_id, name, third)
    expected = (MOST * third / 100).quantize(UNIT, "ROUND_HALF_UP")
    cut = (MOST * third / 100).quantize(UNIT, "ROUND_FLOOR")
    assert expected != cut
    allocate: Any = pgwallet.allocate_deposits if bulk else pgwallet.allocate_deposit
    preview = pgwallet.preview_allocation(conn, wallet_id, MOST, rounding)
    amounts = [share.amount for share in preview.shares]
    if rounding == "half_up":
        assert amounts == [expected] * 3
    else:
        assert sum(amounts) == (MOST * third * 3 / 100).quantize(UNIT, "ROUND_FLOOR")
        assert set(amounts) <= {cut, cut + UNIT}
    many = {"wallet_ids": [wallet_id], "amounts": [MOST]} if bulk else {}
    one = {} if bulk else {"wallet_id": wallet_id, "amount": MOST}
    result = allocate(conn, **many, **one, rounding=rounding)
    rows = result if bulk else result.shares
    assert [row.amount for row in rows] == amounts
    if not bulk:
        assert result.allocated + result.remaining == MOST
    assert pgwallet.check_ledger(conn) == []


def test_a_unit_too_small_for_any_pocket_stays(conn: psycopg.Connection, token: str) -> None:
    wallet_id = funded(conn, "ada", 1, token)
    pgwallet.create_pocket(conn, wallet_id, "a", Decimal("49.9999"))
    for rounding in ("half_up", "largest_remainder"):
        (row,) = call(conn, "allocate_deposit", wallet_id, UNIT, rounding)
        assert str(row["amount"]) == "0E-18"


def test_refusals_tell_amounts_with_every_decimal(conn: psycopg.Connection, token: str) -> None:
    wallet_id = funded(conn, "ada", MOST, token)
    pgwallet.withdraw(conn, wallet_id, UNIT)
    with refused(conn, "PW201") as said:
        pgwallet.withdraw(conn, wallet_id, MOST)
    assert said[0].detail == (
        "Its balance is 999999999999999.999999999999999998, "
        "the amount 999999999999999.999999999999999999."
    )
