"""Texts that would be code somewhere: every text argument takes them as they are, or refuses."""

import json
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests import clusters
from tests.attackers.attempts import DONE, outcome, outcome_of
from tests.attackers.business import full_call
from tests.attackers.conftest import Login
from tests.attackers.stage import Stage
from tests.attackers.traps import listening
from tests.catalogue.calls import CALLS, KEYED
from tests.catalogue.kinds import METADATA
from tests.ledger.calling import call

pytestmark = pytest.mark.sql

STRIKE = "select lair.struck()"
PAYLOADS = {
    "quote": f"'; {STRIKE}; --",
    "two quotes": f"''; {STRIKE}; --",
    "double quote": f'"; {STRIKE}; --',
    "closing": f"'); {STRIKE}; drop table pgwallet.posting; --",
    "union": "' union select lair.struck()::text --",
    "concatenation": "' || lair.struck() || '",
    "backslash": f"\\'; {STRIKE}; --",
    "escape": "\\x27\\u0027\\047",
    "dollars": f"$$; {STRIKE}; $$ $function$; {STRIKE}; $function$",
    "places": "%s %I %L %1$s %2$I %99$s %n %% %*s",
    "place": "%",
    "braces": "{0} {name} ${PATH} `id` $(id)",
    "array": '{"a","b",NULL}',
    "row": "(1,2,)",
    "comment": f"/* {STRIKE} */ -- {STRIKE}",
    "lines": f"a\n;{STRIKE};\r\n\\! id\n\\copy x from y",
    "null": "null",
    "regexp": "(((((a*)*)*)*)*)*$[[:space:]]",
    "right to left": "\u202egnissap\u202c \u2066a\u2069",
    "zero width": "a\u200b\u200c\u200d\ufeffb",
    "combining": "Z\u0351\u036b\u0343\u036a\u0302 a\u0300\u0301",
    "astral": "\U0001f4b8\U0001d573",
    "longest": "x" * 200,
    "longest in bytes": "\U0001f4b8" * 200,
    "too long": "x" * 201,
    "very long": "'" * 100_000,
    "blank": " \t\n",
    "empty": "",
    "no-break spaces": "\u00a0\u3000\u2003",
}
# What a call may be refused for because it was made before.
AGAIN = ("PW002", "PW202", "PW204", "PW206")
# Which arguments are texts is asked of the server; the two procedures take none.
TEXT_ARGUMENTS = """
  select p.proname, a.name, format_type(a.type, null)
  from pg_proc as p
  cross join lateral unnest(p.proargnames[1:p.pronargs], p.proargtypes::oid[]) as a (name, type)
  where p.pronamespace = 'pgwallet'::regnamespace and has_function_privilege(p.oid, 'execute')
    and a.type = any (array['text', 'text[]', 'jsonb', 'jsonb[]']::regtype[]::oid[])
  order by 1, 2
"""


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_text_is_a_text_in_every_argument(
    stage: Stage, stage_shards: clusters.Shards | None, sessions: Login, payload: str
) -> None:
    conn, text = sessions("operator"), PAYLOADS[payload]
    arguments = conn.execute(TEXT_ARGUMENTS).fetchall()
    assert len(arguments) > 25
    with listening(conn) as victims:
        for name, argument, kind in arguments:
            if name in clusters.BESIDES:
                continue
            given: Any = json.dumps({text: [text]}) if kind.startswith("jsonb") else text
            given = [given] if kind.endswith("[]") else given
            call_arguments = full_call(name, stage.world) | {argument: given}
            expected = {DONE, "PW003" if argument == "p_currency" else "PW002"}
            for undone in (False, True):
                with conn.transaction(force_rollback=True):
                    code = outcome_of(conn, name, **call_arguments)
                    again = outcome_of(conn, name, **call_arguments)
                if code in expected or stage_shards is None or undone:
                    break
                # A call before it, which no rollback took back, may have frozen what it needs.
                stage_shards.reset()
            assert code in expected, f"{name}({argument})"
            assert again in (code, *AGAIN), f"{name}({argument})"
    assert victims == []


