"""Numbers, times and arrays at their limits and beyond: exact, or refused by their code."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.attackers.attempts import DONE, outcome_of
from tests.attackers.conftest import Login
from tests.attackers.stage import Stage
from tests.ledger.calling import call, value

pytestmark = pytest.mark.sql

LARGEST = Decimal("999999999999999.99")
LEAST_ID, LARGEST_ID = -(2**63), 2**63 - 1

OUT_OF_RANGE = "22003"
NO_NUMBER = "22P02"

AMOUNTS: dict[str, list[Any]] = {
    "PW001": [
        *("0", "-0", "0.00", "-0.00", "-1", "-0.01", "0.001", "0.009999", "1e-10"),
        *("NaN", "nan", "Infinity", "inf", "-Infinity", "1e15", "1000000000000000.00"),
        *("999999999999999.999", "9" * 200, "1e131071", "-1e131071", "1e-16383"),
        *("1." + "0" * 16382 + "1", "0." + "3" * 16383, "1" * 131072),
    ],
    OUT_OF_RANGE: ["1e131072", "-1e131072", "1" * 131073],
    NO_NUMBER: ["", " ", "1,5", "1.2.3", "0x", "1e", "€1", "1 2", "١٢", "null", "--1", "+-1"],
}
PAYING: dict[str, tuple[str, str]] = {
    "deposit": ("p_wallet_id", "wallet"),
    "withdraw": ("p_wallet_id", "wallet"),
    "allocate_deposit": ("p_wallet_id", "wallet"),
    "preview_allocation": ("p_wallet_id", "wallet"),
    "transfer_to_pocket": ("p_pocket_id", "pocket"),
    "transfer_from_pocket": ("p_pocket_id", "pocket"),
    "release_escrow": ("p_escrow_id", "escrow"),
    "refund_escrow": ("p_escrow_id", "escrow"),
    "payout": ("p_project_id", "open"),
}
BULK = ("deposit_many", "allocate_deposits", "pledge_many")


def wrong_outcomes(
    conn: psycopg.Connection, name: str, argument: str, tries: dict[str, list[Any]], **others: Any
) -> dict[str, str]:
    """How calls ended that did not end as they should, by the argument's value."""
    wrong = {}
    for code, values in tries.items():
        for each in values:
            found = outcome_of(conn, name, **others, **{argument: each})
            if found != code:
                wrong[str(each)[:40]] = found
    return wrong


@pytest.mark.parametrize("name", [*PAYING, "pledge"])
def test_no_odd_amount_is_taken(stage: Stage, sessions: Login, name: str) -> None:
    world = stage.world
    if name == "pledge":
        others: dict[str, Any] = {"p_wallet_id": world.wallet, "p_project_id": world.open}
    else:
        others = {PAYING[name][0]: getattr(world, PAYING[name][1])}
    assert wrong_outcomes(sessions("operator"), name, "p_amount", AMOUNTS, **others) == {}


@pytest.mark.parametrize("name", BULK)
def test_no_odd_amount_is_taken_among_others(stage: Stage, sessions: Login, name: str) -> None:
    others: dict[str, Any] = {"p_wallet_ids": [stage.world.wallet] * 2}
    if name == "pledge_many":
        others["p_project_id"] = stage.world.open
    tries = {
        code: [["1", each] for each in amounts]
        for code, amounts in (AMOUNTS | {"PW001": [*AMOUNTS["PW001"], None]}).items()
    }
    assert wrong_outcomes(sessions("app"), name, "p_amounts", tries, **others) == {}


@pytest.mark.parametrize("argument", ["p_target_amount", "p_max_pledge"])
def test_no_odd_limit_is_taken(stage: Stage, sessions: Login, argument: str) -> None:
    others: dict[str, Any] = {"p_reference": "odd"}
    name = "create_project"
    if argument == "p_target_amount":
        name, others = "create_pocket", {"p_wallet_id": stage.world.wallet, "p_name": "odd"}
    assert wrong_outcomes(sessions("app"), name, argument, AMOUNTS, **others) == {}


RATES: dict[str, list[Any]] = {
    "PW002": [
        *("-0.0000000001", "-1", "1.0000000001", "2", "NaN", "Infinity", "-Infinity", "1e131071"),
        *("1e-16383", "0." + "1" * 16383, "0.123456789012345678901", "-1e-20"),
    ],
    OUT_OF_RANGE: ["1e131072"],
    NO_NUMBER: ["5 %", "", "0,05"],
}


