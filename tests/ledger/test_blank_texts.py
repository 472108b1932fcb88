"""What is blank does not depend on the locale, and functions and tables agree about it."""

import psycopg
import pytest
from psycopg import errors

import pgwallet
from tests.ledger.calling import funded, refused

pytestmark = pytest.mark.sql

# Blanks, controls, and what fonts draw as nothing.
INVISIBLE = (
    *(" ", "\t", "\n", "\x01", "\x1f", "\x7f", "\x85", "\xa0", "\xad"),
    *("\u2003", "\u200b", "\u200f", "\u2028", "\u202e", "\u2060", "\u3000", "\ufe0f", "\ufeff"),
    *("\U000e0041", " \u200b\u2003\t"),
)
VISIBLE = ("!", "~", "\xa1", "é", "\u2010", "\u2070", "日", "\ufffd", "🎬", "\u200ba", "\u0301")


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_a_text_without_a_visible_character_is_blank(conn: psycopg.Connection, text: str) -> None:
    wallet_id = funded(conn, "ada", 10)
    with refused(conn, "PW002"):
        pgwallet.create_wallet(conn, text)
    with refused(conn, "PW002"):
        pgwallet.create_pocket(conn, wallet_id, text)
    with refused(conn, "PW002"):
        pgwallet.create_project(conn, text)
    with refused(conn, "PW002"):
        pgwallet.deposit(conn, wallet_id, 1, idempotency_key=text)
    with refused(conn, "PW002"):
        pgwallet.deposit_many(conn, [wallet_id], [1], [text])


@pytest.mark.parametrize("text", VISIBLE, ids=ascii)
def test_one_with_a_visible_character_is_not(conn: psycopg.Connection, text: str) -> None:
    wallet_id = pgwallet.create_wallet(conn, text).wallet_id
    pgwallet.create_pocket(conn, wallet_id, text)
    pgwallet.create_project(conn, text)
    pgwallet.deposit_many(conn, [wallet_id], [1], [f"{text}{text}"])
    assert not pgwallet.deposit(conn, wallet_id, 1, idempotency_key=text).replayed


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
@pytest.mark.parametrize(
    ("table", "column"), [("wallet", "owner_id"), ("pocket", "name"), ("project", "reference")]
)
def test_the_tables_say_the_same(
    conn: psycopg.Connection, table: str, column: str, text: str
) -> None:
    wallet_id = funded(conn, "ada", 0)
    pgwallet.create_pocket(conn, wallet_id, "rent")
    pgwallet.create_project(conn, "film")
    with pytest.raises(errors.CheckViolation), conn.transaction():
        conn.execute(f"update pgwallet.{table} set {column} = %s".encode(), [text])
