"""A subscriber of logical replication refuses what its publisher should never have sent.

There an apply worker writes rows: only triggers for each row that always fire see them.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from tests import servers
from tests.deployment.own_server import directory, programs
from tests.waiting import until

pytestmark = pytest.mark.sql

TABLES = ("account", "wallet", "pocket", "project", "escrow", "transaction", "posting")
PUBLISHED = ", ".join(f"pgwallet.{table}" for table in TABLES)
PATIENCE = 60.0  # seconds


class Pair:
    """A ledger, and its copy in another database of the same server."""

    def __init__(self, conninfo: str, log: Path) -> None:
        self.log = log
        self.publisher = psycopg.connect(make_conninfo(conninfo, dbname="one"), autocommit=True)
        self.subscriber = psycopg.connect(make_conninfo(conninfo, dbname="two"), autocommit=True)

    def refused(self, change: str, refusal: str) -> None:
        """Changes the publisher, whose triggers are off, and waits for the refusal."""
        said = self.log.read_text(errors="replace").count(refusal)
        self.publisher.execute(change.encode())
        until(lambda: self.log.read_text(errors="replace").count(refusal) > said, seconds=PATIENCE)

    def skip(self) -> None:
        """Lets the subscriber pass over what it refuses, so that the next change arrives."""
        self.subscriber.execute("alter subscription copy disable")
        until(self._advanced, seconds=PATIENCE)
        self.subscriber.execute("alter subscription copy enable")

    def _advanced(self) -> bool:
        """Whether the slot could be moved, once no worker that was under way holds it."""
        try:
            self.publisher.execute(
                "select pg_replication_slot_advance('copy', pg_current_wal_lsn())"
            )
        except psycopg.errors.ObjectInUse:
            return False
        return True


@pytest.fixture
def pair(server: str) -> Iterator[Pair]:
    with directory() as place:
        data = place / "data"
        with (
            servers.started(programs(server), data) as own,
            psycopg.connect(own.conninfo, autocommit=True) as admin,
        ):
            for setting in ("wal_level = logical", "wal_retrieve_retry_interval = 100"):
                admin.execute(f"alter system set {setting}".encode())
        with servers.started(programs(server), data) as own:
            with psycopg.connect(own.conninfo, autocommit=True) as admin:
                for name in ("one", "two"):
                    admin.execute(f"create database {name}".encode())
                    pgwallet.migrate(make_conninfo(own.conninfo, dbname=name))
            pair = Pair(own.conninfo, data / "server.log")
            replicate(pair, make_conninfo(own.conninfo, dbname="one"))
            yield pair
            pair.subscriber.execute("alter subscription copy disable")
            pair.subscriber.execute("alter subscription copy set (slot_name = none)")
            pair.subscriber.execute("drop subscription copy")
            pair.publisher.close()
            pair.subscriber.close()


def replicate(pair: Pair, conninfo: str) -> None:
    """By a slot made by hand: to make one, a subscription in the same server waits for itself."""
    pair.publisher.execute(f"create publication all_of_it for table {PUBLISHED}".encode())
    pair.publisher.execute("select pg_create_logical_replication_slot('copy', 'pgoutput')")
    pair.subscriber.execute(
        f"create subscription copy connection '{conninfo}' publication all_of_it "
        "with (create_slot = false, slot_name = 'copy', copy_data = false)".encode()
    )


def test_a_subscriber_refuses_changes_and_deletes_that_its_publisher_let_pass(pair: Pair) -> None:
    wallet = pgwallet.create_wallet(pair.publisher, "ada").wallet_id
    pocket = pgwallet.create_pocket(pair.publisher, wallet, "rent").pocket_id
    project = pgwallet.create_project(pair.publisher, "film").project_id
    pgwallet.deposit(pair.publisher, wallet, 50, metadata={"from": "ada"})
    escrow = pgwallet.pledge(pair.publisher, wallet, project, 10).escrow_id
    count = "select count(*) from pgwallet.posting"
    until(lambda: pair.subscriber.execute(count).fetchone() == (2,), seconds=PATIENCE)
    # What may be changed arrives: one transaction has lost its metadata, the other had none.
    pgwallet.erase_owner(pair.publisher, wallet)
    erased = "select count(*) from pgwallet.transaction where metadata_digest is not null"
    until(lambda: pair.subscriber.execute(erased).fetchone() == (1,), seconds=PATIENCE)
    assert (
        pair.subscriber.execute(
            "select from pgwallet.transaction where metadata is not null"
        ).fetchall()
        == []
    )
    before = [
        pair.subscriber.execute(f"select * from pgwallet.{t}".encode()).fetchall() for t in TABLES
    ]

    for table in TABLES:
        pair.publisher.execute(f"alter table pgwallet.{table} disable trigger user".encode())
    for table, change in (
        ("posting", "update pgwallet.posting set amount = amount + 1"),
        ("posting", "delete from pgwallet.posting"),
        ("posting", "truncate pgwallet.posting"),
        ("transaction", "update pgwallet.transaction set created_at = now()"),
        ("transaction", "update pgwallet.transaction set metadata = '{}', metadata_digest = null"),
        ("transaction", "delete from pgwallet.transaction"),
        ("escrow", f"delete from pgwallet.escrow where escrow_id = {escrow}"),
        ("pocket", f"delete from pgwallet.pocket where pocket_id = {pocket}"),
        ("project", f"delete from pgwallet.project where project_id = {project}"),
        ("wallet", f"delete from pgwallet.wallet where wallet_id = {wallet}"),
        ("account", f"delete from pgwallet.account where account_id = {pocket}"),
    ):
        pair.refused(change, f"{change.split()[0]} of pgwallet.{table} is refused")
        after = [
            pair.subscriber.execute(f"select * from pgwallet.{t}".encode()).fetchall()
            for t in TABLES
        ]
        assert after == before, change
        pair.skip()
