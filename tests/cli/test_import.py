"""pgwallet import: what it imports, and once only however often it is run."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgwallet
from pgwallet.cli.importing import posts
from tests import starting
from tests.access.roles import as_role, login_role
from tests.cli.command import (
    Completed,
    environment,
    pgwallet_command,
    pgwallet_here,
)
from tests.databases import as_owner
from tests.ledger.calling import everything


@dataclass(frozen=True)
class Shop:
    """A ledger with wallets of ada, bob (EUR) and kim (JPY) and a film; and a folder of files."""

    conninfo: str
    folder: Path
    ada: int
    bob: int
    kim: int
    film: int

    def file(self, text: str, name: str = "march.csv") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, text: str, *options: object, name: str = "march.csv") -> Completed:
        path = self.file(text, name)
        return pgwallet_here("import", path, *options, database_url=self.conninfo)

    def imported(self, text: str, *options: object, name: str = "march.csv") -> Any:
        """What an import that succeeds says of each kind and currency."""
        completed = self.run(text, "--json", "--again", *options, name=name)
        assert (completed.returncode, completed.stderr) == (0, ""), completed
        return [
            (row["kind"], row["imported"], row["replayed"], f"{row['amount']} {row['currency']}")
            for row in json.loads(completed.stdout)
        ]

    def bad_lines(self, text: str, *options: object) -> dict[int, str]:
        """Why an import is refused, line by line, and that it left nothing behind."""
        with psycopg.connect(self.conninfo) as conn:
            before = everything(conn)
            completed = self.run(text, "--json", *options)
            assert completed.returncode == 1, completed
            conn.rollback()
            assert everything(conn) == before
        return {row["line"]: row["reason"] for row in json.loads(completed.stdout)}

    def balance(self, account_id: int) -> Decimal:
        with psycopg.connect(self.conninfo) as conn:
            assert pgwallet.check_ledger(conn) == []
            return pgwallet.balance(conn, account_id)

    def pledged(self, wallet_id: int) -> list[Decimal]:
        with psycopg.connect(self.conninfo) as conn:
            rows = conn.execute(
                """
                select e.amount from pgwallet.escrow_summary as e
                where e.wallet_id = %s order by e.escrow_id
                """,
                [wallet_id],
            ).fetchall()
        return [amount for (amount,) in rows]

    def has_wallet(self, owner_id: str, currency: str = "EUR") -> bool:
        with psycopg.connect(self.conninfo) as conn:
            rows = conn.execute(
                "select from pgwallet.wallet where owner_id = %s and currency = %s",
                [owner_id, currency],
            )
            return rows.fetchone() is not None


@pytest.fixture
def shop(database: str, tmp_path: Path) -> Shop:
    with psycopg.connect(database) as conn:
        ada, bob = (pgwallet.create_wallet(conn, owner).wallet_id for owner in ("ada", "bob"))
        kim = pgwallet.create_wallet(conn, "kim", "JPY").wallet_id
        film = pgwallet.create_project(conn, "film", max_pledge=Decimal("50")).project_id
    return Shop(database, tmp_path, ada, bob, kim, film)


@pytest.fixture
def role(server: str) -> Iterator[str]:
    with login_role(server) as name:
        yield name


MIXED = """\
kind,owner_id,currency,amount,reference
deposit,ada,EUR,100.00,
pledge,ada,EUR,30.50,film
deposit,kim,JPY,700,
pledge,ada,,20,film
deposit,bob,EUR,5.5,
"""


def test_deposits_and_pledges_of_one_file_are_imported(shop: Shop) -> None:
    assert shop.imported(MIXED) == [
        ("deposit", 2, 0, "105.50 EUR"),
        ("deposit", 1, 0, "700 JPY"),
        ("pledge", 2, 0, "50.50 EUR"),
    ]
    assert shop.balance(shop.ada) == Decimal("49.50")
    assert shop.balance(shop.bob) == Decimal("5.50")
    assert shop.balance(shop.kim) == 700
    assert shop.pledged(shop.ada) == [Decimal("30.50"), Decimal("20.00")]


def test_wallets_and_projects_may_be_named_by_their_ids(shop: Shop) -> None:
    shop.imported(f"wallet_id,amount\n{shop.ada},10\n{shop.ada},5\n", "--kind", "deposit")
    text = f"project_id,wallet_id,amount\n{shop.film},{shop.ada},12\n"
    assert shop.imported(text, "--kind", "pledge") == [("pledge", 1, 0, "12.00 EUR")]
    assert shop.balance(shop.ada) == 3


def test_a_table_says_what_was_imported(shop: Shop) -> None:
    completed = shop.run(MIXED)
    assert completed.returncode == 0
    assert "│ deposit │ EUR      │        2 │        0 │ 105.50 │" in completed.stdout
    assert "Imported before" not in completed.stdout
    assert completed.stderr == ""


def test_a_second_run_moves_nothing_and_says_so(shop: Shop) -> None:
    shop.imported(MIXED)
    with psycopg.connect(shop.conninfo) as conn:
        before = everything(conn)
        completed = shop.run(MIXED)
        conn.rollback()
        assert everything(conn) == before
    assert completed.returncode == 0
    assert "Imported before, under the name march.csv or by key: 5." in completed.stdout
    assert [
        line.split("│")[6].strip() for line in completed.stdout.splitlines() if line[0] == "│"
    ] == [
        "105.50",
        "700",
        "50.50",
    ]


def test_a_file_of_which_only_some_lines_are_known_is_refused_unless_told_again(shop: Shop) -> None:
    shop.imported(MIXED)
    longer = MIXED + "deposit,bob,EUR,5.50,\n"
    with psycopg.connect(shop.conninfo) as conn:
        before = everything(conn)
        for options in ((), ("--dry-run",), ("--json",)):
            completed = shop.run(longer, *options)
            assert completed.returncode == 1
            assert (
                "1 line is new, 5 were imported before. Nothing was imported." in completed.stderr
            )
            assert "--again" in completed.stderr
        conn.rollback()
        assert everything(conn) == before
    (deposits, _, pledges) = json.loads(completed.stdout)
    assert (deposits["imported"], deposits["amount"]) == (1, "5.50")
    assert (deposits["replayed"], deposits["amount_replayed"]) == (2, "105.50")
    assert (pledges["imported"], pledges["amount_replayed"]) == (0, "50.50")
    assert shop.run(longer, "--again").returncode == 0
    assert shop.balance(shop.bob) == 11


def test_how_many_wallets_are_opened_is_said(shop: Shop) -> None:
    text = "kind,owner_id,currency,amount\n" + "".join(
        f"deposit,{owner},{currency},1\n"
        for owner, currency in (
            ("zoe", "EUR"),
            ("zoe", ""),
            ("amy", ""),
            ("ada", "JPY"),
            ("ada", ""),
        )
    )
    for options, said in ((("--dry-run",), "would open 3 wallets"), ((), "Opened 3 wallets")):
        completed = shop.run(text, "--create-wallets", *options)
        assert (completed.returncode, said in completed.stdout) == (0, True), completed.stdout
        again = shop.run(text, "--create-wallets", "--dry-run", "--json")
        opened = {row["currency"]: row["wallets_opened"] for row in json.loads(again.stdout)}
        assert opened == ({"EUR": 2, "JPY": 1} if options else {"EUR": 0, "JPY": 0})


def test_the_order_of_lines_and_how_a_wallet_is_named_make_no_difference(shop: Shop) -> None:
    shop.imported("owner_id,amount\nada,10\nbob,2.50\nada,10.0\nada,7\n", "--kind", "deposit")
    text = f"amount,wallet_id\n7,{shop.ada}\n2.5,{shop.bob}\n10,{shop.ada}\n10.00,{shop.ada}\n"
    assert shop.imported(text, "--kind", "deposit") == [("deposit", 0, 4, "0.00 EUR")]
    assert shop.balance(shop.ada) == 27


def test_of_a_longer_file_the_new_lines_are_imported_equal_ones_too(shop: Shop) -> None:
    shop.imported(MIXED)
    longer = MIXED + "deposit,bob,EUR,5.50,\npledge,bob,EUR,11,film\n"
    assert shop.imported(longer) == [
        ("deposit", 1, 2, "5.50 EUR"),
        ("deposit", 0, 1, "0 JPY"),
        ("pledge", 1, 2, "11.00 EUR"),
    ]
    assert shop.balance(shop.bob) == 0


def test_what_was_imported_needs_neither_money_nor_an_open_project_again(shop: Shop) -> None:
    shop.imported(MIXED)
    with psycopg.connect(shop.conninfo) as conn:
        pgwallet.withdraw(conn, shop.ada, Decimal("49.50"))
        pgwallet.close_project(conn, shop.film, "succeeded")
    assert shop.imported(MIXED)[2] == ("pledge", 0, 2, "0.00 EUR")


@pytest.mark.parametrize("chunk", [2, 5000])
def test_lines_go_in_their_order_and_of_more_than_a_part_wallet_by_wallet(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(posts, "CHUNK", chunk)
    shop.imported("owner_id,amount\nbob,1\nada,2\nbob,3\nada,4\n", "--kind", "deposit")
    with psycopg.connect(shop.conninfo) as conn:
        rows = conn.execute(
            "select p.amount, p.destination_balance from pgwallet.posting as p "
            "order by p.posting_id"
        ).fetchall()
    ada, bob = [(2, 2), (4, 6)], [(1, 1), (3, 4)]
    whole = [bob[0], ada[0], bob[1], ada[1]]
    assert rows == (whole if chunk > 2 else ada + bob if shop.ada < shop.bob else bob + ada)


def test_another_name_is_another_import(shop: Shop) -> None:
    text = "owner_id,amount\nada,10\n"
    shop.imported(text, "--kind", "deposit")
    shop.imported(text, "--kind", "deposit", name="april.csv")
    shop.imported(text, "--kind", "deposit", "--name", "march.csv", name="may.csv")
    assert shop.balance(shop.ada) == 20


def test_a_key_is_made_of_what_the_line_moves(shop: Shop) -> None:
    # Whoever changes this imports the files of old users once more.
    text = (
        f"kind,wallet_id,amount,project_id\ndeposit,{shop.ada},50.10,\ndeposit,{shop.ada},50.1,\n"
    )
    shop.imported(text + f"pledge,{shop.ada},7,{shop.film}\n")
    with psycopg.connect(shop.conninfo) as conn:
        rows = conn.execute(
            "select idempotency_key from pgwallet.transaction_log order by posting_id"
        ).fetchall()
    moves = (
        f"deposit {shop.ada} 50.1 1",
        f"deposit {shop.ada} 50.1 2",
        f"pledge {shop.ada} {shop.film} 7 1",
    )
    expected = [f"march.csv:{sha256(move.encode()).hexdigest()[:32]}" for move in moves]
    assert [key for (key,) in rows] == expected


def test_a_key_of_the_line_wins(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo) as conn:
        pgwallet.deposit_many(conn, [shop.ada], [Decimal(10)], ["order-1"])
    header = "owner_id,amount,idempotency_key\n"
    assert shop.imported(
        f"{header}ada,10.00,order-1\nada,10,order-2\nada,10,\n", *("--kind", "deposit")
    ) == [("deposit", 2, 1, "20.00 EUR")]
    assert shop.imported(f"{header}ada,10,order-2\n", "--kind", "deposit", name="april.csv") == [
        ("deposit", 0, 1, "0.00 EUR")
    ]
    assert shop.balance(shop.ada) == 30


def test_missing_wallets_are_opened_when_asked_for(shop: Shop) -> None:
    text = "owner_id,currency,amount\nzoe,EUR,1\nada,JPY,2\nzoe,,3\n"
    assert shop.bad_lines(text, "--kind", "deposit") == {
        2: "owner 'zoe' has no wallet in EUR",
        3: "owner 'ada' has no wallet in JPY",
        4: "owner 'zoe' has no wallet in EUR",
    }
    options = ("--kind", "deposit", "--create-wallets")
    expected = [("deposit", 2, 0, "4.00 EUR"), ("deposit", 1, 0, "2 JPY")]
    assert shop.imported(text, *options, "--dry-run") == expected
    assert not shop.has_wallet("zoe")
    assert shop.imported(text, *options) == expected
    assert shop.has_wallet("ada", "JPY")
    assert shop.imported(text, *options) == [
        ("deposit", 0, 2, "0.00 EUR"),
        ("deposit", 0, 1, "0 JPY"),
    ]


def test_a_dry_run_imports_nothing(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo) as conn:
        before = everything(conn)
        completed = shop.run(MIXED, "--dry-run")
        conn.rollback()
        assert everything(conn) == before
    assert completed.returncode == 0
    assert "105.50" in completed.stdout
    assert "dry run" in completed.stdout


def test_a_file_with_a_header_alone_imports_nothing(shop: Shop) -> None:
    assert shop.imported("owner_id,amount\n", "--kind", "deposit") == []


def test_standard_input_needs_a_name(shop: Shop) -> None:
    def piped(*options: str) -> Completed:
        return subprocess.run(
            [*starting.pgwallet(), "import", "-", *options],
            env=environment(shop.conninfo),
            input=MIXED,
            capture_output=True,
            text=True,
            check=False,
        )

    unnamed = piped()
    assert unnamed.returncode == 2
    assert "--name" in unnamed.stderr
    named = piped("--name", "march.csv")
    assert (named.returncode, named.stderr) == (0, "")
    assert shop.imported(MIXED)[0] == ("deposit", 0, 2, "0.00 EUR")


@pytest.mark.parametrize("name", ["x" * 101, " ", "a\nb"])
def test_a_name_that_can_begin_no_key_is_wrong_usage(shop: Shop, name: str) -> None:
    completed = shop.run(MIXED, "--name", name)
    assert completed.returncode == 2
    assert "--name" in completed.stderr


def test_a_progress_bar_is_for_terminals(shop: Shop) -> None:
    path = shop.file(MIXED)
    watched = pgwallet_command("import", path, database_url=shop.conninfo, FORCE_COLOR="1")
    assert watched.returncode == 0
    assert "100%" in watched.stderr
    for what in ("accounts", "keys", "funds"):
        assert f"Checking {what}" in watched.stderr
    piped = pgwallet_command("import", path, database_url=shop.conninfo)
    assert (piped.returncode, piped.stderr) == (0, "")


def test_an_operator_can_import(role: str, shop: Shop) -> None:
    with psycopg.connect(as_owner(shop.conninfo)) as conn:
        conn.execute("select pgwallet.grant_operator(%s)", [role])
    completed = pgwallet_here(
        *("import", shop.file(MIXED), "--create-wallets"),
        database_url=as_role(shop.conninfo, role),
    )
    assert completed.returncode == 0, completed.stderr
    assert shop.balance(shop.bob) == Decimal("5.50")


def test_an_application_is_told_that_an_operator_can(role: str, shop: Shop) -> None:
    with psycopg.connect(as_owner(shop.conninfo)) as conn:
        conn.execute("select pgwallet.grant_app(%s)", [role])
    completed = pgwallet_here("import", shop.file(MIXED), database_url=as_role(shop.conninfo, role))
    assert completed.returncode == 1
    assert "operator" in completed.stderr