@pytest.mark.parametrize("argument", ["p_commission_rate", "p_fee_rate"])
def test_no_odd_rate_is_taken(stage: Stage, sessions: Login, argument: str) -> None:
    conn = sessions("app")
    assert wrong_outcomes(conn, "create_project", argument, RATES, p_reference="odd") == {}
    for pair in (("0.5", "0.50000000000000000001"), ("1", "1"), ("1", "1e-20"), ("NaN", "0")):
        rates = dict(zip(("p_commission_rate", "p_fee_rate"), pair, strict=True))
        assert outcome_of(conn, "create_project", p_reference="odd", **rates) == "PW002"


PERCENTAGES: dict[str, list[Any]] = {
    "PW002": [
        *("-0.0001", "-100", "100.00001", "100.0001", "101", "NaN", "Infinity", "-Infinity", None),
        *("33.33333", "1e-5", "1e-16383", "1e131071", "50." + "0" * 16382 + "1"),
    ],
    OUT_OF_RANGE: ["1e131072"],
    NO_NUMBER: ["50 %", ""],
}


def test_no_odd_percentage_is_taken(stage: Stage, sessions: Login) -> None:
    conn, world = sessions("app"), stage.world
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        ("create_pocket", {"p_wallet_id": world.wallet, "p_name": "odd"}),
        ("set_allocation", {"p_pocket_id": world.pocket}),
    )
    for name, others in cases:
        wrong = wrong_outcomes(conn, name, "p_allocation_percentage", PERCENTAGES, **others)
        assert wrong == {}


IDS = [None, 0, -1, 1, 1023, LEAST_ID, LARGEST_ID, 2**62, 4_294_967_297]


@pytest.mark.parametrize(
    ("code", "name", "argument", "others"),
    [
        ("PW101", "deposit", "p_wallet_id", {"p_amount": 1}),
        ("PW101", "withdraw", "p_wallet_id", {"p_amount": 1}),
        ("PW101", "allocate_deposit", "p_wallet_id", {"p_amount": 1}),
        ("PW101", "create_pocket", "p_wallet_id", {"p_name": "odd"}),
        ("PW102", "transfer_to_pocket", "p_pocket_id", {"p_amount": 1}),
        ("PW102", "transfer_from_pocket", "p_pocket_id", {"p_amount": 1}),
        ("PW102", "set_allocation", "p_pocket_id", {"p_allocation_percentage": 1}),
        ("PW103", "payout", "p_project_id", {"p_amount": 1}),
        ("PW103", "close_project", "p_project_id", {"p_outcome": "failed"}),
        ("PW103", "release_escrows", "p_project_id", {}),
        ("PW103", "refund_escrows", "p_project_id", {}),
        ("PW104", "release_escrow", "p_escrow_id", {}),
        ("PW104", "refund_escrow", "p_escrow_id", {}),
        ("PW105", "balance", "p_account_id", {}),
        ("PW105", "statement", "p_account_id", {}),
    ],
)
def test_no_odd_id_is_found(
    stage: Stage, sessions: Login, code: str, name: str, argument: str, others: dict[str, Any]
) -> None:
    tries: dict[str, list[Any]] = {
        code: IDS,
        OUT_OF_RANGE: ["9223372036854775808", "-9223372036854775809", "1" * 200],
        NO_NUMBER: ["0x1g", "1e3", "", "1; drop"],
    }
    assert wrong_outcomes(sessions("operator"), name, argument, tries, **others) == {}


def test_no_id_but_a_free_one_of_slot_0_makes_a_project(stage: Stage, sessions: Login) -> None:
    with stage.superuser() as conn:
        rows = conn.execute(
            "select account_id from pgwallet.account where account_id % 1024 = 0"
        ).fetchall()
    taken = [account_id for (account_id,) in rows]
    assert len(taken) > 500
    tries = {
        "PW002": [*(each for each in IDS if each is not None), *taken],
        OUT_OF_RANGE: ["9223372036854775808"],
    }
    conn = sessions("app")
    wrong = wrong_outcomes(conn, "create_project", "p_project_id", tries, p_reference="odd")
    assert wrong == {}


def test_the_last_project_id_leaves_ids_for_everyone(stage: Stage, sessions: Login) -> None:
    conn = sessions("app")
    with conn.transaction(force_rollback=True):
        for number, last in enumerate((2**62 - 1024, 2**62 - 2048)):
            call(conn, "create_project", p_reference=f"last {number}", p_project_id=last)
        (wallet,) = call(conn, "create_wallet", "after the last")
        assert 2**62 < wallet["wallet_id"] < LARGEST_ID
        assert call(conn, "deposit", wallet["wallet_id"], 1)[0]["balance"] == 1
        assert call(conn, "create_project", "after the last")[0]["project_id"] > 2**62


