"""Each function, single and bulk, in each state: it goes on, or is refused as the docs say.

A cell that a function has no entry for means that it goes on; whoever adds a function that a state
stops says so in its entry of the catalogue, in `states`.
"""

import psycopg
import pytest

import pgwallet
from tests.catalogue.calls import CALLS, TOGETHER, good
from tests.catalogue.states import GOES_ON, LEFT_OUT, OWING, STATES, answer
from tests.catalogue.world import World, world_in
from tests.ledger.calling import call

CHANGING = [name for name, each in CALLS.items() if each.changes_something]
FUNCTIONS = [name for name in CHANGING if name in TOGETHER]
PROCEDURES = [name for name in CHANGING if CALLS[name].signature.is_procedure]

pytestmark = pytest.mark.sql


def escrows(conn: psycopg.Connection, world: World) -> set[tuple[object, ...]]:
    return set(
        conn.execute(
            "select escrow_id, released_amount, refunded_amount from pgwallet.escrow "
            "where wallet_id = %s",
            [world.wallet],
        )
    )


def settled(conn: psycopg.Connection, world: World, name: str) -> set[object]:
    """Makes the good call; of which escrows it has released or refunded anything."""
    before = escrows(conn, world)
    if CALLS[name].signature.is_procedure:
        (project_id,) = good(name, world).values()
        conn.execute(f"call pgwallet.{name}(%s)".encode(), [project_id])
    else:
        call(conn, name, **good(name, world))
    known = {escrow_id for escrow_id, *_ in before}
    return known & {escrow_id for escrow_id, *_ in escrows(conn, world) - before}


def told(conn: psycopg.Connection, world: World, name: str, usually: set[object]) -> str:
    """What the good call answers now; `usually` are the escrows that it settles in no state."""
    try:
        now = settled(conn, world, name)
    except psycopg.Error as error:
        return str(error.sqlstate)
    return GOES_ON if now >= usually else LEFT_OUT


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_answers_in_each_state_as_the_catalogue_says(
    undone: psycopg.Connection, world: World, name: str
) -> None:
    conn = undone
    if name == "refund_expired_escrows":
        conn.execute(
            "update pgwallet.escrow set expires_at = created_at where escrow_id = %s",
            [world.escrow],
        )
    with conn.transaction(force_rollback=True):
        usually = settled(conn, world, name)
    answers = {}
    for state, make in STATES.items():
        with conn.transaction(force_rollback=True):
            make(conn, world)
            with conn.transaction(force_rollback=True):
                answers[state] = told(conn, world, name, usually)
    assert answers == {state: answer(CALLS[name], state) for state in STATES}


@pytest.mark.parametrize("name", PROCEDURES)
def test_a_procedure_answers_in_each_state_as_the_catalogue_says(database: str, name: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        usually = settled(conn, world := world_in(conn), name)
        answers = {}
        for state, make in STATES.items():
            world = world_in(conn, f" of {state}")
            make(conn, world)
            # Ids are other ones in each world, but as many.
            now = told(conn, world, name, set())
            left = pgwallet.get_escrow(conn, world.escrow).locked_amount
            answers[state] = LEFT_OUT if now == GOES_ON and usually and left else now
        assert answers == {state: answer(CALLS[name], state) for state in STATES}


def test_every_entry_is_of_a_state_that_there_is() -> None:
    for name, each in CALLS.items():
        assert set(each.states) <= set(STATES), name
        assert GOES_ON not in each.states.values(), name
        assert each.changes_something or not each.states, name


def test_who_owes_something_is_told_what_it_owes(undone: psycopg.Connection, world: World) -> None:
    STATES[OWING](undone, world)
    assert {pgwallet.balance(undone, each) for each in (world.wallet, world.open)} == {-50}
    assert pgwallet.check_ledger(undone) == []
