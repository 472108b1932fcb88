"""Currencies of one's own by the command: no digit of 33 is rounded, whatever it prints."""

import csv
import json
from io import StringIO
from pathlib import Path

from tests.cli.command import json_of, pgwallet_here
from tests.databases import as_owner

MOST = "999999999999999.999999999999999999"
PART = "0.000000000000000002"
REST = "999999999999999.999999999999999997"


def run(url: str, *arguments: object) -> str:
    completed = pgwallet_here(*arguments, database_url=url)
    assert completed.returncode == 0, completed
    return completed.stdout


def test_amounts_and_their_sums_are_told_to_the_last_decimal(database: str, tmp_path: Path) -> None:
    url = as_owner(database)
    made = json_of("currency", "create", "TOKEN", "18", "Token", database_url=url)
    assert (made["currency"], made["exponent"]) == ("TOKEN", 18)
    assert "│ Currency " in run(url, "currency", "create", "POINTS", "0", "Points")
    assert "TOKEN,18,Token\n" in run(url, "currency", "list", "--csv")
    ada = json_of("wallet", "create", "ada", "--currency", "TOKEN", database_url=url)["wallet_id"]
    file = tmp_path / "tokens.csv"
    file.write_text(
        f"kind,owner_id,currency,amount\ndeposit,ada,TOKEN,{MOST}\ndeposit,ada,TOKEN,{PART}\n"
    )
    imported = json_of("import", file, database_url=url)
    assert [line["amount"] for line in imported] == ["1000000000000000.000000000000000001"]
    # The sum of two pockets has 33 digits.
    for name in ("one", "two"):
        pocket = json_of("pocket", "create", ada, name, database_url=url)["pocket_id"]
        run(url, "pocket", "transfer-to", pocket, "499999999999999.999999999999999999")
    shown = json_of("wallet", "show", ada, database_url=url)
    assert shown["pocket_balance"] == "999999999999999.999999999999999998"
    assert "999,999,999,999,999.999999999999999998 TOKEN" in run(url, "wallet", "show", ada)
    assert json_of("balance", ada, database_url=url)["balance"] == "0.000000000000000003"


def test_batches_are_summed_to_the_last_decimal(database: str) -> None:
    url = as_owner(database)
    run(url, "currency", "create", "TOKEN", "18", "Token")
    ada = json_of("wallet", "create", "ada", "--currency", "TOKEN", database_url=url)["wallet_id"]
    run(url, "deposit", ada, MOST)
    project = json_of(
        *("project", "create", "bridge", "--currency", "TOKEN", "--max-pledge", MOST),
        *("--commission-rate", "0", "--fee-rate", "0"),
        database_url=url,
    )["project_id"]
    for amount in (PART, REST):
        run(url, "pledge", ada, project, amount)
    told = run(url, "project", "release", project, "--batch-size", 1, "--yes", "--json")
    assert json.loads(told)["gross_amount"] == MOST
    rows = csv.DictReader(StringIO(run(url, "pledge", "list", "--wallet-id", ada, "--csv")))
    assert [row["released_amount"] for row in rows] == [PART, REST]
