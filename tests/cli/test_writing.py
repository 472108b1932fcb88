"""Commands that change something: each option arrives, and what was done is shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.cli.command import json_of, pgwallet_here, shown

Json = Callable[..., Any]


@pytest.fixture
def run(database: str) -> Json:
    """Runs a command to its end and reads what it prints as JSON."""
    return lambda *arguments: json_of(*arguments, database_url=database)


@pytest.fixture
def wallet(run: Json) -> int:
    """A wallet with 100.00 EUR."""
    wallet_id = run("wallet", "create", "ada")["wallet_id"]
    run("deposit", wallet_id, "100")
    assert isinstance(wallet_id, int)
    return wallet_id


@pytest.fixture
def project(run: Json) -> int:
    project_id = run("project", "create", "film")["project_id"]
    assert isinstance(project_id, int)
    return project_id


def test_a_deposit_shows_the_balance_and_its_transaction(database: str, wallet: int) -> None:
    completed = pgwallet_here("deposit", wallet, "1234.5", database_url=database)
    assert (completed.returncode, completed.stderr) == (0, "")
    assert shown(completed.stdout, "Balance") == "1,334.50 EUR"
    assert shown(completed.stdout, "Transaction").isdigit()
    assert shown(completed.stdout, "Replayed") == "no"


def test_the_same_key_again_is_shown_as_replayed(database: str, run: Json, wallet: int) -> None:
    first = run("deposit", wallet, "5", "--idempotency-key", "order-1")
    assert run("deposit", wallet, "5", "--idempotency-key", "order-1") == {
        **first,
        "replayed": True,
    }
    again = pgwallet_here(
        "deposit", wallet, "5.00", "--idempotency-key", "order-1", database_url=database
    )
    assert shown(again.stdout, "Replayed") == "yes"
    other = pgwallet_here(
        "deposit", wallet, "6", "--idempotency-key", "order-1", database_url=database
    )
    assert (other.returncode, other.stdout) == (1, "")
    assert "order-1" in other.stderr


@pytest.mark.parametrize("command", ["deposit", "withdraw", "allocate-deposit"])
def test_metadata_and_time_are_kept_with_the_transaction(
    run: Json, wallet: int, command: str
) -> None:
    pocket = run("pocket", "create", wallet, "rent", "--allocation-percentage", "50")["pocket_id"]
    metadata = '{"order": 17, "to": ["Zoë", null]}'
    time = "2026-01-31T12:00:00+01:00"
    run(command, wallet, "10", "--metadata", metadata, "--effective-at", time)
    last = run("statement", wallet if command != "allocate-deposit" else pocket)[-1]
    assert last["metadata"] == {"order": 17, "to": ["Zoë", None]}
    assert last["effective_at"] == "2026-01-31T11:00:00+00:00"


def test_amounts_reach_the_ledger_to_the_last_digit(run: Json, wallet: int) -> None:
    balance = run("deposit", wallet, "999999999999999.99")["balance"]
    assert Decimal(balance) == Decimal("1000000000000099.99")


def test_a_pocket_has_all_that_was_said_of_it(run: Json, wallet: int) -> None:
    pocket = run(
        *("pocket", "create", wallet, "rent", "--allocation-percentage", "33.3333"),
        *("--pocket-type", "fixed", "--target-amount", "750"),
    )
    assert pocket == {
        "pocket_id": pocket["pocket_id"],
        "wallet_id": wallet,
        "name": "rent",
        "allocation_percentage": "33.3333",
        "balance": "0.00",
        "pocket_type": "fixed",
        "target_amount": "750.00",
        "lacking_amount": "750.00",
        "stop_at_target": False,
        "takes_rest": False,
        "currency": "EUR",
    }
    changed = run("pocket", "set-allocation", pocket["pocket_id"], "12.5")
    assert Decimal(changed["allocation_percentage"]) == Decimal("12.5")


def test_transfers_move_money_in_both_directions(run: Json, wallet: int) -> None:
    pocket = run("pocket", "create", wallet, "rent")["pocket_id"]
    there = run("pocket", "transfer-to", pocket, "30")
    assert (there["balance"], there["wallet_balance"]) == ("30.00", "70.00")
    back = run("pocket", "transfer-from", pocket, "10")
    assert (back["balance"], back["wallet_balance"]) == ("20.00", "80.00")


def test_a_dry_run_shows_the_split_and_moves_nothing(database: str, run: Json, wallet: int) -> None:
    for name in ("rent", "fun", "rest"):
        run("pocket", "create", wallet, name, "--allocation-percentage", "33.3333")
    dry = run("allocate-deposit", wallet, "100", "--dry-run")
    assert [share["amount"] for share in dry["shares"]] == ["33.33", "33.33", "33.33"]
    assert (dry["remaining"], dry["transaction_id"]) == ("0.01", None)
    assert run("balance", wallet)["balance"] == "100.00"
    completed = pgwallet_here("allocate-deposit", wallet, "100", "--dry-run", database_url=database)
    assert "nothing was moved" in completed.stdout

    done = run("allocate-deposit", wallet, "100")
    assert (run("balance", wallet)["balance"], done["remaining"]) == ("0.01", "0.01")


@pytest.fixture
def yen_wallet(run: Json) -> int:
    """A wallet with 1000 JPY, half of what it allocates for a pocket."""
    wallet_id = run("wallet", "create", "kim", "--currency", "JPY")["wallet_id"]
    run("deposit", wallet_id, "1000")
    run("pocket", "create", wallet_id, "tea", "--allocation-percentage", "50")
    assert isinstance(wallet_id, int)
    return wallet_id


def test_many_wallets_are_split_by_one_call_each_in_its_currency(
    database: str, run: Json, wallet: int, yen_wallet: int
) -> None:
    for name in ("rent", "fun"):
        run("pocket", "create", wallet, name, "--allocation-percentage", "50")
    call = ("allocate-deposits", f"{wallet}=0.05", f"{yen_wallet}=300")
    keyed = (*call, "--idempotency-key", "may-ada", "--idempotency-key", "may-kim")
    done = run(*keyed, "--rounding", "largest_remainder")
    assert [(share["name"], share["amount"], share["currency"]) for share in done] == [
        ("rent", "0.03", "EUR"),
        ("fun", "0.02", "EUR"),
        ("tea", "150", "JPY"),
    ]
    assert len({share["transaction_id"] for share in done}) == 2

    again = run(*keyed, "--rounding", "largest_remainder")
    assert [share["replayed"] for share in again] == [True] * 3
    assert run("balance", wallet)["balance"] == "99.95"
    # Without it, the rounding is that of every other call.
    completed = pgwallet_here(*keyed, database_url=database)
    assert (completed.returncode, completed.stdout) == (1, "")
    assert "idempotency key" in completed.stderr
    table = pgwallet_here(*call, database_url=database).stdout.splitlines()
    assert max(map(len, table)) <= 80
    cells = [[cell.strip() for cell in line.split("│")] for line in table if line[0] == "│"]
    assert [(row[2], row[4], row[6]) for row in cells] == [
        ("rent", "0.03", "EUR"),
        ("fun", "0.02", "EUR"),
        ("tea", "150", "JPY"),
    ]


def test_of_many_wallets_all_are_split_or_none(
    database: str, run: Json, wallet: int, yen_wallet: int
) -> None:
    run("pocket", "create", wallet, "rent", "--allocation-percentage", "50")
    for second, more in ((f"{yen_wallet}=2002", ()), (f"{yen_wallet}=2", ("one key",))):
        keys = [text for key in more for text in ("--idempotency-key", key)]
        completed = pgwallet_here(
            "allocate-deposits", f"{wallet}=10", second, *keys, database_url=database
        )
        assert (completed.returncode, completed.stdout) == (1, "")
    assert run("balance", wallet)["balance"] == "100.00"


@pytest.mark.parametrize("pair", ["", "1", "=", "1=", "=1", "a=1", "1=1,5", "1=1e3", "1=NaN"])
def test_what_is_no_wallet_with_an_amount_is_wrong_usage(database: str, pair: str) -> None:
    completed = pgwallet_here("allocate-deposits", "1=1", pair, database_url=database)
    assert completed.returncode == 2
    assert "such as" in completed.stderr


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_a_wallet_without_pockets_is_told_that_nothing_was_allocated(
    database: str, wallet: int, dry_run: tuple[str, ...]
) -> None:
    completed = pgwallet_here("allocate-deposit", wallet, "99999", *dry_run, database_url=database)
    assert completed.returncode == 0
    assert "No pocket got anything" in completed.stdout
    assert "in the wallet" not in completed.stdout


def test_the_rounding_is_the_one_asked_for(run: Json, wallet: int) -> None:
    for name in ("a", "b", "c", "d"):
        run("pocket", "create", wallet, name, "--allocation-percentage", "25")
    split = ("allocate-deposit", wallet, "0.10", "--dry-run", "--rounding")
    amounts = {
        rounding: [share["amount"] for share in run(*split, rounding)["shares"]]
        for rounding in ("half_up", "largest_remainder")
    }
    assert amounts == {
        "half_up": ["0.03", "0.03", "0.03", "0.01"],
        "largest_remainder": ["0.03", "0.03", "0.02", "0.02"],
    }


def test_a_project_has_the_terms_that_were_asked_for(run: Json) -> None:
    project = run(
        *("project", "create", "film", "--currency", "JPY", "--commission-rate", "0.1"),
        *("--fee-rate", "0.025", "--max-pledge", "5000", "--project-id", 1024 * 10**6),
    )
    assert project["project_id"] == 1024 * 10**6
    assert project["currency"] == "JPY"
    assert Decimal(project["commission_rate"]) == Decimal("0.1")
    assert Decimal(project["fee_rate"]) == Decimal("0.025")
    assert project["max_pledge"] == "5000"


def test_a_rate_is_shown_in_percent(database: str) -> None:
    completed = pgwallet_here("project", "create", "film", database_url=database)
    assert shown(completed.stdout, "Fee rate") == "2.9 %"
    assert shown(completed.stdout, "Max pledge") == "100,000.00 EUR"


def test_a_pledge_is_released_in_parts_and_paid_out(run: Json, wallet: int, project: int) -> None:
    escrow = run("pledge", wallet, project, "20")["escrow_id"]
    part = run("escrow", "release", escrow, "--amount", "5")
    assert (part["released_amount"], part["status"]) == ("5.00", "locked")
    refund = run("escrow", "refund", escrow, "--amount", "1")
    assert (refund["refunded_amount"], refund["balance"]) == ("1.00", "81.00")
    rest = run("escrow", "release", escrow)
    assert (rest["released_amount"], rest["status"]) == ("14.00", "settled")
    net = run("balance", project)["balance"]
    assert run("project", "payout", project, net)["balance"] == "0.00"


def test_a_pledge_past_its_expiry_is_given_back(
    database: str, run: Json, wallet: int, project: int
) -> None:
    expires_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    run("pledge", wallet, project, "20", "--expires-at", expires_at)
    assert run("escrow", "refund-expired")["escrow_count"] == 0
    # In no currency there is no amount to show.
    assert "Refunded" not in pgwallet_here("escrow", "refund-expired", database_url=database).stdout
    with psycopg.connect(database) as conn:
        conn.execute("update pgwallet.escrow set expires_at = expires_at - interval '2 days'")
    batch = run("escrow", "refund-expired", "--limit", 10)
    assert (batch["escrow_count"], batch["refunded_amount"]) == (1, "20.00")
    assert batch["currency"] == "EUR"


@pytest.mark.parametrize(("outcome", "way"), [("succeeded", "release"), ("failed", "refund")])
def test_a_closed_project_is_settled_batch_by_batch(
    run: Json, wallet: int, project: int, outcome: str, way: str
) -> None:
    for _ in range(3):
        run("pledge", wallet, project, "20")
    assert run("project", "close", project, outcome, "--yes")["status"] == outcome
    first = run("project", f"{way}-escrows", project, "--limit", 2)
    rest = run("project", f"{way}-escrows", project, "--after-escrow-id", first["last_escrow_id"])
    none = run("project", f"{way}-escrows", project)
    assert [batch["escrow_count"] for batch in (first, rest, none)] == [2, 1, 0]


def test_a_refusal_changes_nothing(database: str, run: Json, wallet: int) -> None:
    completed = pgwallet_here("withdraw", wallet, "100.01", database_url=database)
    assert (completed.returncode, completed.stdout) == (1, "")
    assert "DETAIL: Its balance is 100.00, the amount 100.01." in completed.stderr
    assert run("balance", wallet)["balance"] == "100.00"


def test_names_reach_the_ledger_as_they_are(database: str, run: Json) -> None:
    owner = 'Mr. "O\'Neil" 100% \\ Ünï [bold]'
    assert run("wallet", "create", owner)["owner_id"] == owner
    with psycopg.connect(database) as conn:
        assert pgwallet.create_wallet(conn, owner).owner_id == owner
    assert owner in pgwallet_here("wallet", "create", owner, database_url=database).stdout
