"""The driver promises what the database does: names, defaults, columns and codes."""

import inspect
import re
from dataclasses import is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_type_hints

import psycopg
import pytest

import pgwallet
from pgwallet import PgWalletError
from pgwallet.errors import BY_SQLSTATE
from tests.driver.calling import CALLS, arguments_of

ROOT = Path(__file__).parents[2]

# The driver runs the batches of these two itself.
PROCEDURES = {"release_project", "refund_project"}
FUNCTIONS = sorted({*CALLS, *PROCEDURES})
# From psql, for the owner alone.
ADMINISTRATIVE = {"grant_app", "grant_operator", "grant_auditor", "grant_monitor"}
# What pgwallet.status calls.
OF_STATUS = {"list_rights", "list_sequences", "show_deployment"}


def test_every_public_function_of_the_database_is_in_the_driver(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        r"""
        select distinct p.proname
        from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%'
          and p.prorettype <> 'trigger'::regtype
        """
    )
    assert {row[0] for row in rows} - ADMINISTRATIVE - OF_STATUS == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_have_the_names_order_and_defaults_of_the_database(
    conn: psycopg.Connection, name: str
) -> None:
    row = conn.execute(
        """
        select p.proargnames[1:p.pronargs], p.pronargdefaults
        from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.proname = %s
        """,
        [name],
    ).fetchone()
    assert row is not None
    names, defaults = row
    parameters = arguments_of(name)
    assert [f"p_{parameter.name.rstrip('_')}" for parameter in parameters] == names
    assert sum(parameter.default is not parameter.empty for parameter in parameters) == defaults


def sql_default(conn: psycopg.Connection, name: str, position: int) -> object:
    row = conn.execute(
        """
        select pg_get_function_arg_default(p.oid, %s)
        from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.proname = %s
        """,
        [position, name],
    ).fetchone()
    assert row is not None
    value = conn.execute(f"select {row[0]}").fetchone()
    assert value is not None
    return value[0]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_defaults_are_those_of_the_database(conn: psycopg.Connection, name: str) -> None:
    for position, parameter in enumerate(arguments_of(name), start=1):
        if parameter.default is not parameter.empty:
            assert parameter.default == sql_default(conn, name, position), parameter.name


@pytest.mark.parametrize("name", sorted(CALLS))
def test_arguments_are_sent_as_the_types_of_the_database(
    conn: psycopg.Connection, name: str
) -> None:
    row = conn.execute(
        """
        select array(
          select format_type(a.type, null)
          from unnest(p.proargtypes) with ordinality as a (type, n)
          order by a.n
        )
        from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.proname = %s
        """,
        [name],
    ).fetchone()
    assert row is not None
    casts = re.findall(rb"p_\w+ => %\((\w+)\)s::([a-z]+(?:\[\])?)", CALLS[name].sql)
    assert [argument.decode() for argument, _ in casts] == [a.name for a in arguments_of(name)]
    types = [cast.decode().replace("timestamptz", "timestamp with time zone") for _, cast in casts]
    assert types == row[0]


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_database_has_the_columns_that_a_call_selects(
    conn: psycopg.Connection, name: str
) -> None:
    # Preparing looks up every name without running the function.
    sql = re.sub(rb"%\(\w+\)s", b"null", CALLS[name].sql)
    conn.execute(b"prepare a_call as " + sql)
    conn.execute("deallocate a_call")


ERRORS = list(BY_SQLSTATE.values())
EXCEPTIONS = set(BY_SQLSTATE)


def test_codes_raised_in_sql_are_the_exceptions_of_the_driver() -> None:
    raised = {
        code
        for path in (ROOT / "db").rglob("*.sql")
        for code in re.findall(r"'(PW\d{3})'", path.read_text())
    }
    assert raised == EXCEPTIONS


def test_codes_in_the_docs_are_the_exceptions_of_the_driver() -> None:
    documented = {
        code
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for code in re.findall(r"\bPW\d{3}\b", path.read_text())
    }
    assert documented - {"PW000"} == EXCEPTIONS


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    tree = dict(re.findall(r"^ *(\w+) +(PW\d{3})", pgwallet.errors.__doc__ or "", re.MULTILINE))
    expected = {"PgWalletError": "PW000"} | {error.__name__: error.sqlstate for error in ERRORS}
    assert tree == expected
    assert all(getattr(pgwallet, error.__name__) is error for error in ERRORS)


def has_amounts(returned: Any) -> bool:
    """Whether a result, one of it or a list of it is an amount or a row with some."""
    kinds = [returned, *get_args(returned)]
    rows = [kind for kind in kinds if is_dataclass(kind)]
    return Decimal in kinds or any(Decimal in get_type_hints(row).values() for row in rows)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_tell_the_units_result_exceptions_and_function(name: str) -> None:
    doc = inspect.getdoc(getattr(pgwallet, name)) or ""
    assert doc.splitlines()[0].endswith(".")
    assert "Returns" in doc
    returned = inspect.signature(getattr(pgwallet, name)).return_annotation
    assert "major units" in " ".join(doc.split()) or not has_amounts(returned)
    assert f"Calls pgwallet.{name}." in doc or name in PROCEDURES
    for error in re.findall(r"\b(?:[A-Z][a-z]+){2,}(?:100)?\b", doc.partition("Raises")[2]):
        assert error == "ProgrammingError" or issubclass(getattr(pgwallet, error), PgWalletError)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_name_the_exceptions_that_the_database_comments_do(
    conn: psycopg.Connection, name: str
) -> None:
    row = conn.execute(
        """
        select obj_description(p.oid, 'pg_proc')
        from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.proname = %s
        """,
        [name],
    ).fetchone()
    assert row is not None
    by_code = {error.sqlstate: error.__name__ for error in ERRORS}
    in_comment = {by_code[code] for code in re.findall(r"\bPW\d{3}\b", row[0])}
    raises = (inspect.getdoc(getattr(pgwallet, name)) or "").partition("Raises")[2]
    in_docstring = {error for error in by_code.values() if re.search(rf"\b{error}\b", raises)}
    assert in_docstring == in_comment
