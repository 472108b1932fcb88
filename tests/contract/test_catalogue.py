"""The catalogue of calls says of the public functions what the database says of them."""

import re

import psycopg
import pytest

from tests.catalogue.access import ACCESSES
from tests.catalogue.call_of import KEY, KEYS
from tests.catalogue.calls import CALLS, good
from tests.catalogue.kinds import KINDS
from tests.catalogue.signatures import SIGNATURES
from tests.catalogue.spoiling import STATES
from tests.catalogue.world import HOLDS, world_in

pytestmark = pytest.mark.sql

PUBLIC = r"""
  select p.proname, p.prokind::text, p.proargnames[:p.pronargs], p.proargtypes::regtype[]::text[],
    pg_get_function_arguments(p.oid), p.pronargdefaults
  from pg_proc as p
  where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%'
  order by p.proname
"""


def test_every_public_function_has_an_entry(conn: psycopg.Connection) -> None:
    assert [name for name, *_ in conn.execute(PUBLIC)] == sorted(CALLS)


def test_arguments_are_read_from_the_files_as_the_database_has_them(
    conn: psycopg.Connection,
) -> None:
    for name, kind, names, types, shown, defaults in conn.execute(PUBLIC).fetchall():
        signature = SIGNATURES[name]
        assert signature.is_procedure == (kind == "p")
        assert [argument.name for argument in signature.arguments] == (names or [])
        resolved = conn.execute(
            "select array_agg(t.name::regtype::text order by t.place) "
            "from unnest(%s::text[]) with ordinality as t (name, place)",
            [[argument.type for argument in signature.arguments]],
        ).fetchone()
        assert resolved == (types or None,)
        has_default = [argument for argument in signature.arguments if argument.default]
        assert len(has_default) == defaults
        takes_null = [argument for argument in signature.arguments if argument.takes_null]
        assert shown.count("DEFAULT NULL") == len(takes_null), name


def test_every_argument_has_a_kind() -> None:
    """Whoever adds an argument of a new kind says in kinds.py what is wrong for it."""
    used = {argument.name for call in CALLS.values() for argument in call.arguments}
    assert used == set(KINDS)
    for call in CALLS.values():
        assert set(call.kinds) <= {argument.name for argument in call.arguments}


def test_a_function_is_keyed_as_its_arguments_say(conn: psycopg.Connection) -> None:
    for name, _, _, _, shown, _ in conn.execute(PUBLIC).fetchall():
        keyed = re.search(rf"\b({KEY}|{KEYS}) text(\[\])? DEFAULT NULL\b", shown)
        assert CALLS[name].is_keyed == bool(keyed), name


@pytest.mark.parametrize("access", ACCESSES)
def test_a_function_is_given_to_whom_the_catalogue_says(
    conn: psycopg.Connection, access: str
) -> None:
    role = f"catalogue_{access}"  # rolled back with the test
    conn.execute(f"create role {role}".encode())
    conn.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])
    given = conn.execute(
        r"""
        select p.proname from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%%'
          and has_function_privilege(%s, p.oid, 'execute')
        """,
        [role],
    ).fetchall()
    assert {name for (name,) in given} == {n for n, c in CALLS.items() if access in c.given_to}


def test_a_good_call_names_what_the_function_takes(conn: psycopg.Connection) -> None:
    world = world_in(conn)
    for name, call in CALLS.items():
        arguments = good(name, world)
        taken = {argument.name: argument for argument in call.arguments}
        assert set(arguments) <= set(taken), name
        required = {each.name for each in call.arguments if each.default is None}
        assert required <= set(arguments), name
        for argument, value in arguments.items():
            assert isinstance(value, list) == taken[argument].is_array, name


def test_a_full_call_has_every_argument(conn: psycopg.Connection) -> None:
    """Else one that may be left out would never be tried; kinds.py has an example of each."""
    world = world_in(conn)
    for name, call in CALLS.items():
        arguments = call.with_everything(good(name, world))
        full = call.keyed(arguments, "key") if call.is_keyed else arguments
        assert set(full) == {argument.name for argument in call.arguments}, name


def test_what_is_keyed_moves_something() -> None:
    """But for what the platform earned, which is one account for all worlds."""
    for name, call in CALLS.items():
        assert bool(call.moves) == (call.is_keyed and name != "collect_earnings"), name
        assert set(call.moves) <= set(HOLDS), name


def test_every_refusal_of_a_state_has_its_place_in_the_order() -> None:
    """What is malformed needs no place of its own."""
    for name, call in CALLS.items():
        for code, _ in call.refused:
            assert code in (*STATES, "PW002"), name
