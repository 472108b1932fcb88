"""Texts that a caller's columns have in an order of their own are the same texts to the ledger."""

from typing import Any

import psycopg
import pytest

from tests.catalogue.calls import CALLS, good
from tests.catalogue.world import World
from tests.ledger.calling import everything, refused

pytestmark = pytest.mark.sql

# Another order than "C" to PostgreSQL, and on every server.
OTHER = 'collate "POSIX"'
TAKE_TEXTS = [
    name
    for name, call in CALLS.items()
    if any(argument.type in ("text", "text[]") for argument in call.arguments)
    and not call.signature.is_procedure
]


@pytest.fixture
def conn(undone: psycopg.Connection) -> psycopg.Connection:
    return undone


@pytest.mark.parametrize("name", TAKE_TEXTS)
def test_a_text_in_another_order_is_looked_up_and_found_again(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    call = CALLS[name]
    arguments = call.with_everything(good(name, world))
    if call.is_keyed:
        arguments = call.keyed(arguments, "once")
    in_other_order(conn, name, arguments)
    if call.is_keyed or name in ("create_wallet", "create_project"):
        before = everything(conn)
        in_other_order(conn, name, arguments)
        assert everything(conn) == before


def test_a_key_in_another_order_is_seen_to_be_that_of_another_call(
    conn: psycopg.Connection, world: World
) -> None:
    arguments = CALLS["deposit"].keyed(good("deposit", world), "once")
    in_other_order(conn, "deposit", arguments)
    with refused(conn, "PW203"):
        in_other_order(conn, "deposit", {**arguments, "p_amount": 77})


def in_other_order(
    conn: psycopg.Connection, name: str, arguments: dict[str, Any]
) -> list[tuple[Any, ...]]:
    types = {argument.name: argument.type for argument in CALLS[name].arguments}
    passed = ", ".join(
        f"{each} => %({each})s::{types[each]}" + (f" {OTHER}" if "text" in types[each] else "")
        for each in arguments
    )
    return conn.execute(f"select * from pgwallet.{name}({passed})".encode(), arguments).fetchall()