@pytest.mark.parametrize(
    "name",
    [
        "statement",
        "release_escrows",
        "refund_escrows",
        "refund_expired_escrows",
    ],
)
def test_limits_and_positions_take_any_number_of_their_type(
    stage: Stage, sessions: Login, name: str
) -> None:
    conn, world = sessions("operator"), stage.world
    arguments: dict[str, Any] = {"p_limit": 2**31 - 1}
    position = "p_after_posting_id" if name == "statement" else "p_after_escrow_id"
    if name == "statement":
        arguments["p_account_id"] = world.wallet
    elif name != "refund_expired_escrows":
        arguments["p_project_id"] = world.succeeded if "release" in name else world.failed
    with conn.transaction(force_rollback=True):
        if name != "refund_expired_escrows":
            assert outcome_of(conn, name, **arguments, **{position: LARGEST_ID}) == DONE
            assert outcome_of(conn, name, **arguments, **{position: LEAST_ID}) == DONE
            arguments[position] = 0
        tries: dict[str, list[Any]] = {
            DONE: [2**31 - 1, 1],
            "PW002": [0, -1, -(2**31), None],
            OUT_OF_RANGE: [str(2**31), str(-(2**31) - 1)],
        }
        del arguments["p_limit"]
        assert wrong_outcomes(conn, name, "p_limit", tries, **arguments) == {}
    for since in (LEAST_ID, -1, 0, None, LARGEST_ID):
        assert call(conn, "check_ledger", since) == []


