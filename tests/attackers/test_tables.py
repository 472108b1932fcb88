"""No attacker reads, writes, locks, extends or describes a table, view or sequence.

Operators and auditors read the six views that are there for them, monitors the one of sums, and
nobody does anything else to them.
"""

import psycopg
import pytest
from psycopg import sql

from tests.attackers.attempts import DONE, not_refused, outcome
from tests.attackers.conftest import Login
from tests.attackers.stage import ATTACKERS, Stage
from tests.attackers.traps import listening
from tests.ledger.calling import value

pytestmark = pytest.mark.sql

each_attacker = pytest.mark.parametrize("attacker", ATTACKERS)

VIEWS = [
    f"pgwallet.{name}"
    for name in (
        *("wallet_summary", "pocket_summary", "project_summary", "escrow_summary"),
        *("platform_summary", "transaction_log"),
    )
]
READABLE = {
    "operator": VIEWS,
    "auditor": VIEWS,
    "monitor": ["pgwallet.platform_summary"],
}

READING = """
select * from {t}
select from {t}
select count(*) from {t}
table {t}
select {c} from {t}
select {c} from only {t}
explain analyze select * from {t}
declare thief cursor with hold for select * from {t}
create temp table loot as select * from {t}
create temp view loot as select * from {t}; select * from loot
create function lair.loot() returns bigint language sql as 'select count(*) from {t}'; \
select lair.loot()
do 'begin perform from {t}; end'
deallocate all; prepare thief as select * from {t}; execute thief
copy {t} to stdout
copy (select * from {t}) to stdout
select ts_stat('select null::tsvector from {t}')
select ts_rewrite('a'::tsquery, 'select null::tsquery, null::tsquery from {t}')
select exists (select from {t})
with loot as materialized (select * from {t}) select * from loot
select (select {c} from {t} limit 1)
"""

# For relations that keep rows. A view or a sequence would refuse some of these for what it is.
WRITING = """
insert into {t} default values
insert into {t} overriding system value select * from {t}
insert into {t} ({c}) values (default) on conflict do nothing
insert into {t} ({c}) values (default) returning *
update {t} set {c} = default
update {t} set {c} = default where false
delete from {t}
delete from {t} where false
merge into {t} using (values (1)) as v (x) on false when not matched then insert default values
truncate {t}
truncate {t} cascade
copy {t} from stdin
select from {t} for update
select from {t} for no key update
select from {t} for share
select from {t} for key share skip locked
select; lock table {t} in access exclusive mode nowait
select; lock table {t} in row share mode nowait
deallocate all; prepare forger as insert into {t} default values; execute forger
do 'begin insert into {t} default values; end'
create temp view door as select * from {t}; insert into door default values
create temp view door as select * from {t}; delete from door
select; declare thief cursor for select * from {t} for update
"""

CHANGING = """
alter table {t} add column mine integer
alter table {t} drop column {c}
alter table {t} rename to mine
alter table {t} rename column {c} to mine
alter table {t} alter column {c} drop not null
alter table {t} alter column {c} set default null
alter table {t} alter column {c} type text
alter table {t} set schema lair
alter table {t} owner to current_user
alter table {t} disable trigger all
alter table {t} enable row level security
alter table {t} no force row level security
alter table {t} set (autovacuum_enabled = off)
alter table {t} replica identity full
alter table {t} add constraint mine check (true)
alter table {t} set unlogged
create trigger mine before insert on {t} execute function suppress_redundant_updates_trigger()
create rule mine as on insert to {t} do also notify loot
create policy mine on {t} using (true)
create index mine on {t} ({c})
create statistics lair.mine on {c}, ctid from {t}
create table lair.mine () inherits ({t})
create table lair.mine (like {t} including all)
create table lair.mine (x bigint references {t})
create temp table mine () inherits ({t})
reindex table {t}
cluster {t}
comment on table {t} is 'mine'
comment on column {t}.{c} is 'mine'
drop table {t}
drop table {t} cascade
"""

