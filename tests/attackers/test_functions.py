"""No attacker calls a function that is not theirs, directly or by a detour."""

from decimal import Decimal

import psycopg
import pytest

from tests import clusters
from tests.attackers.attempts import DONE, not_refused, outcome_of
from tests.attackers.business import AMOUNT, RIGHTS, day, full_call, in_a_day
from tests.attackers.conftest import Login
from tests.attackers.stage import ATTACKERS, Stage
from tests.catalogue.access import ACCESSES
from tests.catalogue.calls import CALLS, MOVING, good
from tests.catalogue.world import HOLDS
from tests.ledger.calling import call

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
    for name, kind, signature, called in routines:
        if name in RIGHTS[attacker] or name in clusters.BESIDES:
            continue
        run = f"call {called}" if kind == "p" else f"select {called}"
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
                f"create temp table mine (x text default ({called})::text); "
                "insert into mine default values"
            )
        if "()" in signature:
            tries.append(
                "create table lair.mine (); create trigger mine before insert on lair.mine "
                f"execute function {signature}"
            )
    assert len(tries) > 80
    refused_for_other_reasons = not_refused(sessions(attacker), tries)
    # A default of a column cannot return a set; a trigger's function cannot be cast.
    assert {
        statement: code
        for statement, code in refused_for_other_reasons.items()
        if not (statement.startswith("create temp table") and code in ("0A000", "42846"))
    } == {}


@pytest.mark.parametrize("access", ACCESSES)
def test_what_the_access_gives_works(stage: Stage, sessions: Login, access: str) -> None:
    conn = sessions(access)
    answers = day(conn, stage.world, access)
    assert list(answers) == in_a_day(access)
    assert answers.get("check_ledger", [[]]) == [[]]
    for name in in_a_day(access):
        with conn.transaction(force_rollback=True):
            # With those arguments alone that it needs.
            assert outcome_of(conn, name, **good(name, stage.world)) == DONE, name


@pytest.mark.parametrize("name", MOVING)
def test_a_key_given_again_moves_nothing_more(stage: Stage, sessions: Login, name: str) -> None:
    conn, world = sessions("operator"), stage.world

    def holdings() -> dict[str, Decimal]:
        return {
            account: call(conn, "balance", getattr(world, account))[0]["balance"]
            for account in HOLDS
        }

    with conn.transaction(force_rollback=True):
        first = call(conn, name, **full_call(name, world))
        moved = holdings()
        assert moved == {
            account: amount + CALLS[name].effect(account) * AMOUNT
            for account, amount in HOLDS.items()
        }
        again = call(conn, name, **full_call(name, world))
        assert again == [{**row, "replayed": True} for row in first]
        assert [row["replayed"] for row in first] == [False]
        assert holdings() == moved


def test_an_auditor_may_call_nothing_that_writes_but_that_they_checked(
    conn: psycopg.Connection,
) -> None:
    """What is not volatile may not write: the server sees to that.

    The feed has to see what it waited for; tests/following runs it where only reading is allowed.
    """
    rows = conn.execute(
        "select p.proname from pg_proc as p "
        "where p.pronamespace = 'pgwallet'::regnamespace and p.provolatile <> 'v'"
    ).fetchall()
    assert RIGHTS["auditor"] - {"record_check", "read_feed"} <= {name for (name,) in rows}


@pytest.mark.parametrize("name", sorted(set(CALLS) - RIGHTS["auditor"]))
def test_an_auditor_writes_nothing(
    stage: Stage, sessions: Login, routines: list[tuple[str, str, str, str]], name: str
) -> None:
    conn = sessions("auditor")
    ((kind, statement),) = [(kind, call) for each, kind, _, call in routines if each == name]
    run = f"call {statement}" if kind == "p" else f"select {statement}"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=name):
        conn.execute(run.encode())
