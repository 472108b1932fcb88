"""No attacker creates anything in the schema, or changes, takes or removes what is there."""

import pytest

from tests.attackers.attempts import DONE, FORBIDDEN, not_refused
from tests.attackers.conftest import Login
from tests.attackers.stage import ATTACKERS, Stage, superuser_name
from tests.databases import OWNER

pytestmark = pytest.mark.sql

each_attacker = pytest.mark.parametrize("attacker", ATTACKERS)

CREATING = """
create table pgwallet.mine (x bigint)
create table pgwallet.posting (x bigint)
create table if not exists pgwallet.mine ()
create unlogged table pgwallet.mine ()
create table pgwallet.mine as select 1 as x
select 1 as x into pgwallet.mine
create view pgwallet.mine as select 1 as x
create or replace view pgwallet.installed_routine as select 1 as x
create materialized view pgwallet.mine as select 1 as x
create sequence pgwallet.mine
create type pgwallet.mine
create type pgwallet.mine as enum ('a')
create type pgwallet.mine as (x bigint)
create type pgwallet.mine as range (subtype = bigint)
create domain pgwallet.mine as text
create domain pgwallet.numeric as pg_catalog.numeric
create function pgwallet.mine() returns integer language sql return 1
create function pgwallet.deposit(text, text) returns integer language sql return 1
create function pgwallet.deposit(bigint, integer) returns integer language sql return 1
create function pgwallet.withdraw(integer, integer) returns integer language sql return 1
create or replace function pgwallet.balance(p_account_id bigint) returns numeric \
language sql return 1
create or replace function pgwallet._refuse_amount(p_amount numeric) returns void \
language sql as ''
create procedure pgwallet.mine() language sql as ''
create aggregate pgwallet.sum(numeric) (sfunc = numeric_add, stype = numeric)
create operator pgwallet.+ (function = numeric_add, leftarg = numeric, rightarg = numeric)
create operator pgwallet.= (function = int8eq, leftarg = bigint, rightarg = bigint)
create operator family pgwallet.mine using btree
create operator class pgwallet.mine for type bigint using hash as operator 1 =
create collation pgwallet.mine from "C"
create conversion pgwallet.mine for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8
create text search configuration pgwallet.mine (copy = pg_catalog.simple)
create text search dictionary pgwallet.mine (template = pg_catalog.simple)
create statistics pgwallet.mine on (1), (2) from pg_class
alter function lair.struck() set schema pgwallet
alter type lair.text set schema pgwallet
alter operator lair.+ (numeric, numeric) set schema pgwallet
alter view lair.pg_proc set schema pgwallet
create schema pgwallet
create schema authorization current_user create table pgwallet.mine ()
"""

TAKING = f"""
alter schema pgwallet rename to mine
alter schema pgwallet owner to current_user
drop schema pgwallet
drop schema pgwallet cascade
comment on schema pgwallet is 'mine'
grant execute on all routines in schema pgwallet to current_user
grant select on all tables in schema pgwallet to current_user
alter default privileges for role {OWNER} grant select on tables to public
alter default privileges for role {OWNER} in schema pgwallet grant all on tables to public
alter default privileges for role {OWNER} grant execute on functions to public
drop owned by {OWNER}
reassign owned by {OWNER} to current_user
"""

# Of these the server only warns that nothing was granted, to a role that has usage itself.
IN_VAIN = f"""
grant create on schema pgwallet to current_user
grant all on schema pgwallet to public
grant usage on schema pgwallet to public
revoke usage on schema pgwallet from {OWNER}
"""

ROUTINE = """
alter routine {r} owner to current_user
alter routine {r} rename to mine
alter routine {r} set schema lair
alter routine {r} reset search_path
alter routine {r} set search_path = lair, pg_catalog
alter routine {r} security invoker
alter routine {r} security definer
alter routine {r} depends on extension plpgsql
drop routine {r}
drop routine {r} cascade
comment on routine {r} is 'mine'
"""

TYPE = """
alter type {t} owner to current_user
alter type {t} rename to mine
alter type {t} set schema lair
alter domain {t} drop constraint {k}
alter domain {t} add constraint mine check (true) not valid
alter domain {t} validate constraint {k}
alter domain {t} set default 'mine'
comment on type {t} is 'mine'
drop type {t} cascade
create cast (text as {t}) with inout as implicit
create cast ({t} as text) with inout as implicit
create function lair.as_number({t}) returns numeric language sql return 1; \
create cast ({t} as numeric) with function lair.as_number as implicit
"""

