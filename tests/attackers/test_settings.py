"""Whatever a session may set changes no result; what would matter it may not set."""

import random
from contextlib import suppress

import psycopg
import pytest

from tests import clusters
from tests.attackers.attempts import DONE, FORBIDDEN, not_refused, outcome, outcome_of
from tests.attackers.business import day, full_call
from tests.attackers.conftest import Login
from tests.attackers.stage import ATTACKERS, Stage
from tests.catalogue.calls import CALLS, MOVING, given_to, good
from tests.catalogue.world import HOLDS
from tests.effort import effort
from tests.ledger.calling import call, value

# Without indexes and the like everything takes long, on PostgreSQL 15 above all.
pytestmark = [pytest.mark.sql, pytest.mark.timeout(400)]

# Of the settings, how many a run tries.
PERCENT = effort("PGWALLET_SETTINGS_PERCENT", part=25, full=100)
CANNOT_CHANGE_NOW = "55P02"
READ_ONLY = "25006"
# These end or refuse the whole session, or are those of a transaction; tests below set them.
APART = {
    "default_transaction_read_only",
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
}
TEXTS = {
    "DateStyle": ("German", "SQL, DMY", "Postgres, MDY", "ISO, YMD"),
    "TimeZone": ("Pacific/Kiritimati", "America/St_Johns", "-13:37"),
    "client_encoding": ("LATIN1", "WIN1252"),
    "default_table_access_method": ("heap",),
    "default_text_search_config": ("pg_catalog.german",),
    "lc_monetary": ("C",),
    "lc_numeric": ("C", "de_DE.UTF-8"),
    "lc_time": ("C",),
    "plpgsql.extra_errors": ("all",),
    "plpgsql.extra_warnings": ("all",),
    "restrict_nonsystem_relation_kind": ("view, foreign-table",),
    "search_path": ("", "lair", "lair, pg_temp, pgwallet"),
}
SETTINGS = """
  select s.name, s.category, s.vartype, s.setting, s.min_val, s.max_val, s.enumvals
  from pg_settings as s
  where s.context = 'user'
  order by s.name
"""
# A wallet's lock guards its pockets.
WAITING_FOR_A_WALLET = [name for name in MOVING if {"wallet", "pocket"} & set(CALLS[name].moves)]
# What it gives to auditors, too, and writes an event.
RECORDING = {"record_check"}
METHODS = "Query Tuning / Planner Method Configuration"

Values = dict[str, str]


def other_values(kind: str, now: str, bounds: tuple[str, str], choices: list[str]) -> list[str]:
    if kind == "bool":
        return ["off" if now == "on" else "on"]
    return [text for text in choices or bounds if text not in (now, None)]


def hostile_values(conn: psycopg.Connection) -> list[Values]:
    """Settings of a normal user at their other values or extremes, a category at once.

    The planner's methods come one by one: all of them off would leave it its favourite.
    """
    groups: dict[object, Values] = {}
    for name, category, kind, now, low, high, choices in conn.execute(SETTINGS).fetchall():
        if name in APART:
            continue
        texts = TEXTS.get(name, ()) if kind == "string" else ()
        values = texts or other_values(kind, now, (low, high), choices)
        for place, text in enumerate(values):
            group = (name if category == METHODS else category, place)
            groups.setdefault(group, {})[name] = text
    return list(groups.values())


