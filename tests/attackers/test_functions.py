"""No attacker calls a function that is not theirs, directly or by a detour."""

import psycopg
import pytest

from tests.attackers.attempts import not_refused
from tests.attackers.business import DAYS, MOVING_MONEY, RIGHTS, day
from tests.attackers.conftest import Login
from tests.attackers.stage import ACCESSES, ATTACKERS, Stage

pytestmark = pytest.mark.sql


@pytest.fixture(scope="module")
def routines(shared_stage: Stage) -> list[tuple[str, str, str, str]]:
    """Name, kind, signature, and a call with nulls, of everything in pg_proc."""
    with shared_stage.superuser() as conn:
        found = conn.execute(
            """
            select p.proname, p.prokind::text, p.oid::regprocedure::text,
              p.oid::regproc::text || '(' || coalesce((
                select string_agg('null::' || format_type(a.type, null), ', ' order by a.place)
                from unnest(p.proargtypes::oid[]) with ordinality as a (type, place)
              ), '') || ')'
            from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace
            order by 1
            """
        ).fetchall()
    assert set().union(*RIGHTS.values()) < {name for name, *_ in found}
    return found


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_other_functions_are_out_of_reach(
    stage: Stage, sessions: Login, routines: list[tuple[str, str, str, str]], attacker: str
) -> None:
    tries = []
    for name, kind, signature, call in routines:
        if name in RIGHTS[attacker]:
            continue
        run = f"call {call}" if kind == "p" else f"select {call}"
        tries += [
            run,
            f"do $do$ begin {run.replace('select', 'perform')}; end $do$",
            f"deallocate all; prepare thief as {run}; execute thief" if kind == "f" else run,
            f"create {'procedure' if kind == 'p' else 'function'} lair.detour() "
            f"{'' if kind == 'p' else 'returns void'} language plpgsql security definer as "
            f"$do$ begin {run.replace('select', 'perform')}; end $do$; "
            f"{'call' if kind == 'p' else 'select'} lair.detour()",
            f"grant execute on routine {signature} to current_user",
        ]
        if kind == "f":
            tries.append(
                f"create temp table mine (x text default ({call})::text); "
                "insert into mine default values"
            )
        if "()" in signature:
            tries.append(
                "create table lair.mine (); create trigger mine before insert on lair.mine "
                f"execute function {signature}"
            )
    assert len(tries) > 200
    refused_for_other_reasons = not_refused(sessions(attacker), tries)
    # A default of a column cannot return a set; a trigger's function cannot be cast.
    assert {
        statement: code
        for statement, code in refused_for_other_reasons.items()
        if not (statement.startswith("create temp table") and code in ("0A000", "42846"))
    } == {}


@pytest.mark.parametrize("access", ACCESSES)
def test_what_the_access_gives_works(stage: Stage, sessions: Login, access: str) -> None:
    answers = day(sessions(access), stage.world, access)
    assert answers.keys() == {name for name, _ in DAYS[access]}
    assert "check_ledger" not in answers or answers["check_ledger"] == [[]]


def test_an_auditor_may_call_nothing_that_moves_money() -> None:
    assert RIGHTS["auditor"] & MOVING_MONEY == set()
    assert RIGHTS["auditor"] | MOVING_MONEY >= RIGHTS["operator"] - {"preview_allocation"}


@pytest.mark.parametrize("name", sorted(MOVING_MONEY))
def test_an_auditor_writes_nothing(
    stage: Stage, sessions: Login, routines: list[tuple[str, str, str, str]], name: str
) -> None:
    conn = sessions("auditor")
    for each, kind, _, call in routines:
        if each == name:
            run = f"call {call}" if kind == "p" else f"select {call}"
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=name):
                conn.execute(run.encode())
            return
    pytest.fail(f"{name} does not exist")