@pytest.mark.parametrize(
    "payload", [name for name, text in PAYLOADS.items() if text.strip() and len(text) <= 200]
)
def test_what_was_stored_comes_back_letter_by_letter(
    stage: Stage, sessions: Login, payload: str
) -> None:
    conn, text = sessions("app"), PAYLOADS[payload]
    with conn.transaction(force_rollback=True):
        (wallet,) = call(conn, "create_wallet", text)
        assert wallet["owner_id"] == text
        wallet_id = wallet["wallet_id"]
        (pocket,) = call(conn, "create_pocket", wallet_id, text, 100, text)
        assert (pocket["name"], pocket["pocket_type"]) == (text, text)
        (project,) = call(conn, "create_project", text)
        assert project["reference"] == text
        metadata = {text: [text, {"deep": text}]}
        for replayed in (False, True):
            (deposit,) = call(conn, "deposit", wallet_id, 10, text, json.dumps(metadata))
            assert deposit["replayed"] is replayed
        (line,) = call(conn, "statement", wallet_id)
        assert line["metadata"] == metadata
        (share,) = call(conn, "allocate_deposit", wallet_id, 1)
        assert share["name"] == text
        # A key that was used tells in its error for what, and quotes it.
        assert (
            outcome_of(conn, "withdraw", p_wallet_id=wallet_id, p_amount=1, p_idempotency_key=text)
            == "PW203"
        )


@pytest.mark.parametrize(
    ("code", "argument"),
    [
        ("54000", "chr(0)"),
        ("22021", "convert_from('\\x6100'::bytea, 'UTF8')"),
        ("22021", "convert_from('\\xff'::bytea, 'UTF8')"),
        ("22021", "convert_from('\\xeda080'::bytea, 'UTF8')"),
        ("22P05", "'\"\\u0000\"'::jsonb::text"),
    ],
)
def test_what_is_no_text_does_not_get_in(
    stage: Stage, sessions: Login, code: str, argument: str
) -> None:
    conn = sessions("app")
    for statement in (
        f"select pgwallet.create_wallet({argument})",
        f"select pgwallet.create_project({argument})",
        f"select pgwallet.deposit({stage.world.wallet}, 1, {argument})",
        f"select pgwallet.deposit_many(array[{stage.world.wallet}], array[1], array[{argument}])",
    ):
        assert outcome(conn, statement) == code


@pytest.mark.parametrize(
    ("code", "metadata"),
    [
        ("22P02", "{"),
        ("22P02", "{'a': 1}"),
        ("22P02", '{"a": NaN}'),
        ("22P02", ""),
        ("22P02", '"a" "b"'),
        ("22P02", '"\\ud800"'),
        ("22P05", '"\\u0000"'),
        ("54001", "[" * 100_000),
    ],
)
def test_what_is_no_json_does_not_get_in(
    stage: Stage, sessions: Login, code: str, metadata: str
) -> None:
    conn, world = sessions("operator"), stage.world
    for name in KEYED:
        for argument in CALLS[name].arguments:
            if CALLS[name].kind(argument) is METADATA:
                given = [metadata] if argument.is_array else metadata
                arguments = full_call(name, world) | {argument.name: given}
                assert outcome_of(conn, name, **arguments) == code


@pytest.mark.parametrize("grant", ["grant_app", "grant_operator", "grant_auditor"])
def test_a_name_of_a_role_is_a_name(own_stage: Stage, grant: str) -> None:
    """Called by the owner, with names that an attacker might talk them into."""
    role = f'"; {STRIKE}; --'
    with own_stage.superuser() as admin, own_stage.owner() as conn, listening(conn) as victims:
        for payload, text in PAYLOADS.items():
            code = outcome(conn, f"select pgwallet.{grant}(%s)", [text])
            assert code == "PW002", payload
        name = sql.Identifier(role)
        admin.execute(sql.SQL("create role {}").format(name))
        try:
            assert outcome(conn, f"select pgwallet.{grant}(%s)", [role]) == DONE
        finally:
            admin.execute(sql.SQL("drop owned by {name}; drop role {name}").format(name=name))
        assert victims == []


def test_an_error_of_a_thousand_pages_is_still_an_error(stage: Stage, sessions: Login) -> None:
    conn = sessions("app")
    with pytest.raises(psycopg.Error) as refusal:
        call(conn, "create_wallet", "bob", "%" * 1_000_000)
    assert refusal.value.sqlstate == "PW003"
    assert len(refusal.value.diag.message_primary or "") < 1_000
