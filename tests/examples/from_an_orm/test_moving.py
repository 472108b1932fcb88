"""Every cent arrives, in one go, wallet by wallet, or in a run that goes on where one ended."""

import secrets
import subprocess
import sys
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from signal import SIGINT, SIGKILL, Signals
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgwallet
from bench.orm.models import EscrowContract, UserWallet, WalletTransaction
from examples.from_an_orm.__main__ import main
from tests.conftest import Connect
from tests.databases import as_owner
from tests.examples.from_an_orm.old_service import (
    ADA,
    COMPARED,
    CYD,
    DAN,
    HELD,
    LOCKED,
    NAMES,
    PLATFORM,
    Move,
    held,
    locked,
    metadata,
    postings,
)
from tests.ledger.calling import value
from tests.waiting import wait_until_blocked

ROOT = Path(__file__).parents[3]


def test_every_cent_is_where_it_was(move: Move, connect: Connect) -> None:
    ended = move()

    assert ended.code == 0, ended.out + ended.err
    with connect() as conn:
        assert held(conn) == HELD
        assert locked(conn) == LOCKED
        assert pgwallet.check_ledger(conn) == []
    assert {kind: ended.table()[kind] for kind in COMPARED} == COMPARED
    assert "Moved: 137.91 EUR in 5 wallets, 3 pockets and 3 locked escrows." in ended.out


def test_the_old_tables_are_only_read(move: Move, connect: Connect) -> None:
    with connect() as conn:
        before = old_rows(conn)
        move()
        assert old_rows(conn) == before


def old_rows(conn: psycopg.Connection) -> list[Any]:
    tables = ("userwallet", "walletpocket", "wallettransaction", "escrowcontract")
    return [
        conn.execute(f"select to_jsonb(t)::text from orm_{table} as t order by id").fetchall()
        for table in tables
    ]


def test_pockets_keep_their_percentage_type_and_target(move: Move, connect: Connect) -> None:
    move()
    with connect() as conn:
        rows = conn.execute(
            """
            select k.name, k.allocation_percentage, k.pocket_type, k.target_amount
            from pgwallet.pocket as k
            order by 1
            """
        ).fetchall()

    assert rows == [
        ("fun", 10, "", 300),
        ("later", 0, "DONATION", None),
        ("rent", 50, "", None),
    ]


def test_the_old_rows_are_the_metadata_of_what_moved_them(move: Move, connect: Connect) -> None:
    move()
    with connect() as conn:
        wallet = metadata(conn, "from-orm:wallet:2")
        pocket = metadata(conn, "from-orm:pocket:1")
        escrow = metadata(conn, "from-orm:escrow:1")
        effective_at = value(
            conn,
            """
            select effective_at from pgwallet.transaction
            where idempotency_key = 'from-orm:wallet:2'
            """,
        )

    last = WalletTransaction.objects.filter(wallet=ADA).latest("created_at").created_at
    assert effective_at == last.astimezone(UTC)
    assert (wallet["source"], wallet["old_wallet_id"], wallet["unexplained"]) == (
        "from-orm",
        ADA,
        "0.00",
    )
    assert (wallet["old_row"]["user"], wallet["old_row"]["balance"]) == (1, 20)
    sums = {kind: (s["count"], s["amount"]) for kind, s in wallet["transactions"].items()}
    assert sums == {
        "DEPOSIT": (1, "100.01"),
        "POCKET_TRANSFER": (2, "60.01"),
        "PLEDGE_DONATION": (1, "20.00"),
    }
    assert "transaction_rows" not in wallet
    assert pocket["old_row"]["name"] == "rent"
    assert (escrow["old_row"]["project"], escrow["pledge_row"]["amount"]) == (7, 20)


def test_history_keeps_each_old_transaction_but_the_platforms(move: Move, connect: Connect) -> None:
    # Otherwise his wallet holds nothing, and so leaves nothing.
    UserWallet.objects.filter(pk=DAN).update(balance=1)
    move("--history")
    with connect() as conn:
        dan = metadata(conn, f"from-orm:wallet:{DAN}")
        platform = metadata(conn, f"from-orm:wallet:{PLATFORM}")

    types = [row["transaction_type"] for row in dan["transaction_rows"]]
    assert types == ["DEPOSIT", "PLEDGE_DONATION"]
    assert [row["status"] for row in dan["settled_escrow_rows"]] == ["RELEASED"]
    assert dan["unexplained"] == "1.00"
    assert "transaction_rows" not in platform
    assert platform["transactions"]["COMMISSION"]["count"] == 1


def test_a_second_run_moves_nothing_and_says_so(move: Move, connect: Connect) -> None:
    move()
    with connect() as conn:
        before = postings(conn)
    ended = move()

    assert "Nothing was left to move. Wallets moved before: 5." in ended.out
    assert {kind: ended.table()[kind] for kind in COMPARED} == COMPARED
    assert ended.code == 0
    with connect() as conn:
        assert postings(conn) == before


def test_wallets_move_one_by_one_and_the_rest_later(move: Move, connect: Connect) -> None:
    one = move("--wallet", str(ADA))
    with connect() as conn:
        assert held(conn) == {key: amount for key, amount in HELD.items() if "user-1" in key}
    rest = move()

    assert one.table()["together"] == ["4", "4", "100.01", "100.01", "0.00"]
    assert "in 4 wallets" in rest.out
    assert "Wallets moved before: 1." in rest.out
    assert rest.table()["together"] == COMPARED["together"]
    assert (one.code, rest.code) == (0, 0)
    with connect() as conn:
        assert held(conn) == HELD