def test_no_setting_of_a_session_changes_an_answer(stage: Stage) -> None:
    with stage.login("operator") as conn:
        expected = day(conn, stage.world, "operator")
        hostile = hostile_values(conn)
        assert sum(map(len, hostile)) > 150
        differing = []
        for values in random.sample(hostile, len(hostile) * PERCENT // 100):
            for name, text in values.items():
                # Some systems lack a locale, some builds JIT.
                with suppress(psycopg.errors.InvalidParameterValue):
                    conn.execute("select set_config(%s, %s, false)", [name, text])
            # Plans made before would hide what the planner's settings do.
            conn.execute("discard plans")
            try:
                if day(conn, stage.world, "operator") != expected:
                    differing.append(f"{values}")
            except psycopg.Error as error:
                differing.append(f"{values}: {error!r}")
            conn.execute("reset all")
        assert differing == []


@pytest.mark.parametrize(
    "settings",
    [
        "standard_conforming_strings=off backslash_quote=on escape_string_warning=off",
        "transform_null_equals=on array_nulls=off quote_all_identifiers=on",
        "check_function_bodies=off row_security=off plpgsql.variable_conflict=use_variable",
        "plan_cache_mode=force_generic_plan jit=on jit_above_cost=0 jit_inline_above_cost=0",
        "plan_cache_mode=force_custom_plan from_collapse_limit=1 join_collapse_limit=1 geqo=off",
        "enable_indexscan=off enable_indexonlyscan=off enable_bitmapscan=off enable_sort=off",
        "enable_seqscan=off enable_nestloop=off enable_hashjoin=off enable_hashagg=off",
        "parallel_setup_cost=0 parallel_tuple_cost=0 min_parallel_table_scan_size=0",
        "default_transaction_isolation=serializable default_transaction_deferrable=on",
        "default_transaction_isolation=repeatable\\ read DateStyle=German TimeZone=Asia/Kathmandu",
        "extra_float_digits=-15 bytea_output=escape IntervalStyle=sql_standard work_mem=64kB",
        "search_path=lair,pg_temp,pgwallet client_min_messages=error synchronous_commit=off",
    ],
)
def test_no_settings_from_the_start_change_an_answer(
    stage: Stage, sessions: Login, settings: str
) -> None:
    """A new session, because what it has parsed it does not parse again."""
    expected = day(sessions("operator"), stage.world, "operator")
    options = " ".join(f"-c {setting}" for setting in settings.replace("\\ ", "\0").split())
    with stage.login("operator", options=options.replace("\0", "\\ ")) as conn:
        assert day(conn, stage.world, "operator") == expected


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_settings_of_a_superuser_are_refused(stage: Stage, sessions: Login, attacker: str) -> None:
    conn = sessions(attacker)
    found = conn.execute(
        "select s.name, s.context from pg_settings as s where s.context <> 'user' order by 1"
    ).fetchall()
    assert ("session_replication_role", "superuser") in found
    for name, context in found:
        refusals = {FORBIDDEN} if context == "superuser" else {FORBIDDEN, CANNOT_CHANGE_NOW}
        change = "select set_config(%s, current_setting(%s), false)"
        assert outcome(conn, change, [name, name]) in refusals, name
    tries = [
        "set session_replication_role = replica",
        "set local session_replication_role = 'local'",
        "set session session authorization default; set session_replication_role = replica",
        # Before plpgsql is loaded the name would stand for nothing yet; it is ignored later.
        "do 'begin end'; set plpgsql.variable_conflict = use_column",
        "set allow_system_table_mods = on",
        "set zero_damaged_pages = on",
        "set lo_compat_privileges = on",
        "set dynamic_library_path = '/tmp'",
        "set session_preload_libraries = 'auto_explain'",
        "create function lair.f() returns void language sql "
        "set session_replication_role = replica as ''",
        "alter role current_user set session_replication_role = replica",
        "alter role current_user set allow_system_table_mods = on",
    ]
    assert not_refused(conn, tries) == {}


@pytest.mark.parametrize("setting", ["session_replication_role=replica", "role=postgres"])
def test_a_session_cannot_start_with_what_it_may_not_set(stage: Stage, setting: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        stage.login("operator", options=f"-c {setting}")


def test_a_read_only_session_writes_nothing(stage: Stage) -> None:
    reading = {*given_to("auditor"), "preview_allocation"} - RECORDING
    with stage.login("operator") as conn:
        conn.execute("set default_transaction_read_only = on")
        for name in {*given_to("operator")} - clusters.NOT_HERE:
            code = outcome_of(conn, name, **good(name, stage.world))
            assert code == (DONE if name in reading else READ_ONLY), name
        assert value(conn, "select pgwallet.balance(%s)", stage.world.wallet) == 100


@pytest.mark.parametrize("timeout", ["statement_timeout", "lock_timeout"])
def test_a_call_that_runs_out_of_time_leaves_nothing(own_stage: Stage, timeout: str) -> None:
    """The wallet is held, so a call can only wait; its key is free again afterwards."""
    world = own_stage.world
    with own_stage.superuser() as holder, own_stage.login("operator") as conn:
        conn.execute(f"set {timeout} = '50ms'".encode())
        with holder.transaction():
            holder.execute(
                "select from pgwallet.account where account_id = %s for update", [world.wallet]
            )
            code = "57014" if timeout == "statement_timeout" else "55P03"
            for name in WAITING_FOR_A_WALLET:
                assert outcome_of(conn, name, **full_call(name, world)) == code, name
        conn.execute(f"reset {timeout}".encode())
        for account, held in HOLDS.items():
            assert value(conn, "select pgwallet.balance(%s)", getattr(world, account)) == held
        for name in WAITING_FOR_A_WALLET:
            with conn.transaction(force_rollback=True):
                (row,) = call(conn, name, **full_call(name, world))
                assert row["replayed"] is False, name
        assert conn.execute("select * from pgwallet.check_ledger()").fetchall() == []