GRANTING = """
grant select on {t} to current_user
grant all on {t} to public
grant select ({c}) on {t} to current_user
revoke all on {t} from current_user
"""

# Reading a sequence would tell how much goes on; moving it back would have ids come twice.
SEQUENCES = """
select nextval('{t}')
select currval('{t}')
select setval('{t}', 1)
alter sequence {t} restart
alter sequence {t} increment -1
drop sequence {t}
create table lair.mine (x bigint default nextval('{t}')); insert into lair.mine default values
"""


# None of these comes with the right to read a view.
CHANGING_A_VIEW = """
select from {t} for update
select from {t} for key share skip locked
select; lock table {t} in access exclusive mode nowait
select; lock table {t} in row exclusive mode nowait
alter view {t} rename to mine
alter view {t} set schema lair
alter view {t} owner to current_user
alter view {t} set (security_invoker = true)
alter view {t} reset (security_barrier)
alter view {t} alter column {c} set default null
create or replace view {t} as select 1 as x
create trigger mine instead of insert on {t} for each row \
execute function suppress_redundant_updates_trigger()
create rule mine as on insert to {t} do instead nothing
comment on view {t} is 'mine'
comment on column {t}.{c} is 'mine'
drop view {t}
drop view {t} cascade
"""

# These end because a view keeps no rows, or because nobody was granted more than reading.
WRITING_A_VIEW = """
insert into {t} default values
insert into {t} select * from {t}
update {t} set {c} = {c}
delete from {t}
merge into {t} using (values (1)) as v (x) on false when not matched then insert default values
truncate {t}
copy {t} from stdin
create temp view door as select * from {t}; insert into door default values
create temp view door as select * from {t}; delete from door
"""


@pytest.fixture(scope="module")
def relations(shared_stage: Stage) -> list[tuple[str, str, str]]:
    """Name, kind and first column of every table, view and sequence of the schema."""
    with shared_stage.superuser() as conn:
        found = conn.execute(
            """
            select c.oid::regclass::text, c.relkind::text, quote_ident(a.attname)
            from pg_class as c
            join pg_attribute as a on a.attrelid = c.oid and a.attnum = 1
            where c.relnamespace = 'pgwallet'::regnamespace and c.relkind not in ('i', 'I', 't')
            order by 1
            """
        ).fetchall()
    names = {name for name, _, _ in found}
    assert {"pgwallet.account", "pgwallet.posting", "pgwallet.transaction"} <= names
    assert {kind for _, kind, _ in found} == {"r", "v", "S"}
    return found


def attempts_at(relations: list[tuple[str, str, str]], templates: str, kinds: str) -> list[str]:
    return [
        template.format(t=name, c=column)
        for name, kind, column in relations
        if kind in kinds
        for template in templates.strip().splitlines()
    ]


@each_attacker
@pytest.mark.parametrize(
    ("templates", "kinds"),
    [(READING, "rvS"), (WRITING, "r"), (CHANGING, "r"), (GRANTING, "rvS"), (SEQUENCES, "S")],
    ids=["reading", "writing", "changing", "granting", "sequences"],
)
def test_relations_are_out_of_reach(
    stage: Stage,
    sessions: Login,
    relations: list[tuple[str, str, str]],
    attacker: str,
    templates: str,
    kinds: str,
) -> None:
    out_of_reach = [each for each in relations if each[0] not in READABLE.get(attacker, ())]
    tries = attempts_at(out_of_reach, templates, kinds)
    assert not_refused(sessions(attacker), tries) == {}


@each_attacker
def test_no_view_is_changed_or_locked(
    stage: Stage, sessions: Login, relations: list[tuple[str, str, str]], attacker: str
) -> None:
    tries = attempts_at(relations, CHANGING_A_VIEW, "v")
    assert not_refused(sessions(attacker), tries) == {}


