"""pgwallet import: every bad line is reported, and nothing of the file is imported."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.cli.command import pgwallet_here
from tests.cli.test_import import MIXED, Shop, shop

__all__ = ["shop"]  # the fixture

HEADER = "kind,owner_id,currency,amount,reference,idempotency_key\n"


def closed_project(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo) as conn:
        play = pgwallet.create_project(conn, "play").project_id
        pgwallet.close_project(conn, play, "failed")


def test_every_bad_line_is_reported_with_its_reason(shop: Shop) -> None:
    closed_project(shop)
    text = HEADER + (
        "deposit,ada,EUR,100,,\n"
        "deposit,zoe,EUR,1,,\n"
        "pledge,ada,EUR,1,opera,\n"
        "deposit,ada,EUR,1.005,,\n"
        "deposit,kim,JPY,1.5,,\n"
        "deposit,kim,JPY,900,,\n"
        "pledge,kim,JPY,10,film,\n"
        "pledge,ada,EUR,10,play,\n"
        "pledge,ada,EUR,50.01,film,\n"
        "deposit,ada,EUR,ten,,\n"
        "pledge,ada,EUR,50,film,\n"
        "pledge,bob,EUR,0.01,film,\n"
    )
    assert shop.bad_lines(text) == {
        3: "owner 'zoe' has no wallet in EUR",
        4: "project 'opera' does not exist",
        5: "amount 1.005 has too many decimals for EUR",
        6: "amount 1.5 has too many decimals for JPY",
        8: f"wallet {shop.kim} is in JPY, project {shop.film} in EUR",
        9: f"project {closed_id(shop)} is closed: it has failed",
        10: f"a pledge of 50.01 is too large for project {shop.film}, whose limit of one is 50.00",
        11: "amount 'ten' is no number of digits and a point",
        13: "the wallet of 'bob' holds 0.00 EUR by then, less than 0.01",
    }


def closed_id(shop: Shop) -> int:
    with psycopg.connect(shop.conninfo) as conn:
        row = conn.execute(
            "select project_id from pgwallet.project_summary where status <> 'open'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_ids_that_name_something_else_are_unknown(shop: Shop) -> None:
    text = (
        "kind,wallet_id,currency,amount,project_id\n"
        f"deposit,{shop.film},,1,\n"
        f"deposit,{2**63 - 1},,1,\n"
        f"pledge,{shop.ada},,1,{shop.bob}\n"
        f"deposit,{shop.ada},JPY,1,\n"
    )
    assert shop.bad_lines(text) == {
        2: f"wallet {shop.film} does not exist",
        3: f"wallet {2**63 - 1} does not exist",
        4: f"project {shop.bob} does not exist",
        5: f"wallet {shop.ada} is in EUR, not in JPY",
    }


def test_money_is_spent_in_the_order_of_lines(shop: Shop) -> None:
    text = HEADER + (
        "pledge,ada,EUR,1,film,\n"  # the money comes later
        "deposit,ada,EUR,30,,\n"
        "pledge,ada,EUR,20,film,\n"
        "pledge,ada,EUR,10.01,film,\n"  # a cent too much
        "pledge,ada,EUR,10,film,\n"  # what is left, since the line before is none
        "pledge,ada,EUR,0.01,film,\n"
        "deposit,ada,EUR,0.01,,\n"
        "pledge,ada,EUR,0.01,film,\n"
    )
    assert shop.bad_lines(text) == {
        2: "the wallet of 'ada' holds 0.00 EUR by then, less than 1",
        5: "the wallet of 'ada' holds 10.00 EUR by then, less than 10.01",
        7: "the wallet of 'ada' holds 0.00 EUR by then, less than 0.01",
    }


def test_a_key_of_another_call_is_a_bad_line(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo) as conn:
        pgwallet.deposit_many(
            conn, [shop.ada] * 3, [Decimal(60), Decimal(1), Decimal(1)], ["k-1", "k-2", "k-5"]
        )
        pgwallet.pledge_many(conn, shop.film, [shop.ada], [Decimal(5)], ["k-3"])
        pgwallet.create_project(conn, "play")
    text = HEADER + (
        "deposit,ada,EUR,60,,k-1\n"
        "deposit,ada,EUR,61,,k-1\n"
        "deposit,bob,EUR,1,,k-2\n"
        "pledge,ada,EUR,5,play,k-3\n"
        "deposit,bob,EUR,1,,k-4\n"
        "deposit,bob,EUR,1.00,,k-4\n"
        "deposit,bob,EUR,2,,k-4\n"
        "deposit,ada,EUR,1.01,,k-5\n"
    )
    assert shop.bad_lines(text) == {
        3: "it repeats the idempotency key 'k-1' of line 2",
        4: "idempotency key 'k-2' was used for another call",
        5: "idempotency key 'k-3' was used for another call",
        7: "it repeats the idempotency key 'k-4' of line 6",
        8: "it repeats the idempotency key 'k-4' of line 6",
        9: "idempotency key 'k-5' was used for another call",
    }


def test_a_wallet_is_not_opened_in_a_currency_that_nobody_knows(shop: Shop) -> None:
    text = "owner_id,currency,amount\nzoe,XXQ,1\nzoe,USD,1.234\nada,XXQ,1\nzoe,USD,1\n"
    assert shop.bad_lines(text, "--kind", "deposit", "--create-wallets") == {
        2: "currency XXQ is unknown",
        3: "amount 1.234 has too many decimals for USD",
        4: "currency XXQ is unknown",
    }
    assert not shop.has_wallet("zoe", "USD")


def test_a_bad_last_line_imports_nothing(shop: Shop) -> None:
    assert shop.bad_lines(MIXED + "deposit,bob,EUR,5.501,\n").keys() == {7}
    assert shop.balance(shop.ada) == 0


def test_a_dry_run_reports_the_same(shop: Shop) -> None:
    text = MIXED + "deposit,zoe,EUR,5,\n"
    assert shop.bad_lines(text, "--dry-run") == shop.bad_lines(text)


def test_the_report_is_a_table_for_people_and_csv_for_programs(shop: Shop) -> None:
    text = MIXED + "deposit,zoe,EUR,5,\n"
    completed = shop.run(text)
    assert completed.returncode == 1
    assert "│    7 │ owner 'zoe' has no wallet in EUR │" in completed.stdout
    assert "│     1 │ owner ... has no wallet in EUR │" in completed.stdout
    assert completed.stderr == (
        "ERROR: 1 of 6 lines cannot be imported. Nothing was imported.\n"
        "HINT: If these owners are new, --create-wallets opens their wallets.\n"
    )
    completed = shop.run(text, "--csv")
    assert completed.stdout == "line,reason\n7,owner 'zoe' has no wallet in EUR\n"


def test_a_table_of_bad_lines_ends_where_nobody_reads_on(shop: Shop) -> None:
    text = "owner_id,amount\n" + "ada,0\nzoe,1\n'zoë',2\nada,0.001\n" * 309 + "ada,-1\n"
    completed = shop.run(text, "--kind", "deposit")
    counted, _, examples = completed.stdout.partition("┃ Line ┃")
    rows = [
        [cell.strip() for cell in line.split("│")[1:3]]
        for line in counted.splitlines()
        if line[0] == "│"
    ]
    assert rows == [
        ["618", "owner ... has no wallet in EUR"],
        ["310", "amount ... is not above ... and below ..."],
        ["309", "amount ... has too many decimals for EUR"],
    ]
    assert examples.count("│") == 3 * 9
    assert "... and 1,228 more; --csv and --json show them all." in completed.stdout
    assert len(shop.bad_lines(text, "--kind", "deposit")) == 1237


def test_a_reason_keeps_the_numbers_that_are_its_own(shop: Shop) -> None:
    completed = shop.run(
        "kind,owner_id,amount,effective_at\n"
        + "deposit,ada,1,2026-01-31\ndeposit,ada,1,yesterday\n"
    )
    assert (
        "│     2 │ effective_at ... is no time with its time zone such as 2026-01-31T12:00:00Z │"
        in completed.stdout
    )


def test_a_file_that_cannot_be_read_is_an_error_without_a_table(shop: Shop) -> None:
    completed = shop.run("owner_id;amount\nada;1,00\n", "--kind", "deposit")
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr.startswith("ERROR: the columns are separated by semicolons")
    assert completed.stderr.endswith("Nothing was imported.\n")


@pytest.mark.parametrize("path", ["nothing.csv", ""])
def test_a_file_that_is_not_there_is_an_error(shop: Shop, path: str) -> None:
    completed = pgwallet_here("import", shop.folder / path, database_url=shop.conninfo)
    assert completed.returncode == 1
    assert completed.stderr.startswith(f"ERROR: {shop.folder / path}: ")
