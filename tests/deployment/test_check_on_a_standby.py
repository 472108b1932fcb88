"""A check on a standby server: what it leaves, and the settings under which it is not cancelled."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import pgwallet
from tests import servers
from tests.cli.command import pgwallet_here
from tests.deployment.own_server import directory, programs, standby_of
from tests.docs.blocks import ROOT, blocks
from tests.waiting import until_true

PAGE = (ROOT / "docs" / "how-to" / "monitoring.md").read_text("utf-8")
(SETTINGS,) = (block.text for block in blocks(PAGE) if block.language == "ini")
# By then the standby has replayed what was cleaned up before.
READ_ON = "to_regclass('public.done') is not null"


def set_to(conninfo: str, setting: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as admin:
        admin.execute(f"alter system set {setting}".encode())
        admin.execute("select pg_reload_conf()")


def check_twice(standby: str, primary: psycopg.Connection, between: str) -> None:
    """Checks, lets the primary remove rows that the check still sees, and checks once more."""
    with psycopg.connect(standby) as reader, psycopg.connect(standby, autocommit=True) as observer:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert pgwallet.check_ledger(reader) == []
        until_true(primary, between)
        primary.execute("update pgwallet.wallet set allocation_percentage = 1")
        primary.execute("update pgwallet.wallet set allocation_percentage = 0")
        primary.execute("vacuum pgwallet.wallet")
        primary.execute("create table if not exists public.done ()")
        until_true(observer, READ_ON)
        assert pgwallet.check_ledger(reader) == []
        primary.execute("drop table public.done")


@pytest.fixture
def place() -> Iterator[Path]:
    with directory() as its:
        yield its


def test_a_check_on_a_standby_is_let_through_by_the_settings_of_the_page(
    server: str, place: Path
) -> None:
    feedback, _ = re.findall(r"^(\w+ = \w+)$", SETTINGS, re.MULTILINE)
    with (
        servers.started(programs(server), place / "primary") as primary,
        psycopg.connect(primary.conninfo, autocommit=True) as conn,
    ):
        pgwallet.migrate(primary.conninfo)
        pgwallet.create_wallet(conn, "ada")
        with standby_of(primary, place / "standby") as standby:
            assert pgwallet_here("check", database_url=standby.conninfo).returncode == 0
            assert pgwallet.ledger_metrics(conn).checked_at is None

            set_to(standby.conninfo, "wal_receiver_status_interval = '1s'")
            set_to(standby.conninfo, "max_standby_streaming_delay = 0")
            with pytest.raises(psycopg.OperationalError, match="recovery"):
                check_twice(standby.conninfo, conn, "true")
            set_to(standby.conninfo, feedback)
            check_twice(
                standby.conninfo,
                conn,
                "(select backend_xmin is not null from pg_stat_replication)",
            )
