"""The commands that list things and show one: which rows, which columns, and what is not there."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.catalogue.world import World, world_in
from tests.cli.command import json_of, pgwallet_here


@pytest.fixture
def world(database: str) -> World:
    with psycopg.connect(database) as conn:
        return world_in(conn)


def test_lists_have_the_rows_of_their_function(database: str, world: World) -> None:
    with psycopg.connect(database) as conn:
        escrows = pgwallet.list_escrows(conn, world.wallet)
        open_projects = pgwallet.list_projects(conn, "open")
    wallets = json_of("wallet", "list", "ada", database_url=database)
    assert [(each["wallet_id"], each["currency"]) for each in wallets] == [
        (world.wallet, "EUR"),
        (world.yen_wallet, "JPY"),
    ]
    pocket, _ = json_of("pocket", "list", world.wallet, database_url=database)
    assert (pocket["pocket_id"], pocket["balance"], pocket["currency"]) == (
        world.pocket,
        "20.00",
        "EUR",
    )
    listed = json_of("pledge", "list", "--wallet-id", world.wallet, database_url=database)
    assert [each["escrow_id"] for each in listed] == [each.escrow_id for each in escrows]
    assert listed[0]["amount"] == "30.00"
    (settled,) = json_of(
        *("pledge", "list", "--project-id", world.open, "--status", "settled"),
        database_url=database,
    )
    assert settled["escrow_id"] == world.settled_escrow
    assert settled == json_of("pledge", "show", world.settled_escrow, database_url=database)
    projects = json_of("project", "list", "--status", "open", database_url=database)
    assert [each["project_id"] for each in projects] == [each.project_id for each in open_projects]


@pytest.mark.usefixtures("world")
def test_a_page_says_how_to_go_on(database: str) -> None:
    with psycopg.connect(database) as conn:
        (project,) = pgwallet.list_projects(conn, limit=1)
        one, other = (each.escrow_id for each in pgwallet.list_escrows(conn, limit=2))
    first = pgwallet_here("pledge", "list", "--limit", 1, database_url=database)
    assert f"There may be more: --after-escrow-id {one}" in first.stdout
    first = pgwallet_here("project", "list", "--limit", 1, database_url=database)
    assert f"There may be more: --after-project-id {project.project_id}" in first.stdout
    again = json_of("pledge", "list", "--after-escrow-id", one, database_url=database)
    assert again[0]["escrow_id"] == other


def test_a_wallet_is_shown_with_its_pockets(database: str, world: World) -> None:
    shown = json_of("wallet", "show", world.wallet, database_url=database)
    assert (shown["wallet_balance"], shown["pocket_balance"]) == ("100.00", "30.00")
    assert [pocket["name"] for pocket in shown["pockets"]] == ["holiday", "spare"]
    for_people = pgwallet_here("wallet", "show", world.wallet, database_url=database)
    assert "holiday" in for_people.stdout
    assert "100.00 EUR" in for_people.stdout


def test_a_project_and_a_transaction_are_shown_by_id_and_by_name(
    database: str, world: World
) -> None:
    by_id = json_of("project", "show", world.open, database_url=database)
    shown = pgwallet_here("project", "show", world.open, database_url=database).stdout
    assert "│ Locked escrows " in shown
    assert "│ Disputed escrows " in shown
    assert by_id == json_of("project", "show", "--reference", "open", database_url=database)
    assert (by_id["pledged_amount"], by_id["locked_amount"]) == ("100.00", "70.00")
    with psycopg.connect(database) as conn:
        deposit = pgwallet.deposit(conn, world.wallet, Decimal("2.5"), "salary-1")
    found = json_of("transaction", "show", deposit.transaction_id, database_url=database)
    assert found["amount"] == "2.50"
    assert found == json_of(
        "transaction", "show", "--idempotency-key", "salary-1", database_url=database
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("project", "show"), 2),
        (("project", "show", "1", "--reference", "film"), 2),
        (("transaction", "show"), 2),
        (("transaction", "show", "1", "--idempotency-key", "k"), 2),
        (("project", "show", "1"), 1),
        (("project", "show", "--reference", "nobody's"), 1),
        (("transaction", "show", "1"), 1),
        (("transaction", "show", "--idempotency-key", "nobody's"), 1),
        (("pledge", "show", "1"), 1),
        (("pledge", "list", "--status", "lost"), 1),
        (("wallet", "show", "1"), 1),
    ],
)
def test_what_is_not_there_exits_with_1_and_what_names_nothing_with_2(
    shared_database: str, arguments: tuple[str, ...], code: int
) -> None:
    completed = pgwallet_here(*arguments, database_url=shared_database)
    assert (completed.returncode, completed.stdout) == (code, "")
    assert completed.stderr
