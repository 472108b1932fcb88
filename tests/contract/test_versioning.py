"""What the last release promised is still there: the rules are in docs/how-to/upgrading.md.

With PGWALLET_RECORD_RELEASE=1 the record is written instead, when a release is made.
"""

import os
import re
from hashlib import sha256
from pathlib import Path

import psycopg

from pgwallet.deployment import migrations_directory
from pgwallet.errors import BY_SQLSTATE

RECORD = Path(__file__).parent / "released.txt"

FUNCTIONS = r"""
  select format(
    'function %s(%s) returns %s',
    p.proname, pg_get_function_arguments(p.oid), coalesce(pg_get_function_result(p.oid), 'nothing')
  )
  from pg_proc as p
  where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%'
  order by p.proname
"""
VIEWS = """
  select format(
    'view %s: %s', c.relname,
    string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
      order by a.attnum)
  )
  from pg_class as c
  join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'v'
    and c.relname <> 'installed_routine'
  group by c.relname
  order by c.relname
"""


def promised(conn: psycopg.Connection) -> list[str]:
    """A line for each thing that users rely on by its name."""
    functions = [line for (line,) in conn.execute(FUNCTIONS.encode())]
    views = [line for (line,) in conn.execute(VIEWS.encode())]
    codes = [f"code {code}: {error.__name__}" for code, error in BY_SQLSTATE.items()]
    migrations = [
        f"migration {path.stem}: {sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(migrations_directory().glob("*.sql"))
    ]
    return [*functions, *views, *codes, *migrations]


def kept(line: str, now: list[str]) -> bool:
    """Whether a promise still holds; a view may have got more columns at its end."""
    return any(other == line or re.match(re.escape(line) + "(?=, )", other) for other in now)


def test_what_was_released_is_still_there(conn: psycopg.Connection) -> None:
    now = promised(conn)
    if os.environ.get("PGWALLET_RECORD_RELEASE") == "1":
        RECORD.write_text("".join(f"{line}\n" for line in now))
    assert [line for line in RECORD.read_text().splitlines() if not kept(line, now)] == []


def test_what_breaks_a_promise_is_noticed() -> None:
    promise = "view wallet_summary: wallet_id bigint, balance numeric"
    assert kept(promise, [promise])
    assert kept(promise, [f"{promise}, locked_amount numeric"])
    for broken in (
        [],
        ["view wallet_summary: wallet_id bigint, balance numeric(12,2)"],
        ["view wallet_summary: balance numeric, wallet_id bigint"],
        ["view wallet_summary: wallet_id bigint, free numeric, balance numeric"],
    ):
        assert not kept(promise, broken)


def test_a_promise_of_each_kind_is_recorded(conn: psycopg.Connection) -> None:
    lines = promised(conn)
    assert {line.split()[0] for line in lines} == {"function", "view", "code", "migration"}
    for kind, number in (("function", 30), ("view", 6), ("code", 15), ("migration", 24)):
        assert sum(line.startswith(f"{kind} ") for line in lines) >= number, kind
    (deposit,) = (line for line in lines if line.startswith("function deposit("))
    assert "p_idempotency_key text DEFAULT NULL::text" in deposit
    assert deposit.count("TABLE") == 1
