"""What is done to the tables by hand is named by check_ledger where a second row contradicts."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import psycopg
import pytest

import pgwallet
from tests.ledger.corruptions import CORRUPTIONS, GUARDS, NOT_FOUND, Corruption, ids_of_a_world

GUARANTEES = Path(__file__).parents[2] / "docs" / "guarantees.md"
TRIGGERS = (
    *product(
        ("transaction", "posting", "account", "wallet", "pocket", "project", "escrow"),
        ("refuse_change", "refuse_row_change"),
    ),
    ("transaction", "refuse_changed_row"),
)

pytestmark = pytest.mark.sql


@pytest.fixture(scope="module")
def world(shared_database: str) -> Iterator[tuple[psycopg.Connection, dict[str, int]]]:
    """One for all of them: each is rolled back."""
    with psycopg.connect(shared_database) as conn:
        ids = ids_of_a_world(conn)
        assert pgwallet.check_ledger(conn) == []
        yield conn, ids
        conn.rollback()


def found_after(
    conn: psycopg.Connection, statements: str, ids: dict[str, int], *, guarded: bool = False
) -> set[tuple[int, str]]:
    def turn(how: str) -> None:
        for table, trigger in () if guarded else TRIGGERS:
            conn.execute(f"alter table pgwallet.{table} {how} trigger {trigger}".encode())

    with conn.transaction(force_rollback=True):
        conn.execute("set local session_replication_role = replica")
        turn("disable")
        conn.execute(statements.format(**ids).encode())
        turn("enable always")
        return {(row.invariant, row.subject) for row in pgwallet.check_ledger(conn)}


@pytest.mark.parametrize("corruption", [*CORRUPTIONS, *GUARDS], ids=lambda each: each.name)
def test_a_corruption_is_named(
    world: tuple[psycopg.Connection, dict[str, int]], corruption: Corruption
) -> None:
    conn, ids = world
    found = found_after(conn, corruption.statements, ids, guarded=corruption in GUARDS)
    expected = {(invariant, subject.format(**ids)) for invariant, subject in corruption.found}
    assert expected <= found


@pytest.mark.parametrize("what", NOT_FOUND)
def test_what_nothing_contradicts_is_not_found_and_listed_as_such(
    world: tuple[psycopg.Connection, dict[str, int]], what: str
) -> None:
    conn, ids = world
    assert found_after(conn, NOT_FOUND[what], ids) == set()
    assert f"- {what}" in GUARANTEES.read_text()


def test_the_guarantees_say_of_each_invariant_what_it_compares() -> None:
    listed = re.findall(r"^\| (\d) \| [^|]+ \|$", GUARANTEES.read_text(), re.MULTILINE)
    found = {number for each in (*CORRUPTIONS, *GUARDS) for number, _ in each.found}
    # The last one is that of a cluster, whose databases have to agree.
    assert listed == [*map(str, sorted(found)), "8"]