@each_attacker
def test_no_table_is_written_through_a_view(
    stage: Stage, sessions: Login, relations: list[tuple[str, str, str]], attacker: str
) -> None:
    conn = sessions(attacker)
    tries = attempts_at(relations, WRITING_A_VIEW, "v")
    assert len(tries) >= 9 * len(VIEWS)
    assert [each for each in tries if outcome(conn, each) == DONE] == []


@pytest.mark.parametrize("attacker", READABLE)
def test_readers_read_the_views_and_do_not_pass_that_on(
    stage: Stage, sessions: Login, relations: list[tuple[str, str, str]], attacker: str
) -> None:
    conn = sessions(attacker)
    views = [each for each in relations if each[0] in READABLE[attacker]]
    assert not_refused(conn, [f"table {view}" for view, *_ in views], DONE) == {}
    assert len(views) == len(READABLE[attacker])
    # Of a grant without the right to give it the server only warns; the stage is as it was.
    assert not_refused(conn, attempts_at(views, GRANTING, "v"), DONE) == {}


@each_attacker
@pytest.mark.parametrize("command", ["analyze", "vacuum", "vacuum full"])
def test_tables_are_not_maintained_by_strangers(
    stage: Stage,
    sessions: Login,
    relations: list[tuple[str, str, str]],
    attacker: str,
    command: str,
) -> None:
    """The server only warns and skips the table: nothing is written down about it."""
    conn = sessions(attacker)
    warnings: list[str] = []

    def heard(diagnostic: psycopg.errors.Diagnostic) -> None:
        warnings.append(diagnostic.severity_nonlocalized or "")

    tables = [name for name, kind, _ in relations if kind == "r"]
    if attacker == "nobody":
        assert not_refused(conn, [f"{command} {name}" for name in tables]) == {}
        return
    conn.add_notice_handler(heard)
    try:
        for name in tables:
            conn.execute(f"{command} {name}".encode())
    finally:
        conn.remove_notice_handler(heard)
    assert warnings == ["WARNING"] * len(tables)


@each_attacker
def test_statistics_tell_nothing_of_what_is_in_the_tables(
    stage: Stage, sessions: Login, attacker: str
) -> None:
    with stage.superuser() as conn:
        conn.execute("analyze pgwallet.account, pgwallet.wallet, pgwallet.posting")
        there = value(conn, "select count(*) from pg_stats where schemaname = 'pgwallet'")
    assert there > 0
    conn = sessions(attacker)
    assert value(conn, "select count(*) from pg_stats where schemaname = 'pgwallet'") == 0
    sequences = "select count(last_value) from pg_sequences where schemaname = 'pgwallet'"
    assert value(conn, sequences) == 0


@pytest.mark.parametrize("access", ["app", "operator"])
def test_what_a_call_drew_from_a_sequence_stays_unknown(stage: Stage, access: str) -> None:
    with stage.login(access) as conn, conn.transaction(force_rollback=True):
        conn.execute("select pgwallet.deposit(%s, 1)", [stage.world.wallet])
        for statement in ("select lastval()", "select currval('pgwallet.posting_id_seq')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                conn.execute(statement.encode())


@pytest.mark.parametrize("access", ["app", "operator", "auditor"])
def test_a_function_s_rights_end_with_it(stage: Stage, access: str) -> None:
    """Not even a type of the attacker's, converted in the middle of a call, reads a table."""
    with stage.login(access) as conn, conn.transaction(force_rollback=True):
        conn.execute(
            """
            create domain lair.account_id as bigint;
            create function lair.loot(bigint) returns boolean language plpgsql as
            'begin perform lair.struck(); return (select count(*) from pgwallet.account) > 0; end';
            alter domain lair.account_id add check (lair.loot(value))
            """
        )
        with (
            listening(conn) as victims,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            conn.transaction(),
        ):
            conn.execute(
                sql.SQL("select pgwallet.balance({}::lair.account_id)").format(stage.world.wallet)
            )
        assert victims == [stage.roles[access]]
