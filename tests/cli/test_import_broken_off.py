"""pgwallet import: broken off, overtaken or large, it imports all or nothing, in little memory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import psycopg

import pgwallet
from tests.cli.command import environment, started
from tests.cli.test_import import MIXED, Shop, shop
from tests.effort import effort
from tests.faults.watching import wait_until_gone
from tests.ledger.calling import everything
from tests.waiting import DEADLINE, wait_until_blocked

__all__ = ["shop"]  # the fixture

INTERRUPTED = 130
# So many would take more memory if no more than 300 bytes of each were kept.
LINES = effort("PGWALLET_IMPORT_LINES", part=100_000, full=200_000)
MEGABYTE = 1024  # in the unit of ru_maxrss on Linux
IMPORT_AND_TELL_MEMORY = """
import atexit, resource, sys
from pgwallet.cli import main
import pgwallet.cli.app
usage = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = usage()
atexit.register(lambda: print(usage() - before))
main()
"""


@contextmanager
def wallet_held(shop: Shop, wallet_id: int) -> Iterator[psycopg.Connection]:
    """A transaction in which the wallet's row is locked."""
    with psycopg.connect(shop.conninfo) as holder:
        holder.execute("select from pgwallet.account where account_id = %s for update", [wallet_id])
        yield holder


def import_that_waits(
    shop: Shop, observer: psycopg.Connection, path: Path
) -> subprocess.Popen[str]:
    """The command, once it is posting and waits for somebody else's lock."""
    known = _sessions(observer)
    process = started("import", path, "--json", database_url=shop.conninfo)
    while not (new := _sessions(observer) - known):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    wait_until_blocked(observer, new.pop())
    return process


def _sessions(observer: psycopg.Connection) -> set[int]:
    observer.execute("select pg_stat_clear_snapshot()")
    rows = observer.execute(
        """
        select a.pid from pg_stat_activity as a
        where a.application_name = 'pgwallet' and a.datname = current_database()
        """
    )
    return {pid for (pid,) in rows}


def test_ctrl_c_imports_nothing_and_the_next_run_everything(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo) as observer:
        before = everything(observer)
        with wallet_held(shop, shop.bob):
            process = import_that_waits(shop, observer, shop.file(MIXED))
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=DEADLINE)
        observer.rollback()
        assert everything(observer) == before
    assert (process.returncode, stdout) == (INTERRUPTED, "")
    assert stderr == "Interrupted; nothing was imported.\n"
    assert [row[1] for row in shop.imported(MIXED)] == [2, 1, 2]


def test_ctrl_c_during_the_commit_comes_too_late(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo, autocommit=True) as observer:
        observer.execute(
            """
            create function public.wait() returns trigger language plpgsql as
            $$ begin perform pg_advisory_xact_lock_shared(1); return null; end $$;
            create constraint trigger wait after insert on pgwallet.transaction
            deferrable initially deferred for each row execute function public.wait();
            select pg_advisory_lock(1);
            """
        )
        process = import_that_waits(shop, observer, shop.file(MIXED))
        process.send_signal(signal.SIGINT)
        observer.execute("select pg_advisory_unlock(1)")
        _, stderr = process.communicate(timeout=DEADLINE)
    assert (process.returncode, stderr) == (0, "")
    assert shop.balance(shop.ada) == Decimal("49.50")


def test_killed_half_way_it_imports_nothing_and_the_next_run_everything(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo) as observer:
        before = everything(observer)
        with wallet_held(shop, shop.bob):
            process = import_that_waits(shop, observer, shop.file(MIXED))
            process.kill()
            process.communicate()
        observer.rollback()
        wait_until_gone(observer, "pgwallet")
        observer.rollback()
        assert everything(observer) == before
    assert [row[1] for row in shop.imported(MIXED)] == [2, 1, 2]


def test_a_lost_connection_leaves_nothing_and_is_told_as_what_may_be_tried_again(
    shop: Shop,
) -> None:
    with psycopg.connect(shop.conninfo) as observer:
        before = everything(observer)
        with wallet_held(shop, shop.bob):
            process = import_that_waits(shop, observer, shop.file(MIXED))
            for pid in _sessions(observer):
                observer.execute("select pg_terminate_backend(%s)", [pid])
            stdout, stderr = process.communicate(timeout=DEADLINE)
        observer.rollback()
        assert everything(observer) == before
    assert (process.returncode, stdout) == (1, "")
    assert stderr.startswith("ERROR: terminating connection due to administrator command\n")
    assert "All of it was imported or nothing.\nHINT: Run the same command again" in stderr
    assert [row[1] for row in shop.imported(MIXED)] == [2, 1, 2]


def test_a_cancelled_import_leaves_nothing_and_says_so(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo) as observer, wallet_held(shop, shop.bob):
        process = import_that_waits(shop, observer, shop.file(MIXED))
        for pid in _sessions(observer):
            observer.execute("select pg_cancel_backend(%s)", [pid])
        _, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "canceling statement due to user request" in stderr
    assert stderr.endswith("\nNothing was imported.\n")


def test_a_refusal_after_the_checks_undoes_all_and_names_the_lines(shop: Shop) -> None:
    text = f"kind,wallet_id,amount,project_id\ndeposit,{shop.ada},20,\n" + "".join(
        f"pledge,{shop.bob},{amount},{shop.film}\n" for amount in (3, 4, 3)
    )
    with psycopg.connect(shop.conninfo) as conn:
        pgwallet.deposit(conn, shop.bob, Decimal(10))
    with psycopg.connect(shop.conninfo) as observer, wallet_held(shop, shop.bob) as holder:
        process = import_that_waits(shop, observer, shop.file(text))
        pgwallet.withdraw(holder, shop.bob, Decimal(1))
        holder.commit()
        stdout, stderr = process.communicate(timeout=DEADLINE)
    assert (process.returncode, stdout) == (1, "")
    assert (
        f"pledges to project {shop.film} in lines 3 to 5 were refused: wallet {shop.bob}" in stderr
    )
    assert "Its balance is 9.00, the amount 10." in stderr
    assert stderr.endswith("Nothing was imported.\n")
    assert [shop.balance(shop.ada), shop.balance(shop.bob)] == [0, 9]


def test_of_two_imports_of_one_file_at_once_the_second_replays_the_first(shop: Shop) -> None:
    with psycopg.connect(shop.conninfo) as observer:
        with wallet_held(shop, shop.bob):
            first = import_that_waits(shop, observer, shop.file(MIXED))
            second = import_that_waits(shop, observer, shop.file(MIXED))
        said = [process.communicate(timeout=DEADLINE)[0] for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    assert said[0].count('"replayed": 0') == 3
    assert said[1].count('"imported": 0') == 3
    assert '"amount": "0.00"' in said[1]
    assert shop.balance(shop.ada) == Decimal("49.50")


def test_any_number_of_lines_needs_less_than_30_megabytes(shop: Shop) -> None:
    rows = "".join(f"owner-{k % 1000},{k % 97 + 1}.50\n" for k in range(LINES))
    path = shop.file(f"owner_id,amount\n{rows}")
    options = ("--kind", "deposit", "--create-wallets", "--dry-run")
    completed = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_TELL_MEMORY, "import", os.fspath(path), *options],
        env=environment(shop.conninfo),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    assert str(LINES) in completed.stdout
    assert int(completed.stdout.split()[-1]) < 30 * MEGABYTE
