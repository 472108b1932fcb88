"""The migration of currencies is what its generator prints, and the ledger relies on it."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]


def test_the_committed_migration_is_what_the_generator_prints() -> None:
    printed = subprocess.check_output([sys.executable, ROOT / "db" / "generate_currencies.py"])
    assert printed == (ROOT / "db" / "migrations" / "0001_currencies.sql").read_bytes()


@pytest.mark.sql
def test_each_currency_has_the_decimals_of_iso_4217(conn: psycopg.Connection) -> None:
    rows = conn.execute("select currency, exponent from pgwallet.currency").fetchall()
    exponents: dict[str, int] = dict(rows)
    assert {"EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4}.items() <= exponents.items()
    assert exponents.keys().isdisjoint({"XAU", "XDR", "XTS", "XXX"})


@pytest.mark.sql
def test_the_accounts_of_currencies_have_ids_of_slot_0_that_nothing_else_gets(
    conn: psycopg.Connection,
) -> None:
    rows = conn.execute(
        "select external_account_id, commission_account_id, fee_account_id from pgwallet.currency"
    ).fetchall()
    ids = [account_id for row in rows for account_id in row]
    next_id = conn.execute("select nextval('pgwallet.id_seq') * 1024").fetchone()

    assert len(set(ids)) == len(ids) > 400
    assert {account_id % 1024 for account_id in ids} == {0}
    assert next_id is not None
    assert next_id[0] > max(ids)
