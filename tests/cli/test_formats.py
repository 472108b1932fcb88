"""Tables for people, JSON and CSV for programs: the same figures in each."""

import csv
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import psycopg
import pytest

import pgwallet
from tests.cli.command import json_of, pgwallet_command, pgwallet_here

KEY = "key, with \"quotes\",\nlines and 'more'"


@pytest.fixture
def wallet_id(database: str) -> int:
    """A wallet with a deposit, a withdrawal and an allocation over two pockets."""
    with psycopg.connect(database) as conn:
        wallet_id = pgwallet.create_wallet(conn, "ann").wallet_id
        for name in ("rent", "fun, really"):
            pgwallet.create_pocket(conn, wallet_id, name, 25)
        pgwallet.deposit(conn, wallet_id, Decimal("123456789012345.67"), metadata={"k": KEY})
        pgwallet.withdraw(conn, wallet_id, Decimal("0.67"))
        pgwallet.allocate_deposit(conn, wallet_id, Decimal("1000"))
    return wallet_id


def csv_of(*arguments: object, database_url: str) -> list[dict[str, str]]:
    completed = pgwallet_here(*arguments, "--csv", database_url=database_url)
    assert (completed.returncode, completed.stderr) == (0, "")
    return [*csv.DictReader(StringIO(completed.stdout))]


def test_json_has_the_columns_of_the_function_and_the_currency(
    database: str, wallet_id: int
) -> None:
    rows = json_of("statement", wallet_id, database_url=database)
    with psycopg.connect(database) as conn:
        read = pgwallet.statement(conn, wallet_id)
    assert len(rows) == len(read) == 4
    for row, expected in zip(rows, read, strict=True):
        assert [*row] == [*expected.__dataclass_fields__, "currency"]
        assert row["posting_id"] == expected.posting_id
        assert row["amount"] == str(expected.amount)
        assert row["metadata"] == expected.metadata
        assert row["created_at"].endswith("+00:00")
        assert datetime.fromisoformat(row["created_at"]) == expected.created_at
        assert row["currency"] == "EUR"


def test_csv_and_json_agree(database: str, wallet_id: int) -> None:
    as_json = json_of("statement", wallet_id, database_url=database)
    as_csv = csv_of("statement", wallet_id, database_url=database)
    assert [*as_csv[0]] == [*as_json[0]]
    assert json.loads(as_csv[0].pop("metadata")) == as_json[0].pop("metadata") == {"k": KEY}
    for line, row in zip(as_csv, as_json, strict=True):
        row.pop("metadata", None)
        line.pop("metadata", None)
        assert line == {name: "" if value is None else str(value) for name, value in row.items()}


def test_the_table_shows_the_same_amounts(database: str, wallet_id: int) -> None:
    completed = pgwallet_here("statement", wallet_id, database_url=database)
    rows = json_of("statement", wallet_id, database_url=database)
    lines = [line for line in completed.stdout.splitlines() if line.startswith("│")]
    for line, row in zip(lines, rows, strict=True):
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        assert cells[0] == str(row["posting_id"])
        assert cells[1] == f"{datetime.fromisoformat(row['created_at']):%Y-%m-%d %H:%M}"
        assert [cell.replace(",", "") for cell in cells[4:]] == [row["amount"], row["balance"]]


def test_money_is_aligned_at_the_right(database: str, wallet_id: int) -> None:
    completed = pgwallet_here("statement", wallet_id, database_url=database)
    rows = [line for line in completed.stdout.splitlines() if line.startswith("│")]
    points = [tuple(found.start() for found in re.finditer(r"\.\d\d │", row)) for row in rows]
    assert len(points) == 4
    assert {len(found) for found in points} == {2}
    assert len(set(points)) == 1