def test_the_old_tables_may_be_in_another_database(
    empty_database: str, filled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pgwallet.migrate(as_owner(empty_database))
    code = main([*NAMES, "--from", filled, "--to", as_owner(empty_database)])

    assert code == 0, capsys.readouterr()
    with psycopg.connect(filled) as old, psycopg.connect(empty_database) as new:
        assert held(new) == HELD
        assert postings(old) == 0


def test_who_may_read_the_old_tables_and_lock_a_wallet_may_move_them(
    filled: str, connect: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    role = f"pgwallet_mover_{secrets.token_hex(4)}"
    reader = make_conninfo(filled, options=f"-c role={role}")
    with connect(autocommit=True) as conn:
        for statement in (
            "create role {}",
            "grant select on all tables in schema public to {}",
            "grant update on orm_userwallet to {}",
        ):
            conn.execute(sql.SQL(statement).format(sql.Identifier(role)))
        try:
            code = main([*NAMES, "--from", reader, "--to", as_owner(filled)])
        finally:
            for statement in ("drop owned by {}", "drop role {}"):
                conn.execute(sql.SQL(statement).format(sql.Identifier(role)))
        assert code == 0, capsys.readouterr()
        assert held(conn) == HELD


@pytest.mark.parametrize(("how", "code"), [(SIGKILL, -SIGKILL), (SIGINT, 130)])
def test_a_run_that_is_stopped_while_it_waits_for_the_old_service_goes_on(
    filled: str, connect: Connect, how: Signals, code: int
) -> None:
    held_by, observer = connect(), connect(autocommit=True)
    held_by.execute("select from orm_userwallet where id = %s for update", [CYD])
    command = [sys.executable, "-m", "examples.from_an_orm", *NAMES, "--batch-size", "1"]
    databases = ["--from", make_conninfo(filled, application_name="old"), "--to", as_owner(filled)]
    with subprocess.Popen(
        [*command, *databases],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for_lock(observer, "old", process)
        finally:
            process.send_signal(how)
            process.communicate()
    assert process.returncode == code
    with connect() as conn:
        assert held(conn) == {
            key: amount for key, amount in HELD.items() if key[:6] in ("platfo", "user-1", "user-2")
        }
    held_by.rollback()

    again = subprocess.run(
        [*command, *databases], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "0.00 EUR in 2 wallets, 1 pocket and 0 locked escrows" in again.stdout
    assert "Wallets moved before: 3." in again.stdout
    assert again.returncode == 0, again.stderr
    with connect() as conn:
        assert held(conn) == HELD
        assert locked(conn) == LOCKED


def test_the_old_service_waits_for_a_wallet_that_is_moving(filled: str, connect: Connect) -> None:
    holder, old_service, observer = connect(), connect(), connect(autocommit=True)
    pgwallet.create_wallet(holder, "user-1")  # the move has to wait for this one's end
    to = as_owner(make_conninfo(filled, application_name="new"))
    command = [sys.executable, "-m", "examples.from_an_orm", *NAMES, "--from", filled, "--to", to]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for_lock(observer, "new", process)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                old_service.execute(
                    "select from orm_userwallet where id = %s for update nowait", [ADA]
                )
        finally:
            holder.rollback()
            _, err = process.communicate()
    assert process.returncode == 0, err
    with connect() as conn:
        assert held(conn) == HELD


def wait_for_lock(observer: psycopg.Connection, name: str, process: subprocess.Popen[str]) -> None:
    """Returns once the process waits for a lock, on its connection of this name."""
    backend = "select pid from pg_stat_activity where application_name = %s"
    while (row := observer.execute(backend, [name]).fetchone()) is None:
        assert process.poll() is None, process.communicate()
    wait_until_blocked(observer, row[0])


def test_a_ledger_in_use_since_still_agrees_with_the_old_tables(
    move: Move, connect: Connect
) -> None:
    move()
    with connect(autocommit=True) as conn:
        ada = pgwallet.create_wallet(conn, "user-1").wallet_id
        film = pgwallet.create_project(conn, "project-7").project_id
        rent = value(conn, "select pocket_id from pgwallet.pocket where name = 'rent'")
        pgwallet.transfer_from_pocket(conn, rent, Decimal(50))
        pgwallet.withdraw(conn, ada, Decimal(70))
        assert len(list(pgwallet.release_project(conn, film))) == 1
    ended = move()

    assert {kind: ended.table()[kind] for kind in COMPARED} == COMPARED
    assert ended.code == 0


def test_a_pledge_above_todays_limit_moves_with_its_projects_own(
    move: Move, connect: Connect
) -> None:
    EscrowContract.objects.filter(user=1, project=7).update(amount=Decimal("250000.00"))
    move()
    with connect() as conn:
        limits = conn.execute("select reference, max_pledge from pgwallet.project order by 1")

        assert limits.fetchall() == [("project-7", 250000), ("project-8", 100000)]
        assert locked(conn)["user-1", "project-7"] == "250000.00"


def test_owners_projects_and_keys_are_called_as_asked(move: Move, connect: Connect) -> None:
    options = ("--currency", "USD", "--source", "shop", "--owner-prefix", "")
    ended = move(*options, "--project-prefix", "film ", "--platform", "house")

    assert ended.code == 0, ended.err
    with connect() as conn:
        assert held(conn)["1/rent"] == "50.01"
        assert held(conn)["house"] == "7.90"
        assert locked(conn)["2", "film 8"] == "6.50"
        assert metadata(conn, "shop:escrow:1")["source"] == "shop"
        currencies = conn.execute("select distinct currency from pgwallet.wallet").fetchall()
        assert currencies == [("USD",)]
