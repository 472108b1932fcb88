"""No call takes more out of a wallet, a pocket, a project or an escrow than is in it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.attackers.attempts import DONE, outcome_of
from tests.attackers.conftest import Login
from tests.attackers.stage import Stage
from tests.catalogue.world import World
from tests.ledger.calling import call, value

pytestmark = pytest.mark.sql

Arguments = dict[str, Any]

HUGE = "999999999999999.99"
OUT_OF_A_WALLET: dict[str, Callable[[World], Arguments]] = {
    "withdraw": lambda w: {"p_wallet_id": w.wallet},
    "allocate_deposit": lambda w: {"p_wallet_id": w.wallet},
    "transfer_to_pocket": lambda w: {"p_pocket_id": w.pocket},
    "pledge": lambda w: {"p_wallet_id": w.wallet, "p_project_id": w.open},
}
BULK: dict[str, Callable[[World], Arguments]] = {
    "allocate_deposits": lambda w: {},
    "pledge_many": lambda w: {"p_project_id": w.open},
}


def balance(conn: psycopg.Connection, account_id: int) -> Decimal:
    return Decimal(value(conn, "select pgwallet.balance(%s)", account_id))


@pytest.mark.parametrize("amount", ["100.01", "240", HUGE])
@pytest.mark.parametrize("name", OUT_OF_A_WALLET)
def test_a_wallet_never_goes_below_zero(
    stage: Stage, sessions: Login, name: str, amount: str
) -> None:
    conn = sessions("app")
    with conn.transaction(force_rollback=True):
        call(conn, "set_allocation", stage.world.pocket, 100)
        arguments = OUT_OF_A_WALLET[name](stage.world) | {"p_amount": amount}
        if name == "pledge":
            (unlimited,) = call(conn, "create_project", p_reference="unlimited", p_max_pledge=HUGE)
            arguments["p_project_id"] = unlimited["project_id"]
        assert outcome_of(conn, name, **arguments) == "PW201"
        assert balance(conn, stage.world.wallet) == 100


@pytest.mark.parametrize("name", OUT_OF_A_WALLET)
def test_a_wallet_is_emptied_once(stage: Stage, sessions: Login, name: str) -> None:
    conn = sessions("app")
    with conn.transaction(force_rollback=True):
        call(conn, "set_allocation", stage.world.pocket, 100)
        arguments = OUT_OF_A_WALLET[name](stage.world)
        assert outcome_of(conn, name, **arguments, p_amount=100, p_idempotency_key="k") == DONE
        assert balance(conn, stage.world.wallet) == 0
        # The key again moves nothing; without it there is nothing left to take.
        assert outcome_of(conn, name, **arguments, p_amount=100, p_idempotency_key="k") == DONE
        for other, of in OUT_OF_A_WALLET.items():
            assert outcome_of(conn, other, **of(stage.world), p_amount="0.01") == "PW201"
        assert balance(conn, stage.world.wallet) == 0


@pytest.mark.parametrize(
    "amounts",
    [
        ["100.01"],
        ["50", "50.01"],
        ["100", "0.01"],
        ["0.01", "100"],
        ["99.99", "0.01", "0.01"],
        ["1"] * 101,
        ["450", "450"],
    ],
)
@pytest.mark.parametrize("name", BULK)
def test_a_wallet_named_many_times_in_one_call_has_its_money_once(
    stage: Stage, sessions: Login, name: str, amounts: list[str]
) -> None:
    conn = sessions("app")
    with conn.transaction(force_rollback=True):
        call(conn, "set_allocation", stage.world.pocket, 100)
        arguments = BULK[name](stage.world) | {
            "p_wallet_ids": [stage.world.wallet] * len(amounts),
            "p_amounts": amounts,
        }
        assert outcome_of(conn, name, **arguments) == "PW201"
        assert balance(conn, stage.world.wallet) == 100


def test_the_money_of_another_wallet_in_the_call_does_not_help(
    stage: Stage, sessions: Login
) -> None:
    conn = sessions("app")
    with conn.transaction(force_rollback=True):
        rich = call(conn, "create_wallet", "rich")[0]["wallet_id"]
        call(conn, "deposit", rich, 10_000)
        arguments = {"p_wallet_ids": [rich, stage.world.wallet], "p_amounts": ["1", "100.01"]}
        for name, of in BULK.items():
            call(conn, "set_allocation", stage.world.pocket, 100)
            assert outcome_of(conn, name, **of(stage.world), **arguments) == "PW201"
        assert balance(conn, rich) == 10_000
        assert balance(conn, stage.world.wallet) == 100


def test_a_pocket_gives_what_is_in_it_once(stage: Stage, sessions: Login) -> None:
    conn, pocket = sessions("app"), stage.world.pocket
    assert outcome_of(conn, "transfer_from_pocket", p_pocket_id=pocket, p_amount="20.01") == (
        "PW201"
    )
    with conn.transaction(force_rollback=True):
        call(conn, "transfer_from_pocket", pocket, 20)
        for amount in ("0.01", "20", HUGE):
            code = outcome_of(conn, "transfer_from_pocket", p_pocket_id=pocket, p_amount=amount)
            assert code == "PW201"
        assert balance(conn, pocket) == 0


def test_a_project_pays_out_what_was_released_once(stage: Stage, sessions: Login) -> None:
    conn, project = sessions("operator"), stage.world.open
    proceeds = balance(conn, project)
    assert proceeds > 0
    arguments = {"p_project_id": project}
    above = proceeds + Decimal("0.01")
    assert outcome_of(conn, "payout", **arguments, p_amount=above) == "PW201"
    with conn.transaction(force_rollback=True):
        call(conn, "payout", project, proceeds)
        for amount in ("0.01", str(proceeds), HUGE):
            assert outcome_of(conn, "payout", **arguments, p_amount=amount) == "PW201"
        assert balance(conn, project) == 0


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
@pytest.mark.parametrize("percentages", [["50", "50"], ["25"] * 4, ["33.3333"] * 3, ["0.5"] * 100])
@pytest.mark.parametrize("cents", [1, 3, 10, 101])
def test_rounding_makes_no_money(
    stage: Stage, sessions: Login, cents: int, percentages: list[str], rounding: str
) -> None:
    conn = sessions("app")
    amount = Decimal(cents) / 100
    with conn.transaction(force_rollback=True):
        wallet = call(conn, "create_wallet", "rounder")[0]["wallet_id"]
        pockets = [
            call(conn, "create_pocket", wallet, f"pocket {n}", percentage)[0]["pocket_id"]
            for n, percentage in enumerate(percentages)
        ]
        call(conn, "deposit", wallet, amount)
        call(conn, "allocate_deposit", wallet, amount, rounding)
        kept = balance(conn, wallet)
        assert kept >= 0
        assert kept + sum(balance(conn, pocket) for pocket in pockets) == amount


def test_percentages_that_would_give_more_than_all_are_refused(
    stage: Stage, sessions: Login
) -> None:
    conn, world = sessions("app"), stage.world
    pocket = {"p_wallet_id": world.wallet, "p_name": "more"}
    code = outcome_of(conn, "create_pocket", **pocket, p_allocation_percentage="50.0001")
    assert code == "PW302"
    with conn.transaction(force_rollback=True):
        other = call(conn, "create_pocket", world.wallet, "half", 50)[0]["pocket_id"]
        for each in (world.pocket, other):
            code = outcome_of(
                conn, "set_allocation", p_pocket_id=each, p_allocation_percentage="50.0001"
            )
            assert code == "PW302"
