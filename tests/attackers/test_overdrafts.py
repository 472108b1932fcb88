"""No call takes more out of a wallet, a pocket, a project or an escrow than is in it."""

from decimal import Decimal

import psycopg
import pytest

from tests.attackers.attempts import DONE, outcome_of
from tests.attackers.conftest import Login
from tests.attackers.stage import Stage
from tests.catalogue.call_of import Arguments
from tests.catalogue.calls import BULK, CALLS, MOVING
from tests.catalogue.world import HOLDS, World
from tests.ledger.calling import call, value

pytestmark = pytest.mark.sql

HUGE = Decimal("499999999999999.99")  # may be a half of what is allocated
CENT = Decimal("0.01")
# What takes money out of an account, and which one.
TAKING = [
    (name, account) for name in MOVING for account, part in CALLS[name].moves.items() if part == -1
]
BULK_FROM_WALLETS = [name for name in BULK if (name, "wallet") in TAKING]

each_way_out = pytest.mark.parametrize(("name", "account"), TAKING)


def balance(conn: psycopg.Connection, account_id: int) -> Decimal:
    return Decimal(value(conn, "select pgwallet.balance(%s)", account_id))


def of_many(name: str, world: World, wallets: list[int], amounts: list[str]) -> Arguments:
    """A bulk call that is to take these amounts out of the wallets."""
    elements = [CALLS[name].good(world, Decimal(amount))["p_amounts"] for amount in amounts]
    return {
        **CALLS[name].good(world, 1),
        "p_wallet_ids": wallets,
        "p_amounts": [amount for (amount,) in elements],
    }


@pytest.mark.parametrize("more", [CENT, Decimal(140), HUGE])
@each_way_out
def test_no_account_goes_below_zero(
    stage: Stage, sessions: Login, name: str, account: str, more: Decimal
) -> None:
    conn, world = sessions("operator"), stage.world
    amount = more if more == HUGE else HOLDS[account] + more
    with conn.transaction(force_rollback=True):
        arguments = CALLS[name].good(world, amount)
        if "p_project_id" in arguments and account != "open":
            (unlimited,) = call(
                conn, "create_project", p_reference="unlimited", p_max_pledge=2 * HUGE
            )
            arguments["p_project_id"] = unlimited["project_id"]
        assert outcome_of(conn, name, **arguments) == "PW201"
        assert balance(conn, getattr(world, account)) == HOLDS[account]


@each_way_out
def test_an_account_is_emptied_once(stage: Stage, sessions: Login, name: str, account: str) -> None:
    conn, world = sessions("operator"), stage.world
    with conn.transaction(force_rollback=True):
        arguments = CALLS[name].keyed(CALLS[name].good(world, HOLDS[account]), "k")
        assert outcome_of(conn, name, **arguments) == DONE
        assert balance(conn, getattr(world, account)) == 0
        # The key again moves nothing; without it there is nothing left to take.
        assert outcome_of(conn, name, **arguments) == DONE
        for other, its_account in TAKING:
            if its_account == account:
                for amount in (CENT, HOLDS[account]):
                    assert outcome_of(conn, other, **CALLS[other].good(world, amount)) == "PW201"
        assert balance(conn, getattr(world, account)) == 0


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
@pytest.mark.parametrize("name", BULK_FROM_WALLETS)
def test_a_wallet_named_many_times_in_one_call_has_its_money_once(
    stage: Stage, sessions: Login, name: str, amounts: list[str]
) -> None:
    conn, wallet = sessions("operator"), stage.world.wallet
    arguments = of_many(name, stage.world, [wallet] * len(amounts), amounts)
    assert outcome_of(conn, name, **arguments) == "PW201"
    assert balance(conn, wallet) == 100


@pytest.mark.parametrize("name", BULK_FROM_WALLETS)
def test_the_money_of_another_wallet_in_the_call_does_not_help(
    stage: Stage, sessions: Login, name: str
) -> None:
    conn, wallet = sessions("operator"), stage.world.wallet
    with conn.transaction(force_rollback=True):
        rich = call(conn, "create_wallet", "rich")[0]["wallet_id"]
        call(conn, "deposit", rich, 10_000)
        call(conn, "create_pocket", rich, "half", 50)
        arguments = of_many(name, stage.world, [rich, wallet], ["1", "100.01"])
        assert outcome_of(conn, name, **arguments) == "PW201"
        assert balance(conn, rich) == 10_000
        assert balance(conn, wallet) == 100


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
