"""What every function and every object of the schema has, read from the catalogs and files."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.errors import BY_SQLSTATE
from tests import databases, servers
from tests.conftest import Connect

pytestmark = pytest.mark.sql

DB = Path(__file__).parents[2] / "db"
FILES = sorted((DB / "procedures").rglob("*.sql"))
ROUTINE_NAMES = {path.stem for path in FILES}
CODE = re.compile(r"PW\d{3}")
CODES = set(BY_SQLSTATE)

ROUTINES = """
  select p.proname, p.prokind::text, p.prosecdef, p.proconfig, p.prosrc,
    obj_description(p.oid, 'pg_proc'), has_function_privilege('public', p.oid, 'execute'),
    p.prorettype = 'trigger'::regtype, p.prosqlbody is not null
  from pg_proc as p
  where p.pronamespace = 'pgwallet'::regnamespace
  order by p.proname
"""

# Functions for the owner alone act with the rights of the owner who calls them.
OWNERS = {
    *("grant_app", "grant_operator", "grant_auditor", "grant_monitor"),
    *("create_currency", "skip_ids"),
}
# A trigger that writes down what others change acts for them.
RECORDERS = {"_record_change"}
PINNED = "search_path=pg_catalog, pg_temp"

# What the text of a function seems to raise and cannot:
RULED_OUT = {
    # The currency names the account.
    "collect_earnings": {"PW105"},
    # A pocket that exists has a wallet.
    "close_pocket": {"PW105"},
    # Only wallets and pockets are closed.
    "payout": {"PW209"},
    # An escrow that exists has a project.
    "change_pledge": {"PW103", "PW105"},
    "refund_release": {"PW103"},
    "refund_escrow": {"PW103"},
    "release_escrow": {"PW103"},
    # They have closed the project themselves.
    "refund_project": {"PW205"},
    "release_project": {"PW205"},
}


def body_of(name: str) -> str:
    """The text of a function's file without comments and without its `comment on`."""
    (path,) = (path for path in FILES if path.stem == name)
    text = re.sub(r"--.*", "", path.read_text())
    return text.split("\ncomment on ")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_holds_the_one_routine_it_is_named_after(path: Path) -> None:
    made = re.findall(
        r"^create or replace (?:function|procedure) (\w+)\.(\w+)", path.read_text(), re.MULTILINE
    )
    assert made == [("pgwallet", path.stem)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_opens_with_a_header_of_one_to_six_lines(path: Path) -> None:
    lines = path.read_text().splitlines()
    header = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    assert 1 <= header <= 6
    assert lines[header].startswith("create or replace ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_raise_has_a_code_a_detail_and_a_hint(path: Path) -> None:
    for statement in re.findall(r"\braise\s+(\w+)\b(.*?);\n", body_of(path.stem), re.DOTALL):
        level, rest = statement
        wanted = {
            "exception": ("errcode", "message", "detail", "hint"),
            "warning": ("message", "detail", "hint"),
            "notice": ("message",),
        }[level]
        assert all(re.search(rf"\b{option} = ", rest) for option in wanted), rest


def test_the_database_has_exactly_the_routines_of_the_files(conn: psycopg.Connection) -> None:
    assert [row[0] for row in conn.execute(ROUTINES).fetchall()] == sorted(
        path.stem for path in FILES
    )


def test_public_routines_are_described_and_internal_ones_by_their_file_alone(
    conn: psycopg.Connection,
) -> None:
    for name, _, _, _, _, comment, _, _, _ in conn.execute(ROUTINES).fetchall():
        if name.startswith("_"):
            assert comment is None, name
        else:
            assert comment, f"{name} has no comment"
            assert comment.rstrip().endswith("."), f"the comment of {name} does not end"


def test_public_may_execute_none(conn: psycopg.Connection) -> None:
    for name, _, _, _, _, _, public, _, _ in conn.execute(ROUTINES).fetchall():
        assert not public, f"PUBLIC may execute {name}"


def test_every_function_pins_its_search_path(conn: psycopg.Connection) -> None:
    for name, kind, _, settings, source, _, _, _, parsed in conn.execute(ROUTINES).fetchall():
        if parsed:
            # A standard SQL body looks nothing up: its names were resolved when it was made.
            # With a set clause the planner could not write it out in other statements.
            assert settings is None, name
        elif kind == "p":
            # One that commits can have no set clause, so it pins the path after every commit.
            assert settings is None, name
            pinned = source.count("set_config('search_path', 'pg_catalog, pg_temp', true)")
            assert pinned >= 2, name
        else:
            assert PINNED in settings, name


def test_public_functions_have_their_owner_s_rights_and_internal_ones_not(
    conn: psycopg.Connection,
) -> None:
    for name, kind, definer, *_ in conn.execute(ROUTINES).fetchall():
        public = not name.startswith("_") and kind == "f" and name not in OWNERS
        assert definer == (public or name in RECORDERS), name


MISSING = {
    "wallet": "PW101",
    "pocket": "PW102",
    "project": "PW103",
    "escrow": "PW104",
    "account": "PW105",
}


def calls(name: str) -> Iterator[tuple[str, str]]:
    """What a routine calls of the schema, and with which arguments."""
    body = body_of(name)
    code = re.sub(r"'[^']*'", lambda text: "'" * len(text[0]), body)
    for call in re.finditer(r"\bpgwallet\.(\w+)\s*\(", code):
        if call[1] in ROUTINE_NAMES - {name}:
            depth, end = 1, call.end()
            while depth:
                depth += {"(": 1, ")": -1}.get(code[end], 0)
                end += 1
            yield call[1], body[call.end() : end - 1].strip()


def reachable(name: str, given: frozenset[str] = frozenset()) -> set[str]:
    """The codes in a routine's own text and in that of those it calls, and so on.

    What is missing depends on the kind of account that a call names, or that the caller was given
    to name; and the currency of what is in the ledger already is never unknown.
    """
    codes = set(CODE.findall(body_of(name)))
    for called, arguments in calls(name):
        kinds = frozenset(kind for kind in MISSING if f"'{kind}'" in arguments) or given
        if called in ("_refuse_missing", "_check_account"):
            codes |= {MISSING[kind] for kind in kinds}
            if called == "_check_account" and not arguments.endswith(", null"):
                codes.add("PW001")
        elif called == "_find_exponent":
            codes |= {"PW003"} if arguments == "p_currency" else set()
        else:
            codes |= reachable(called, kinds)
    return codes


def test_comments_name_the_codes_that_can_come_out(conn: psycopg.Connection) -> None:
    for name, _, _, _, _, comment, _, _, _ in conn.execute(ROUTINES).fetchall():
        if name.startswith("_"):
            continue
        if "PW" in comment:
            assert re.search(r"Raises: PW\d{3}(, PW\d{3})*\.$", comment), f"{name}: {comment}"
        ruled_out = RULED_OUT.get(name, set())
        codes = reachable(name)
        assert ruled_out <= codes, name
        assert CODE.findall(comment) == sorted(codes - ruled_out), name


def test_every_code_has_a_place_that_raises_it() -> None:
    raised = {code for path in FILES for code in CODE.findall(body_of(path.stem))}
    # A router alone raises this one.
    assert raised | {"PW401"} == CODES
    assert "PW401" in (DB / "cluster/router/internal/_begin_call.sql").read_text()


def test_every_table_view_type_and_sequence_is_described(conn: psycopg.Connection) -> None:
    undescribed = conn.execute(
        """
        select c.relname
        from pg_class as c
        where c.relnamespace = 'pgwallet'::regnamespace and c.relkind in ('r', 'v', 'm', 'p', 'f')
          and c.relname !~ '^(_?yoyo)' and obj_description(c.oid, 'pg_class') is null
        union all
        select t.typname
        from pg_type as t
        where t.typnamespace = 'pgwallet'::regnamespace and t.typtype in ('e', 'd')
          and obj_description(t.oid, 'pg_type') is null
        """
    ).fetchall()
    assert undescribed == []


VIEWS_TO_READ_FROM = b"""
  from pg_class as c
  join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
  where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'v'
    and c.relname not in ('installed_routine', 'flow')
"""


def test_every_column_of_a_view_is_described(conn: psycopg.Connection) -> None:
    described = conn.execute(
        b"select c.relname, a.attname, col_description(c.oid, a.attnum)" + VIEWS_TO_READ_FROM
    ).fetchall()
    assert len({view for view, _, _ in described}) == 6
    for view, column, comment in described:
        assert comment, f"{view}.{column} has no comment"
        assert comment.endswith("."), f"the comment of {view}.{column} does not end"


def test_a_view_has_ids_first_and_money_last_beside_its_currency(conn: psycopg.Connection) -> None:
    views = conn.execute(
        b"select c.relname, array_agg(a.attname::text order by a.attnum)"
        + VIEWS_TO_READ_FROM
        + b"group by c.relname"
    ).fetchall()
    for view, columns in views:
        money = [
            name.endswith(("amount", "balance", "max_pledge", "credit_limit")) for name in columns
        ]
        first = money.index(True)
        assert all(money[first:]), view
        assert columns[first - 1] == "currency", view
        ids = [name.endswith("_id") and name != "owner_id" for name in columns]
        assert not any(ids[ids.index(False) :]), view


def test_views_lean_on_no_function_of_the_schema(conn: psycopg.Connection) -> None:
    """So that every deployment can replace or remove functions, whatever the views are."""
    leaning = conn.execute(
        """
        select w.ev_class::regclass::text, d.refobjid::regprocedure::text
        from pg_rewrite as w
        join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
        join pg_proc as p on d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid
        where p.pronamespace = 'pgwallet'::regnamespace
        """
    ).fetchall()
    assert leaning == []


def test_nobody_is_granted_a_table(conn: psycopg.Connection) -> None:
    granted = conn.execute(
        """
        select c.relname, g.grantee::regrole
        from pg_class as c
        cross join lateral aclexplode(c.relacl) as g
        where c.relnamespace = 'pgwallet'::regnamespace and g.grantee <> c.relowner
        """
    ).fetchall()
    assert granted == []


def checkable(conn: psycopg.Connection) -> bool:
    row = conn.execute("select from pg_available_extensions where name = 'plpgsql_check'")
    return row.fetchone() is not None


@pytest.fixture
def checked_database(database: str, connect: Connect) -> Iterator[psycopg.Connection]:
    """A migrated database whose server has plpgsql_check: this one, or else the installed one."""
    with connect(autocommit=True) as here:
        if checkable(here):
            yield here
            return
    with ExitStack() as stack:
        system = stack.enter_context(servers.running("system"))
        stack.enter_context(databases.owner_role(system))
        name = stack.enter_context(databases.created(system))
        conninfo = make_conninfo(system, dbname=name)
        pgwallet.migrate(databases.as_owner(conninfo))
        conn = stack.enter_context(psycopg.connect(conninfo, autocommit=True))
        if not checkable(conn):
            reason = "plpgsql_check is not installed: apt-get install postgresql-15-plpgsql-check"
            in_container = os.environ.get("PGWALLET_TEST_SERVER", "").startswith("testcontainers")
            if os.environ.get("CI") == "true" and not in_container:
                pytest.fail(reason)
            pytest.skip(reason)
        yield conn


def test_plpgsql_check_finds_nothing(checked_database: psycopg.Connection) -> None:
    conn = checked_database
    conn.execute("create extension plpgsql_check")
    checked = conn.execute(
        """
        select p.oid::regprocedure::text, f.lineno, f.level, f.message, f.detail
        from pg_proc as p
        join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
        cross join lateral plpgsql_check_function_tb(
          p.oid,
          case
            when p.prorettype = 'trigger'::regtype then 'pgwallet.transaction'::regclass else 0
          end
        ) as f
        where p.pronamespace = 'pgwallet'::regnamespace
        """
    ).fetchall()
    assert checked == []