TIMES: dict[str, list[Any]] = {
    "PW002": [
        *("infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "294276-12-31 23:59:59+00"),
        *("10000-01-01 00:00:00+00", "0001-12-31 23:59:59.999999+00 BC"),
    ],
    "22008": ["294277-01-01 00:00:00+00", "2026-02-30", "4715-01-01 00:00:00+00 BC", "25:00"],
    "22007": ["", "yesterday or so", "1"],
}


@pytest.mark.parametrize("name", sorted({*PAYING, "pledge", "balance_at"} - {"preview_allocation"}))
def test_no_odd_time_is_taken(stage: Stage, sessions: Login, name: str) -> None:
    conn, world = sessions("operator"), stage.world
    if name == "balance_at":
        assert wrong_outcomes(conn, name, "p_at", TIMES, p_account_id=world.wallet) == {}
    elif name == "pledge":
        others = {"p_wallet_id": world.wallet, "p_project_id": world.open, "p_amount": 1}
        past = {"PW002": ["1970-01-01 00:00:00+00", "0001-01-01 00:00:00+00", "today"]}
        for tries in (TIMES, past):
            assert wrong_outcomes(conn, name, "p_expires_at", tries, **others) == {}
        assert wrong_outcomes(conn, name, "p_effective_at", TIMES, **others) == {}
    else:
        argument, kind = PAYING[name]
        others = {argument: getattr(world, kind), "p_amount": 1}
        assert wrong_outcomes(conn, name, "p_effective_at", TIMES, **others) == {}


def test_sums_beyond_the_largest_amount_stay_exact(stage: Stage, sessions: Login) -> None:
    """A balance has no limit, only a movement has."""
    conn, world = sessions("operator"), stage.world
    with conn.transaction(force_rollback=True):
        (wallet,) = call(conn, "create_wallet", "whale")
        whale = wallet["wallet_id"]
        for _ in range(3):
            rows = call(conn, "deposit_many", [whale] * 1000, [str(LARGEST)] * 1000)
        assert rows[-1]["balance"] == 3000 * LARGEST
        code = outcome_of(conn, "withdraw", p_wallet_id=whale, p_amount=str(LARGEST + 1))
        assert code == "PW001"

        (pocket,) = call(conn, "create_pocket", whale, "ocean", 100)
        call(conn, "allocate_deposits", [whale] * 2, [str(LARGEST)] * 2)
        assert value(conn, "select pgwallet.balance(%s)", pocket["pocket_id"]) == 2 * LARGEST
        call(conn, "transfer_from_pocket", pocket["pocket_id"], str(LARGEST))

        (project,) = call(conn, "create_project", p_reference="reef", p_max_pledge=str(LARGEST))
        reef = project["project_id"]
        call(conn, "pledge_many", reef, [whale] * 50, [str(LARGEST)] * 50)
        call(conn, "close_project", reef, "succeeded")
        (batch,) = call(conn, "release_escrows", reef)
        assert batch["gross_amount"] == 50 * LARGEST
        parts = [batch[f"{part}_amount"] for part in ("commission", "fee", "net")]
        assert sum(parts) == 50 * LARGEST
        assert call(conn, "payout", reef, str(LARGEST))[0]["balance"] == parts[2] - LARGEST
        assert call(conn, "withdraw", whale, str(LARGEST))[0]["balance"] == 2948 * LARGEST
        assert value(conn, "select pgwallet.balance(%s)", world.wallet) == 100
        assert call(conn, "check_ledger") == []


ARRAYS = {
    "two dimensions": ("{{%s,%s},{%s,%s}}", "{{1,2},{3,4}}"),
    "two dimensions of one": ("{{%s},{%s},{%s},{%s}}", "{{1,2,3,4}}"),
    "other bounds": ("[5:8]={%s,%s,%s,%s}", "[-3:0]={1,2,3,4}"),
    "flat": ("{%s,%s,%s,%s}", "{1,2,3,4}"),
}


@pytest.mark.parametrize("name", BULK)
@pytest.mark.parametrize("shape", ARRAYS)
def test_an_array_of_any_shape_is_its_elements_in_order(
    stage: Stage, sessions: Login, shape: str, name: str
) -> None:
    conn, world = sessions("app"), stage.world
    ids, amounts = ARRAYS[shape]
    with conn.transaction(force_rollback=True):
        call(conn, "set_allocation", world.pocket, 100)
        arguments: dict[str, Any] = {
            "p_wallet_ids": ids % ((world.wallet,) * 4),
            "p_amounts": amounts,
            "p_idempotency_keys": ids % ("a", "b", "c", "d"),
        }
        if name == "pledge_many":
            arguments["p_project_id"] = world.open
        first = call(conn, name, **arguments)
        again = call(conn, name, **arguments)
        column = "balance" if name == "deposit_many" else "amount"
        expected = [101, 103, 106, 110] if name == "deposit_many" else [1, 2, 3, 4]
        assert [row[column] for row in first] == expected
        assert [row["replayed"] for row in first + again] == [False] * 4 + [True] * 4
        moved = Decimal(10 if name == "deposit_many" else -10)
        assert value(conn, "select pgwallet.balance(%s)", world.wallet) == 100 + moved


@pytest.mark.parametrize("name", BULK)
def test_no_odd_array_is_taken(stage: Stage, sessions: Login, name: str) -> None:
    conn, wallet = sessions("app"), stage.world.wallet
    good: dict[str, Any] = {"p_wallet_ids": [wallet] * 2, "p_amounts": ["1", "2"]}
    if name == "pledge_many":
        good["p_project_id"] = stage.world.open
    for code, spoilt in (
        ("PW001", {"p_amounts": ["1", None]}),
        ("PW001", {"p_amounts": "{1,NaN}"}),
        ("PW101", {"p_wallet_ids": [wallet, None]}),
        ("PW101", {"p_wallet_ids": [wallet, LARGEST_ID]}),
        ("PW101", {"p_wallet_ids": [stage.world.pocket, wallet]}),
        ("PW002", {"p_wallet_ids": [wallet] * 3}),
        ("PW002", {"p_wallet_ids": "{}"}),
        ("PW002", {"p_amounts": "{}"}),
        ("PW002", {"p_amounts": None}),
        ("PW002", {"p_wallet_ids": None}),
        ("PW002", {"p_idempotency_keys": "{}"}),
        ("PW002", {"p_idempotency_keys": "{{a,b},{c,d}}"}),
        ("PW002", {"p_idempotency_keys": ["a", " "]}),
        ("PW203", {"p_idempotency_keys": ["a", "a"]}),
        ("22P02", {"p_amounts": "{1,2"}),
        ("22P02", {"p_amounts": "{{1},{2,3}}"}),
        ("2202E", {"p_amounts": "[2:1]={1,2}"}),
        ("54000", {"p_amounts": "{" * 7 + "1" + "}" * 7}),
    ):
        assert outcome_of(conn, name, **{**good, **spoilt}) == code, spoilt


def test_a_hundred_thousand_elements_are_one_call(stage: Stage, sessions: Login) -> None:
    conn, wallet, count = sessions("app"), stage.world.wallet, 100_000
    with conn.transaction(force_rollback=True):
        statement = (
            "select count(*), max(d.balance) from pgwallet.deposit_many("
            "array_fill(%s::bigint, array[%s]), array_fill(0.01, array[%s])) as d"
        )
        row = conn.execute(statement, [wallet, count, count]).fetchone()
        assert row == (count, 100 + count * Decimal("0.01"))
        assert value(conn, "select pgwallet.balance(%s)", wallet) == 1100