SERVER = """
drop extension plpgsql
alter extension plpgsql add function lair.struck()
create event trigger mine on ddl_command_start execute function lair.struck()
create language mine handler plpgsql_call_handler
create foreign data wrapper mine
create publication mine for all tables
create publication mine for table lair.pg_class
create subscription mine connection 'dbname=x' publication y with (connect = false)
create access method mine type index handler bthandler
create function lair.evil() returns void language c as 'libc', 'system'
create function lair.evil() returns void language internal as 'boolin'
load '/lib/libc.so.6'
alter system set session_replication_role = replica
copy (select 1) to program 'true'
copy (select 1) to '/tmp/loot'
create temp table page (x text); copy page from '/etc/passwd'
create temp table page (x text); copy page from program 'id'
select pg_read_file('/etc/passwd')
select pg_ls_dir('.')
select pg_stat_file('PG_VERSION')
select lo_import('/etc/passwd')
select lo_export(1, '/tmp/loot')
select pg_reload_conf()
select pg_switch_wal()
select pg_create_logical_replication_slot('mine', 'test_decoding')
select pg_create_restore_point('mine')
select pg_logical_emit_message(false, 'a', 'b') from pg_replication_origin_create('mine')
select pg_stat_reset()
select pg_rotate_logfile()
select currtid2('pgwallet.posting', '(0,1)')
update pg_catalog.pg_proc set prosecdef = false
update pg_catalog.pg_trigger set tgenabled = 'D'
delete from pg_catalog.pg_depend
insert into pg_catalog.pg_auth_members select * from pg_catalog.pg_auth_members
select * from pg_catalog.pg_authid
select * from pg_catalog.pg_statistic
checkpoint
"""


def listed(templates: str, **names: str) -> list[str]:
    lines = templates.strip().splitlines()
    return [line.format(**names) for line in lines] if names else lines


@each_attacker
def test_nothing_is_created_in_the_schema(stage: Stage, sessions: Login, attacker: str) -> None:
    assert not_refused(sessions(attacker), listed(CREATING)) == {}


@each_attacker
def test_the_schema_is_not_taken(stage: Stage, sessions: Login, attacker: str) -> None:
    assert not_refused(sessions(attacker), listed(TAKING)) == {}


@each_attacker
def test_rights_that_one_has_are_not_passed_on(
    stage: Stage, sessions: Login, attacker: str
) -> None:
    refusal = FORBIDDEN if attacker == "nobody" else DONE
    assert not_refused(sessions(attacker), listed(IN_VAIN), refusal) == {}


@each_attacker
def test_no_routine_is_changed(stage: Stage, sessions: Login, attacker: str) -> None:
    with stage.superuser() as conn:
        routines = conn.execute(
            "select p.oid::regprocedure::text from pg_proc as p "
            "where p.pronamespace = 'pgwallet'::regnamespace"
        ).fetchall()
    tries = [each for (routine,) in routines for each in listed(ROUTINE, r=routine)]
    assert not_refused(sessions(attacker), tries) == {}


@each_attacker
def test_no_type_is_changed(stage: Stage, sessions: Login, attacker: str) -> None:
    with stage.superuser() as conn:
        types = conn.execute(
            "select t.oid::regtype::text, k.conname from pg_type as t "
            "join pg_constraint as k on k.contypid = t.oid "
            "where t.typnamespace = 'pgwallet'::regnamespace"
        ).fetchall()
    assert len(types) == 5
    tries = [each for name, check in types for each in listed(TYPE, t=name, k=check)]
    assert not_refused(sessions(attacker), tries) == {}


@each_attacker
def test_the_server_and_its_catalogs_are_out_of_reach(
    stage: Stage, sessions: Login, attacker: str
) -> None:
    assert not_refused(sessions(attacker), listed(SERVER)) == {}


@each_attacker
def test_nobody_becomes_another_role(stage: Stage, sessions: Login, attacker: str) -> None:
    me = f'"{stage.roles[attacker]}"'
    with stage.superuser() as conn:
        master = f'"{superuser_name(conn)}"'
        database = conn.info.dbname
    others = [f'"{role}"' for each, role in stage.roles.items() if each != attacker]
    tries = [
        f"{how} {target}"
        for target in (OWNER, master, *others)
        for how in ("set role", "set local role", "set session authorization")
    ]
    tries += [
        f"select set_config('role', '{OWNER}', false)",
        f"select set_config('session_authorization', '{OWNER}', false)",
        f"create function lair.f() returns void language sql set role = {OWNER} as ''; "
        "select lair.f()",
        f"grant {OWNER} to {me}",
        f"grant {me} to {OWNER}",
        f"grant {master} to {me}",
        *(f"grant {other} to {me}" for other in others),
        *(
            f"grant {each} to {me}"
            for each in (
                "pg_read_all_data",
                "pg_write_all_data",
                "pg_execute_server_program",
                "pg_signal_backend",
            )
        ),
        *(
            f"alter role {me} {attribute}"
            for attribute in (
                "superuser",
                "createrole",
                "createdb",
                "replication",
                "bypassrls",
                "connection limit 100000",
            )
        ),
        f"alter role {OWNER} login password 'mine'",
        f"alter role {OWNER} set search_path = lair",
        f"alter role {OWNER} rename to mine",
        "alter role all set search_path = lair, pg_catalog",
        f"alter role {me} set session_replication_role = replica",
        f"alter database {database} set search_path = lair, pg_catalog",
        f"alter database {database} owner to {me}",
        f"alter database {database} set session_replication_role = replica",
        f"grant set on parameter session_replication_role to {me}",
        "create role mine",
        "create role mine superuser login",
        f"drop role {OWNER}",
        f"alter schema lair owner to {OWNER}",
        f"alter function lair.struck() owner to {OWNER}",
        f"create schema authorization {OWNER}",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user",
    ]
    tries += [
        f"select pgwallet.grant_{access}(current_user)"
        for access in ("app", "operator", "auditor", "monitor")
    ]
    assert not_refused(sessions(attacker), tries) == {}
