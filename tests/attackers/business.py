"""A day of honest calls: each function that an access may call, with good arguments."""

from decimal import Decimal
from typing import Any

import psycopg

from tests import clusters
from tests.attackers import attempts
from tests.catalogue.access import ACCESSES
from tests.catalogue.call_of import Arguments
from tests.catalogue.calls import CALLS, given_to
from tests.catalogue.world import World
from tests.ledger.calling import call

Answers = dict[str, list[list[dict[str, Any]]]]

AMOUNT = Decimal("5.10")  # a tenth of which is whole cents

# What each role may call.
RIGHTS: dict[str, set[str]] = {access: set(given_to(access)) for access in ACCESSES} | {
    "nobody": set()
}

# Arguments of functions that applications may call, but not with these.
OF_OPERATORS = {"create_project": {"p_project_id"}}


def in_a_day(access: str) -> list[str]:
    """Two procedures commit, so they have no place in a day that is undone."""
    return [
        name
        for name in given_to(access)
        if not CALLS[name].signature.is_procedure and name not in clusters.NOT_HERE
    ]


def full_call(name: str, world: World, times: int = 1) -> Arguments:
    """A good call with a value for each argument; of arrays, so many elements alike."""
    its = CALLS[name]
    arguments = {
        argument: value * times if isinstance(value, list) else value
        for argument, value in its.with_everything(its.good(world, AMOUNT)).items()
    }
    return its.keyed(arguments, f"the day's {name}") if its.is_keyed else arguments


def told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the rows say, without ids and times, which are others each time."""
    return [
        {
            column: value
            for column, value in row.items()
            if not column.endswith(("_id", "_at", "next_value")) and value != ""
        }
        for row in rows
    ]


def day(conn: psycopg.Connection, world: World, access: str) -> Answers:
    """What each function answers to the access, and again by its key; all of it is undone."""
    answers: Answers = {}
    for name in in_a_day(access):
        arguments = full_call(name, world, times=2)
        if access == "app":
            arguments = {a: v for a, v in arguments.items() if a not in OF_OPERATORS.get(name, ())}
        with conn.transaction(force_rollback=True):
            if CALLS[name].alone:
                # Wherever it waits for others, it has to see what they did.
                conn.execute("set transaction isolation level read committed")
            for _ in range(2 if CALLS[name].is_keyed else 1):
                attempts.tried.append(name)
                answers.setdefault(name, []).append(told(call(conn, name, **arguments)))
    return answers
