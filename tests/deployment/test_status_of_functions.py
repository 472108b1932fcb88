"""Each property of a function is held against its file, whatever the database has recorded."""

import psycopg
import pytest

from pgwallet.deployment.drift import MIGRATE
from pgwallet.deployment.functions import texts_in
from tests.deployment.damage import CODE, drift_after, drift_of

pytestmark = pytest.mark.sql

BALANCE = "pgwallet.balance(bigint)"
EDITS = {
    "text": (
        f"""do $$ begin execute replace(
          pg_get_functiondef('{BALANCE}'::regprocedure), 'v_balance', 'v_other'); end $$""",
        "text",
    ),
    "a blank": (
        f"""do $$ begin execute replace(
          pg_get_functiondef('{BALANCE}'::regprocedure), 'begin', 'begin '); end $$""",
        "text",
    ),
    "text and record": (
        f"""do $$ begin execute replace(
          pg_get_functiondef('{BALANCE}'::regprocedure), 'v_balance', 'v_other');
          insert into pgwallet.deployment (version, source_hash, owner_name)
          select d.version, d.source_hash, d.owner_name from pgwallet.deployment as d; end $$""",
        "text",
    ),
    "rights of the caller": (f"alter function {BALANCE} security invoker", "security definer"),
    "path": (f"alter function {BALANCE} set search_path = public", "settings"),
    "one more setting": (f"alter function {BALANCE} set work_mem = '1GB'", "settings"),
    "volatility": (f"alter function {BALANCE} immutable", "volatility"),
    "null": (f"alter function {BALANCE} strict", "strict"),
    "parallel": (f"alter function {BALANCE} parallel safe", "parallel"),
    "cost": (f"alter function {BALANCE} cost 7", "cost"),
    "comment": (f"comment on function {BALANCE} is 'mine'", "comment"),
    "no comment": (f"comment on function {BALANCE} is null", "comment"),
}


@pytest.mark.parametrize(("statement", "property_name"), EDITS.values(), ids=EDITS)
def test_an_edited_function_is_named_with_what_was_edited(
    conn: psycopg.Connection, statement: str, property_name: str
) -> None:
    (drift,) = drift_after(conn, statement)
    assert (drift.kind, drift.name, drift.what) == ("function", BALANCE, "edited")
    assert drift.detail == f"another {property_name}"
    assert drift.remedy == MIGRATE


def test_the_text_of_standard_sql_is_held_against_what_was_read(conn: psycopg.Connection) -> None:
    drift = drift_after(
        conn,
        """
        create or replace function pgwallet._apply_rate(
          p_amount numeric, p_before numeric, p_taken numeric, p_rate numeric, p_exponent integer
        )
        returns numeric language sql immutable return p_amount
        """,
    )
    assert [each.detail for each in drift] == ["another sql body"]


def test_what_is_asked_for_a_comparison_is_not_called_once_it_was_edited(
    conn: psycopg.Connection,
) -> None:
    """Status may run as a superuser, and an edited function does what somebody wants."""
    for name in ("list_rights()", "_rights_of(text)", "list_sequences()"):
        conn.execute(
            f"""do $$ begin execute replace(
              pg_get_functiondef('pgwallet.{name}'::regprocedure), 'begin',
              'begin raise exception ''called'';'); end $$""".encode()
        )
    assert {each.name for each in drift_of(conn)} == {
        "pgwallet.list_rights()",
        "pgwallet._rights_of(text)",
        "pgwallet.list_sequences()",
    }


def test_the_text_of_each_function_is_found_in_its_file() -> None:
    texts = dict(texts_in(CODE.functions))
    for properties in CODE.schema["function"].values():
        text = texts.pop(properties["short_name"])
        assert (text.body is None) == ("sql_body" in properties), properties["short_name"]
        assert bool(text.comment) == (not properties["short_name"].startswith("_"))
    assert texts == {}
