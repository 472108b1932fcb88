"""An attacker's functions, operators and types on search_path and in pg_temp are never run."""

from contextlib import suppress

import psycopg
import pytest
from psycopg import sql

import pgwallet
from tests import clusters
from tests.attackers.business import day, full_call, in_a_day
from tests.attackers.conftest import Login
from tests.attackers.stage import Stage
from tests.attackers.traps import PATHS, arm, listening, stop_at
from tests.catalogue.access import ACCESSES
from tests.databases import OWNER
from tests.ledger.calling import value

pytestmark = pytest.mark.sql

ROUTINES = """
  select p.oid::regprocedure::text from pg_proc as p
  where p.pronamespace = 'pgwallet'::regnamespace and p.prokind = 'f'
"""


def unpin(stage: Stage, clause: str) -> None:
    """Leaves every function of the ledger to look up names as the clause has it."""
    with stage.superuser() as conn:
        for (signature,) in conn.execute(ROUTINES).fetchall():
            conn.execute(f"alter function {signature} {clause}".encode())


def sprung_by_the_owner(stage: Stage, path: str) -> set[str]:
    """The functions in which an operator's traps ran with the owner's rights."""
    with stage.superuser() as conn:
        stop_at(conn, OWNER)  # the check of the ledger would spring tens of thousands
    with stage.login("operator") as conn, conn.transaction(force_rollback=True):
        arm(conn, path)
        return {
            name
            for name in in_a_day("operator")
            if OWNER in victims_of(conn, name, full_call(name, stage.world))
        }


def victims_of(conn: psycopg.Connection, name: str, arguments: dict[str, object]) -> set[str]:
    statement = sql.SQL("select * from {}({})").format(
        sql.Identifier("pgwallet", name),
        sql.SQL(", ").join(
            sql.SQL("{} => %s").format(sql.Identifier(argument)) for argument in arguments
        ),
    )
    # What the trap breaks besides is of no interest here.
    with suppress(psycopg.Error), listening(conn) as victims, conn.transaction():
        conn.execute(statement, list(arguments.values()))
    return set(victims)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("access", ACCESSES)
def test_no_trap_is_sprung_and_every_answer_is_right(
    stage: Stage, stage_shards: clusters.Shards | None, sessions: Login, access: str, path: str
) -> None:
    expected = day(sessions(access), stage.world, access)
    if stage_shards is not None:
        stage_shards.reset()
    with stage.login(access) as conn, listening(conn) as victims:
        arm(conn, path)
        victims.clear()
        assert day(conn, stage.world, access) == expected
        assert victims == []


def test_the_traps_are_live(stage: Stage) -> None:
    with stage.login("app") as conn, listening(conn) as victims:
        arm(conn, "lair, pg_catalog, pg_temp")
        for statement in (
            "select 1.5 + 1.5",
            "select 7::bigint = 8::bigint",
            "select round(1.234, 2)",
            "select 'a'::text",
            "select sum(x) from (values (1.0)) as v (x)",
            "select count(*) from pg_trigger",
        ):
            victims.clear()
            conn.execute(statement.encode())
            assert set(victims) == {stage.roles["app"]}, statement


def test_the_same_traps_are_sprung_in_every_function_that_looks_names_up_along_the_path(
    own_stage: Stage,
) -> None:
    unpin(own_stage, "reset search_path")
    sprung = sprung_by_the_owner(own_stage, "lair, pg_catalog, pg_temp")
    # Names in a standard SQL body were resolved when it was made, and these pass its rows on.
    passing_on = {"get_escrow", "get_project", "get_transaction"}
    # They fail over a type or a comparison of rows that is not the one they were written for, or
    # over a catalog that they may not read.
    failing = {"currency_metrics", "list_rights", "show_deployment"}
    assert sprung == set(in_a_day("operator")) - passing_on - failing


