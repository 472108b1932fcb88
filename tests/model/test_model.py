"""Any calls in any order: every result, refusal and balance is what a plain reference says."""

from collections.abc import Callable, Collection
from decimal import Context, localcontext

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.catalogue.calls import CALLS, KEYED, TOGETHER
from tests.effort import effort
from tests.model import reference
from tests.model.rules import Rules

# `make test-deep` sets the variable. In twenty nearly every refusal is met; a run goes on until all
# are, for at most so many.
EXAMPLES = effort("PGWALLET_MODEL_EXAMPLES", part=20, full=70)
ENOUGH = max(150, 3 * EXAMPLES)
STEPS = 40
# Hypothesis draws ten examples freely, and from then on varies each new one several times;
# starting again after ten meets more that is different.
EXAMPLES_A_RUN = 10
# So many meet each refusal and each replay of each function.
DEEP = 1000

pytestmark = [pytest.mark.sql, pytest.mark.timeout(600 + 4 * ENOUGH)]

FUNCTIONS = set(reference.__all__) - {"Books"}
# They tell of the database, or wait for other sessions: a reference has neither.
APART = {"list_rights", "list_sequences", "read_feed", "show_deployment"}
# Which refusals each function names in its comment.
DOCUMENTED = """
  select p.proname, m.code[1]
  from pg_proc as p
  cross join regexp_matches(obj_description(p.oid, 'pg_proc'), 'PW[0-9]{3}', 'g') as m (code)
  where p.pronamespace = 'pgwallet'::regnamespace and p.proname = any(%s)
"""


def test_the_reference_has_every_function_that_does_something_in_the_ledger() -> None:
    """All but the procedures, which commit, what gives rights, and what goes into no history."""
    assert {name for name in TOGETHER if CALLS[name].given_to} - APART == FUNCTIONS - APART


def test_the_ledger_agrees_with_the_reference_after_every_call(database: str) -> None:
    Rules.met.clear()
    # Amounts have up to 33 digits, and Python's own context would round what has more than 28.
    with psycopg.connect(database) as conn, localcontext(Context(prec=200)):
        # The ids that projects are given explicitly are not to come up by themselves.
        conn.execute("select setval('pgwallet.id_seq', 2000000)")
        documented = set(conn.execute(DOCUMENTED, [list(FUNCTIONS)]))
        conn.rollback()

        class Connected(Rules):
            def __init__(self) -> None:
                super().__init__(conn)

        codes = {code for _, code in documented}
        made = held_against_the_reference(
            Connected,
            EXAMPLES,
            ENOUGH,
            # By chance the last refusal, or a function's first success, may come late.
            lambda: (
                codes <= {outcome for _, outcome in Rules.met} and functions_done() == FUNCTIONS
            ),
        )

    # A run that met less would prove less than it says.
    refusals = {(name, outcome) for name, outcome in Rules.met if outcome.startswith("PW")}
    assert refusals <= documented
    assert {code for _, code in refusals} == codes
    assert functions_done() == FUNCTIONS
    if EXAMPLES >= DEEP:
        assert refusals == documented
        assert {name for name, outcome in Rules.met if outcome == "replayed"} == set(KEYED)
    calls = sum(Rules.met.values())
    print(f"{made} examples, {calls} calls, {len(Rules.met)} kinds of outcome")


def held_against_the_reference(
    machine: type[Rules],
    examples: int,
    at_most: int,
    is_enough: Callable[[], bool],
    phases: Collection[Phase] = tuple(Phase),
) -> int:
    """Makes so many examples, and more until they are enough; how many there were."""
    for made in range(0, at_most, EXAMPLES_A_RUN):
        if made >= examples and is_enough():
            break
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES_A_RUN,
                stateful_step_count=STEPS,
                database=None,
                # Where CI is set, Hypothesis would make the same examples in each run.
                derandomize=False,
                deadline=None,
                print_blob=True,
                phases=phases,
                report_multiple_bugs=False,
                # An example is as slow as the server, which no other draw would change.
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    return made


def functions_done() -> set[str]:
    return {name for name, outcome in Rules.met if outcome == "ok"}
