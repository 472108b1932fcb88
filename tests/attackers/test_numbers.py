"""Numbers, times and arrays at their limits and beyond: exact, or refused by their code."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.attackers.attempts import DONE, outcome_of
from tests.attackers.business import in_a_day
from tests.attackers.conftest import Login
from tests.attackers.stage import Stage
from tests.catalogue.call_of import KEYS
from tests.catalogue.calls import BULK, CALLS
from tests.catalogue.kinds import (
    ACCOUNT,
    AMOUNT,
    ESCROW,
    EXPIRY,
    FREE_ID,
    LIMIT,
    PERCENTAGE,
    POCKET,
    POSITION,
    PROJECT,
    RATE,
    TIME,
    WALLET,
    Kind,
    always,
)
from tests.catalogue.signatures import Argument
from tests.catalogue.spoiling import good_call, put
from tests.catalogue.world import HOLDS, World
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


def arguments_of(*kinds: Kind) -> list[tuple[str, Argument]]:
    """Each argument of these kinds, with the name of its function."""
    return [
        (name, argument)
        for name in in_a_day("operator")
        for argument in CALLS[name].arguments
        if CALLS[name].kind(argument) in kinds
    ]


def each_argument(*kinds: Kind) -> pytest.MarkDecorator:
    found = arguments_of(*kinds)
    names = [f"{name}-{argument.name}" for name, argument in found]
    return pytest.mark.parametrize(("name", "argument"), found, ids=names)


def wrong_outcomes(
    conn: psycopg.Connection,
    world: World,
    name: str,
    argument: Argument,
    tries: dict[str, list[Any]],
) -> dict[str, str]:
    """How calls ended that did not end as they should, by the argument's value.

    Of an array, by that of its last element.
    """
    wrong = {}
    for code, values in tries.items():
        for each in values:
            arguments = put(argument, *always(each))(world, good_call(CALLS[name], world))
            found = outcome_of(conn, name, **arguments)
            if found != code:
                wrong[str(each)[:40]] = found
    return wrong


@each_argument(AMOUNT)
def test_no_odd_amount_is_taken(
    stage: Stage, sessions: Login, name: str, argument: Argument
) -> None:
    tries = AMOUNTS if argument.takes_null else AMOUNTS | {"PW001": [*AMOUNTS["PW001"], None]}
    assert wrong_outcomes(sessions("operator"), stage.world, name, argument, tries) == {}


RATES: dict[str, list[Any]] = {
    "PW002": [
        *("-0.0000000001", "-1", "1.0000000001", "2", "NaN", "Infinity", "-Infinity", "1e131071"),
        *("1e-16383", "0." + "1" * 16383, "0.123456789012345678901", "-1e-20"),
    ],
    OUT_OF_RANGE: ["1e131072"],
    NO_NUMBER: ["5 %", "", "0,05"],
}


@each_argument(RATE)
def test_no_odd_rate_is_taken(stage: Stage, sessions: Login, name: str, argument: Argument) -> None:
    assert wrong_outcomes(sessions("operator"), stage.world, name, argument, RATES) == {}


def test_no_odd_pair_of_rates_is_taken(stage: Stage, sessions: Login) -> None:
    conn = sessions("app")
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


@each_argument(PERCENTAGE)
def test_no_odd_percentage_is_taken(
    stage: Stage, sessions: Login, name: str, argument: Argument
) -> None:
    assert wrong_outcomes(sessions("operator"), stage.world, name, argument, PERCENTAGES) == {}


IDS = [None, 0, -1, 1, 1023, LEAST_ID, LARGEST_ID, 2**62, 4_294_967_297]


@each_argument(WALLET, POCKET, PROJECT, ESCROW, ACCOUNT)
def test_no_odd_id_is_found(stage: Stage, sessions: Login, name: str, argument: Argument) -> None:
    ids = [each for each in IDS if each is not None or not argument.takes_null]
    tries: dict[str, list[Any]] = {
        CALLS[name].kind(argument).code: ids,
        OUT_OF_RANGE: ["9223372036854775808", "-9223372036854775809", "1" * 200],
        NO_NUMBER: ["0x1g", "1e3", "", "1; drop"],
    }
    assert wrong_outcomes(sessions("operator"), stage.world, name, argument, tries) == {}


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
    ((name, argument),) = arguments_of(FREE_ID)
    assert wrong_outcomes(sessions("operator"), stage.world, name, argument, tries) == {}


def test_the_last_project_id_leaves_ids_for_everyone(stage: Stage, sessions: Login) -> None:
    conn = sessions("operator")
    with conn.transaction(force_rollback=True):
        for number, last in enumerate((2**45 - 1024, 2**45 - 2048)):
            call(conn, "create_project", p_reference=f"last {number}", p_project_id=last)
        (wallet,) = call(conn, "create_wallet", "after the last")
        assert 2**45 < wallet["wallet_id"] < 2**46
        assert call(conn, "deposit", wallet["wallet_id"], 1)[0]["balance"] == 1
        assert call(conn, "create_project", "after the last")[0]["project_id"] > 2**45


@each_argument(LIMIT)
def test_a_limit_is_any_positive_number_of_its_type(
    stage: Stage, sessions: Login, name: str, argument: Argument
) -> None:
    conn = sessions("operator")
    tries: dict[str, list[Any]] = {
        DONE: [2**31 - 1, 1],
        "PW002": [0, -1, -(2**31), None],
        OUT_OF_RANGE: [str(2**31), str(-(2**31) - 1)],
    }
    with conn.transaction(force_rollback=True):
        assert wrong_outcomes(conn, stage.world, name, argument, tries) == {}


@each_argument(POSITION)
def test_a_position_is_any_number_of_its_type(
    stage: Stage, sessions: Login, name: str, argument: Argument
) -> None:
    conn = sessions("operator")
    tries: dict[str, list[Any]] = {
        DONE: [LEAST_ID, -1, 0, None, LARGEST_ID],
        OUT_OF_RANGE: [str(2**63), str(-(2**63) - 1)],
    }
    with conn.transaction(force_rollback=True):
        assert wrong_outcomes(conn, stage.world, name, argument, tries) == {}
    for since in (LEAST_ID, -1, 0, None, LARGEST_ID):
        assert call(conn, "check_ledger", since) == []


TIMES: dict[str, list[Any]] = {
    "PW002": [
        *("infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "294276-12-31 23:59:59+00"),
        *("10000-01-01 00:00:00+00", "0001-12-31 23:59:59.999999+00 BC"),
        # Some time zone shows these in the year 10000, or before the year 1.
        *("9999-12-31 23:59:59+00", "9999-12-30 00:00:00+00"),
        *("0001-01-01 00:00:00+00", "0001-01-02 23:59:59.999999+00"),
    ],
    "22008": ["294277-01-01 00:00:00+00", "2026-02-30", "4715-01-01 00:00:00+00 BC", "25:00"],
    "22007": ["", "yesterday or so", "1"],
}


PAST = ["1970-01-01 00:00:00+00", "0001-01-03 00:00:00+00", "today"]


@each_argument(TIME, EXPIRY)
def test_no_odd_time_is_taken(stage: Stage, sessions: Login, name: str, argument: Argument) -> None:
    past = PAST if CALLS[name].kind(argument) is EXPIRY else []
    tries = TIMES | {"PW002": [*TIMES["PW002"], *past]}
    assert wrong_outcomes(sessions("operator"), stage.world, name, argument, tries) == {}


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
    "two dimensions": ("{{%s,%s},{%s,%s}}", "{{%s,%s},{%s,%s}}"),
    "two dimensions of one": ("{{%s},{%s},{%s},{%s}}", "{{%s,%s,%s,%s}}"),
    "other bounds": ("[5:8]={%s,%s,%s,%s}", "[-3:0]={%s,%s,%s,%s}"),
    "flat": ("{%s,%s,%s,%s}", "{%s,%s,%s,%s}"),
}


@pytest.mark.parametrize("name", BULK)
@pytest.mark.parametrize("shape", ARRAYS)
def test_an_array_of_any_shape_is_its_elements_in_order(
    stage: Stage, sessions: Login, shape: str, name: str
) -> None:
    conn, world, its = sessions("operator"), stage.world, CALLS[name]
    others, amounts = ARRAYS[shape]
    elements = [its.good(world, amount) for amount in (1, 2, 3, 4)]
    arguments = {**elements[0], KEYS: others % ("a", "b", "c", "d")}
    for argument, of_one in elements[0].items():
        if isinstance(of_one, list):
            template = amounts if argument == "p_amounts" else others
            arguments[argument] = template % tuple(each[argument][0] for each in elements)
    with conn.transaction(force_rollback=True):
        first = call(conn, name, **arguments)
        again = call(conn, name, **arguments)
        assert [row["replayed"] for row in first + again] == [False] * 4 + [True] * 4
        if "amount" in first[0]:
            assert [row["amount"] for row in first] == [1, 2, 3, 4]
        else:
            balances = [100 + its.effect("wallet") * so_far for so_far in (1, 3, 6, 10)]
            assert [row["balance"] for row in first] == balances
        for account, held in HOLDS.items():
            held += its.effect(account) * 10
            assert value(conn, "select pgwallet.balance(%s)", getattr(world, account)) == held


@pytest.mark.parametrize("name", BULK)
def test_no_odd_array_is_taken(stage: Stage, sessions: Login, name: str) -> None:
    conn, world, its = sessions("operator"), stage.world, CALLS[name]
    good = {**good_call(its, world), "p_amounts": ["1", "2"]}
    tries: list[tuple[str, str, Any]] = [
        ("PW001", "p_amounts", ["1", None]),
        ("PW001", "p_amounts", "{1,NaN}"),
        ("PW002", KEYS, "{{a,b},{c,d}}"),
        ("PW002", KEYS, ["a", " "]),
        ("PW203", KEYS, ["a", "a"]),
        ("22P02", "p_amounts", "{1,2"),
        ("22P02", "p_amounts", "{{1},{2,3}}"),
        ("2202E", "p_amounts", "[2:1]={1,2}"),
        ("54000", "p_amounts", "{" * 7 + "1" + "}" * 7),
    ]
    for argument in its.arguments:
        if argument.is_array:
            tries.append(("PW002", argument.name, "{}"))
        if argument.is_array and argument.default is None:
            one, kind = good[argument.name][0], its.kind(argument)
            wrong = [[kind.wrong[-1](world), one], [one, None]]
            tries += [("PW002", argument.name, each) for each in ([one] * 3, None)]
            tries += [(kind.code, argument.name, each) for each in wrong]
    for code, argument_name, given in tries:
        assert outcome_of(conn, name, **{**good, argument_name: given}) == code, argument_name


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