def test_an_empty_search_path_would_let_types_of_pg_temp_in(own_stage: Stage) -> None:
    unpin(own_stage, "set search_path = ''")
    sprung = sprung_by_the_owner(own_stage, "pg_catalog")
    assert {"deposit", "pledge", "withdraw", "release_escrow", "deposit_many"} <= sprung


def test_an_attacker_s_type_is_converted_with_the_attacker_s_rights(stage: Stage) -> None:
    with stage.login("app") as conn, conn.transaction(force_rollback=True):
        conn.execute(
            """
            create type lair.money as (cents bigint);
            create function lair.in_euros(lair.money) returns numeric language plpgsql as
            'begin perform lair.struck(); return $1.cents / 100.0; end';
            create cast (lair.money as numeric) with function lair.in_euros as implicit
            """
        )
        with listening(conn) as victims:
            balance = value(
                conn,
                "select d.balance from pgwallet.deposit(%s, row(250)::lair.money) as d",
                stage.world.wallet,
            )
        assert str(balance) == "102.50"
        assert victims == [stage.roles["app"]]


@pytest.mark.parametrize("path", PATHS[:2])
@pytest.mark.parametrize(("procedure", "status"), [("release", "released"), ("refund", "refunded")])
def test_a_procedure_springs_no_trap_from_one_commit_to_the_next(
    own_stage: Stage, procedure: str, status: str, path: str
) -> None:
    world = own_stage.world
    with own_stage.login("operator") as conn, listening(conn) as victims:
        for _ in range(3):
            conn.execute("select pgwallet.pledge(%s, %s, 5)", [world.wallet, world.open])
        arm(conn, path)
        # Sets the path again in the midst of the procedure, should it look up a type in pg_temp.
        conn.execute(
            """
            create function pg_temp.lure() returns boolean language sql
            return lair.struck() and set_config('search_path', 'lair, pg_catalog', false) <> '';
            alter domain pg_temp.text add check (pg_temp.lure())
            """
        )
        # What has expired is no part of a release.
        conn.execute("select * from pgwallet.refund_expired_escrows()")
        victims.clear()
        conn.execute(f"call pgwallet.{procedure}_project(%s::bigint, 1)".encode(), [world.open])
        assert victims == []
        conn.execute("reset search_path")
        assert conn.execute("select * from pgwallet.check_ledger()").fetchall() == []
    with own_stage.superuser() as observer:
        left = observer.execute(
            "select e.status::text, count(*) from pgwallet.escrow as e "
            "where e.project_id = %s group by 1",
            [world.open],
        ).fetchall()
    statuses: dict[str, int] = dict(left)
    assert statuses[status] >= 4
    assert "locked" not in statuses


OF_A_CLUSTER = """
create schema pgwallet_shard;
create schema pgwallet_call;
create function pgwallet_shard._check_alone(text, bigint) returns void language plpgsql as $trap$
begin perform lair.struck(); end $trap$;
grant usage on schema pgwallet_shard, pgwallet_call to public;
"""


def test_what_looks_like_a_part_of_a_cluster_is_neither_run_nor_believed(own_stage: Stage) -> None:
    """Only what the owner of the ledger has made is: others may be let create schemas, too."""
    with own_stage.superuser() as conn:
        for role in own_stage.roles.values():
            conn.execute(
                sql.SQL("grant create on database {} to {}").format(
                    sql.Identifier(conn.info.dbname), sql.Identifier(role)
                )
            )
    with own_stage.login("operator") as conn:
        conn.execute(OF_A_CLUSTER)
        conn.execute(
            sql.SQL("grant usage on schema pgwallet_call to {}").format(
                sql.Identifier(own_stage.roles["app"])
            )
        )
        with listening(conn) as victims:
            pgwallet.create_project(conn, "bridge")
        assert victims == []
    with own_stage.login("app") as conn:
        conn.execute("set pgwallet.caller = 'somebody else'")
        wallet = pgwallet.create_wallet(conn, "bob").wallet_id
    with own_stage.owner() as conn:
        (made,) = pgwallet.list_events(conn, wallet)
    assert made.changed_by == own_stage.roles["app"]