def test_times_are_in_utc_wherever_the_server_is(database: str, wallet_id: int) -> None:
    with psycopg.connect(database) as conn:
        conn.execute(f"alter database {conn.info.dbname} set timezone = 'Asia/Kathmandu'")
    (row, *_) = json_of("statement", wallet_id, database_url=database)
    time = datetime.fromisoformat(row["created_at"])
    assert time.utcoffset() == datetime.now(UTC).utcoffset()
    shown = pgwallet_here("statement", wallet_id, database_url=database).stdout
    assert f"{time:%Y-%m-%d %H:%M}" in shown


def test_an_allocation_nests_its_shares_and_csv_repeats_what_is_around_them(
    database: str, wallet_id: int
) -> None:
    arguments = ("allocate-deposit", wallet_id, "10.00", "--idempotency-key", "split")
    split = json_of(*arguments, database_url=database)
    assert [share["name"] for share in split["shares"]] == ["rent", "fun, really"]
    assert (split["allocated"], split["remaining"], split["replayed"]) == ("5.00", "5.00", False)

    lines = csv_of(*arguments, database_url=database)
    assert [line["name"] for line in lines] == ["rent", "fun, really"]
    for line in lines:
        assert line["transaction_id"] == str(split["transaction_id"])
        assert (line["amount"], line["remaining"], line["replayed"]) == ("2.50", "5.00", "true")

    shown = pgwallet_here(*arguments, database_url=database).stdout
    for text in ("Amount EUR", "fun, really", "Not allocated", "5.00 EUR"):
        assert text in shown


def test_without_rows_json_is_an_empty_array_and_csv_a_header(database: str) -> None:
    assert json_of("check", database_url=database) == []
    completed = pgwallet_here("check", "--csv", database_url=database)
    assert completed.stdout == "invariant,subject,detail\n"


def test_what_check_finds_can_be_read_by_programs(database: str, wallet_id: int) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("update pgwallet.account set balance = 1 where account_id = %s", [wallet_id])
    completed = pgwallet_here("check", "--json", database_url=database)
    assert completed.returncode == 1
    assert f"wallet {wallet_id}" in {found["subject"] for found in json.loads(completed.stdout)}


def test_a_settled_project_is_one_object(database: str) -> None:
    with psycopg.connect(database) as conn:
        film = pgwallet.create_project(conn, "film").project_id
        ann = pgwallet.create_wallet(conn, "ann").wallet_id
        pgwallet.deposit(conn, ann, 10)
        pgwallet.pledge(conn, ann, film, 10)
    completed = pgwallet_here("project", "release", film, "--yes", "--json", database_url=database)
    assert json.loads(completed.stdout) == {
        "project_id": film,
        "escrow_count": 1,
        "gross_amount": "10.00",
        "commission_amount": "0.50",
        "fee_amount": "0.29",
        "net_amount": "9.21",
        "currency": "EUR",
    }


def test_a_pipe_folds_nothing_however_long(database: str) -> None:
    owner = "o" * 200
    completed = pgwallet_command("wallet", "create", owner, database_url=database)
    assert owner in completed.stdout


def test_a_narrow_terminal_folds_and_loses_nothing(database: str) -> None:
    owner = "o" * 200
    completed = pgwallet_command("wallet", "create", owner, database_url=database, COLUMNS="80")
    assert max(map(len, completed.stdout.splitlines())) <= 80
    assert completed.stdout.count("o") == 200


def test_json_is_json_in_any_encoding(database: str) -> None:
    for encoding in ("ascii", "latin-1", "utf-8"):
        completed = pgwallet_command(
            *("wallet", "create", "Zoë 日本", "--json"),
            database_url=database,
            PYTHONIOENCODING=encoding,
        )
        assert json.loads(completed.stdout)["owner_id"] == "Zoë 日本"


def test_a_name_cannot_command_the_terminal(database: str) -> None:
    with psycopg.connect(database) as conn:
        pgwallet.create_wallet(conn, "\x1b[2Jann\x9b1m")
    shown = pgwallet_here("wallet", "create", "\x1b[2Jann\x9b1m", database_url=database).stdout
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert r"\x1b[2Jann\x9b1m" in shown
