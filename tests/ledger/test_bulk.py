"""Arrays: one transaction an element, rows in input order, running balances, all or nothing."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.catalogue.call_of import without_prefix
from tests.catalogue.calls import BULK, CALLS, good
from tests.catalogue.world import world_in
from tests.ledger.calling import call, everything, funded, project, refused, value

pytestmark = pytest.mark.sql


@pytest.mark.parametrize("keys", [None, []])
def test_empty_arrays_give_no_rows_and_move_nothing(
    conn: psycopg.Connection, keys: list[str] | None
) -> None:
    project_id = project(conn)
    before = everything(conn)
    assert pgwallet.deposit_many(conn, [], [], keys) == []
    assert pgwallet.allocate_deposits(conn, [], [], keys) == []
    assert pgwallet.pledge_many(conn, project_id, [], [], keys) == []
    assert everything(conn) == before


def test_empty_arrays_do_not_hide_another_fault(conn: psycopg.Connection) -> None:
    with refused(conn, "PW103"):
        pgwallet.pledge_many(conn, 12345, [], [])
    with refused(conn, "PW002"):
        pgwallet.allocate_deposits(conn, [], [], rounding="none")


def test_rows_come_in_input_order_with_running_balances(conn: psycopg.Connection) -> None:
    ada, bob = funded(conn, "ada", 5), funded(conn, "bob", 0)
    ids, amounts = [bob, ada, bob, ada], [1, 2, 3, 4]
    deposits = pgwallet.deposit_many(conn, ids, amounts)
    assert [row.wallet_id for row in deposits] == ids
    assert [row.balance for row in deposits] == [1, 7, 4, 11]
    assert len({row.transaction_id for row in deposits}) == 4

    pledges = pgwallet.pledge_many(conn, project(conn), ids, amounts)
    assert [row.wallet_id for row in pledges] == ids
    assert [row.amount for row in pledges] == amounts
    assert [row.balance for row in pledges] == [3, 9, 0, 5]
    assert len({row.escrow_id for row in pledges}) == 4
    assert [row.escrow_id % 1024 for row in pledges] == [wallet % 1024 for wallet in ids]
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("name", BULK)
def test_each_element_has_metadata_and_a_time_of_its_own_or_none(
    conn: psycopg.Connection, name: str
) -> None:
    world = world_in(conn)
    time = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
    noted: list[tuple[Any, datetime | None]] = [({"note": "a"}, None), (None, time), ([1], time)]
    three = {
        argument: [element, element, element] if isinstance(value, list) else value
        for argument, value in without_prefix(good(name, world)).items()
        for element in [value[0] if isinstance(value, list) else None]
    }
    rows = getattr(pgwallet, name)(
        conn, **three, metadata=[data for data, _ in noted], effective_at=[at for _, at in noted]
    )
    found = conn.execute(
        "select t.metadata, t.effective_at from pgwallet.transaction as t "
        "where t.transaction_id = any (%s) order by t.transaction_id",
        [[row.transaction_id for row in rows]],
    )
    assert found.fetchall() == noted


def test_each_pledge_has_an_expiry_of_its_own_which_a_replay_does_not_ask_for(
    conn: psycopg.Connection,
) -> None:
    ada, film = funded(conn, "ada", 100), project(conn)
    expiry, past = datetime(2999, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)
    ids, amounts, keys = [ada, ada], [1, 2], ["one", "two"]
    rows = pgwallet.pledge_many(conn, film, ids, amounts, keys, [expiry, None])
    again = pgwallet.pledge_many(conn, film, ids, amounts, keys, [past, past])
    assert [row.replayed for row in again] == [True, True]
    for elements in ([2, 2], [1, 1]):  # the first key is another call's, or both are
        with refused(conn, "PW002"):
            pgwallet.pledge_many(conn, film, ids, elements, keys, [past, past])
    with refused(conn, "PW002") as said:
        pgwallet.pledge_many(conn, film, [*ids, ada], [1, 2, 3], None, [expiry, None, past])
    assert "2001" in said[0].message + (said[0].detail or "")
    escrows = [pgwallet.get_escrow(conn, row.escrow_id) for row in rows]
    assert [escrow.expires_at for escrow in escrows] == [expiry, None]


@pytest.mark.parametrize("name", BULK)
def test_postings_come_in_input_order(conn: psycopg.Connection, name: str) -> None:
    world = world_in(conn)
    wallets = [world.wallet, *(funded(conn, owner, 100) for owner in ("uma", "zoe"))]
    for wallet_id in wallets[1:]:
        pgwallet.create_pocket(conn, wallet_id, "half", 50)
    ids = [wallets[1], wallets[2], wallets[0]]
    # Of what each is asked for, so much moves.
    (part,) = CALLS[name].good(world, 1)["p_amounts"]
    amounts = [part * units for units in (1, 2, 3)]
    rows = call(conn, name, **{**good(name, world), "p_wallet_ids": ids, "p_amounts": amounts})
    posted = conn.execute(
        """
        select transaction_id, coalesce(source_balance, destination_balance)
        from pgwallet.posting
        where transaction_id >= %s
        order by posting_id
        """,
        [rows[0]["transaction_id"]],
    ).fetchall()
    assert [row["wallet_id"] for row in rows] == ids
    balances = [100 + units * CALLS[name].effect("wallet") for units in (1, 2, 3)]
    assert posted == [
        (row["transaction_id"], balance) for row, balance in zip(rows, balances, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "balances"),
    [
        ("deposit_many", [120, 110, 130, 100]),
        ("allocate_deposits", [12, 8, 6, 4, 18, 12, 30, 20]),
        ("pledge_many", [80, 90, 70, 0]),
    ],
)
def test_rows_come_in_input_order_though_some_are_repeated(
    conn: psycopg.Connection, name: str, balances: list[int]
) -> None:
    ada, bob, eve = (funded(conn, owner, 100) for owner in ("ada", "bob", "eve"))
    for wallet_id in (ada, bob, eve):
        pgwallet.create_pocket(conn, wallet_id, "most", 60)
        pgwallet.create_pocket(conn, wallet_id, "rest", 40)
    arguments = {"p_project_id": project(conn)} if name == "pledge_many" else {}
    once = {"p_wallet_ids": [ada], "p_amounts": [10], "p_idempotency_keys": ["once"]}
    first = call(conn, name, **once, **arguments)
    pgwallet.withdraw(conn, ada, 50)
    mixed = {
        "p_wallet_ids": [bob, ada, eve, ada],
        "p_amounts": [20, 10, 30, 40],
        "p_idempotency_keys": ["of bob", "once", "of eve", None],
    }
    rows = call(conn, name, **mixed, **arguments)
    assert [row["balance"] for row in rows] == balances
    each = len(first)
    ids = [wallet_id for wallet_id in (bob, ada, eve, ada) for _ in range(each)]
    assert [row["wallet_id"] for row in rows] == ids
    assert [row for row in rows if row["replayed"]] == [{**row, "replayed": True} for row in first]
    assert rows[each]["replayed"]
    assert pgwallet.check_ledger(conn) == []


def test_allocations_of_many_wallets_come_in_input_order(conn: psycopg.Connection) -> None:
    ada, bob = funded(conn, "ada", 100), funded(conn, "bob", 1000, "JPY")
    small = pgwallet.create_pocket(conn, ada, "small", 20).pocket_id
    large = pgwallet.create_pocket(conn, ada, "large", 60).pocket_id
    yen = pgwallet.create_pocket(conn, bob, "yen", 50).pocket_id
    rows = pgwallet.allocate_deposits(conn, [bob, ada, bob, ada], [100, 10, 300, 20])
    assert [(row.wallet_id, row.pocket_id, str(row.amount), str(row.balance)) for row in rows] == [
        (bob, yen, "50", "50"),
        (ada, large, "6.00", "6.00"),
        (ada, small, "2.00", "2.00"),
        (bob, yen, "150", "200"),
        (ada, large, "12.00", "18.00"),
        (ada, small, "4.00", "6.00"),
    ]
    assert len({row.transaction_id for row in rows}) == 4
    assert pgwallet.balance(conn, ada) == 76
    assert pgwallet.check_ledger(conn) == []


def test_wallets_of_several_currencies_get_their_own_decimals(conn: psycopg.Connection) -> None:
    wallets = [funded(conn, "ada", 0, currency) for currency in ("EUR", "JPY", "KWD")]
    rows = pgwallet.deposit_many(conn, wallets, [Decimal("1.5"), 2, Decimal("0.001")])
    assert [str(row.balance) for row in rows] == ["1.50", "2", "0.001"]
    assert pgwallet.check_ledger(conn) == []


def test_a_wallet_without_pockets_that_comes_twice_takes_nothing_from_the_others(
    conn: psycopg.Connection,
) -> None:
    ada, bob = funded(conn, "ada", 10), funded(conn, "bob", 10)
    pgwallet.create_pocket(conn, ada, "all", 100)
    rows = pgwallet.allocate_deposits(conn, [ada, bob, bob], [10, 1, 1])
    amounts = [(row.wallet_id, str(row.amount)) for row in rows]
    assert amounts == [(ada, "10.00"), (bob, "0.00"), (bob, "0.00")]
    assert pgwallet.balance(conn, bob) == 10


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
def test_a_wallet_that_comes_again_for_a_share_of_nothing_is_not_refused(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallet_id = funded(conn, "ada", 10)
    pgwallet.create_pocket(conn, wallet_id, "tenth", 10)
    rows = pgwallet.allocate_deposits(
        conn, [wallet_id, wallet_id], [60, Decimal("0.01")], rounding=rounding
    )
    assert [row.amount for row in rows] == [6, 0]
    assert pgwallet.balance(conn, wallet_id) == 4


def test_one_bad_element_undoes_the_whole_call(conn: psycopg.Connection) -> None:
    ada, bob = funded(conn, "ada", 10), funded(conn, "bob", 10)
    project_id = project(conn, max_pledge=50)
    with refused(conn, "PW001"):
        pgwallet.deposit_many(conn, [ada, bob], [1, Decimal("0.001")])
    with refused(conn, "PW201") as said:
        pgwallet.pledge_many(conn, project_id, [ada, bob, bob], [1, 6, 5])
    assert str(bob) in said[0].message
    with refused(conn, "PW301"):
        pgwallet.pledge_many(conn, project_id, [ada, bob], [1, 51])
    pgwallet.create_pocket(conn, bob, "all", 100)
    with refused(conn, "PW201"):
        pgwallet.allocate_deposits(conn, [bob, bob], [6, 5])


def test_a_wallet_cannot_pledge_more_by_pledging_twice(conn: psycopg.Connection) -> None:
    ada = funded(conn, "ada", 10)
    with refused(conn, "PW201"):
        pgwallet.pledge_many(conn, project(conn), [ada, ada], [6, 6])


def test_elements_that_replay_are_asked_for_no_funds(conn: psycopg.Connection) -> None:
    ada = funded(conn, "ada", 10)
    project_id = project(conn)
    pgwallet.pledge_many(conn, project_id, [ada], [10], ["once"])
    (again,) = pgwallet.pledge_many(conn, project_id, [ada], [10], ["once"])
    assert again.replayed
    with refused(conn, "PW201"):
        pgwallet.pledge_many(conn, project_id, [ada, ada], [10, 1], ["once", None])


def test_a_call_over_a_thousand_wallets_is_sound(conn: psycopg.Connection) -> None:
    wallets = [
        row[0]
        for row in conn.execute(
            """
            select w.wallet_id
            from generate_series(1, 1000) as n, pgwallet.create_wallet('owner ' || n) as w
            """
        ).fetchall()
    ]
    amounts = [Decimal(n % 97 + 1) / 100 for n in range(1000)]
    rows = pgwallet.deposit_many(conn, wallets, amounts, [f"paid {w}" for w in wallets])
    assert [row.balance for row in rows] == amounts
    project_id = project(conn)
    keys = [f"pledged {w}" for w in wallets[::-1]]
    pgwallet.pledge_many(conn, project_id, wallets[::-1], amounts[::-1], keys)
    assert value(conn, "select sum(balance) from pgwallet.account where kind = 'wallet'") == 0
    assert pgwallet.check_ledger(conn) == []


def test_results_carry_the_currency_s_decimals_whatever_was_passed(
    conn: psycopg.Connection,
) -> None:
    ada = funded(conn, "ada", 0)
    for amount in ("5", "5.0", "5.000000", "5e0"):
        (row,) = call(conn, "deposit", ada, amount)
        assert row["balance"].as_tuple().exponent == -2
        (row,) = call(conn, "deposit_many", [ada], [amount])
        assert row["balance"].as_tuple().exponent == -2
