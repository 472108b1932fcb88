"""What was recorded does not change, not even for the owner; and what the owner can do shows."""

from collections.abc import Iterator, Sequence
from itertools import product

import psycopg
import pytest

from tests.attackers.attempts import not_refused, outcome
from tests.attackers.stage import Stage

pytestmark = pytest.mark.sql

RECORDS = ("pgwallet.posting", "pgwallet.transaction")
HOLDERS = (
    "pgwallet.account",
    "pgwallet.wallet",
    "pgwallet.pocket",
    "pgwallet.project",
    "pgwallet.escrow",
)

UPDATING = """
update {t} set created_at = now()
update {t} set created_at = created_at
update {t} set created_at = now() where false
update only {t} set created_at = now()
update {t} set transaction_id = transaction_id + 1 returning *
delete from {t}
delete from {t} where false
delete from only {t} returning *
truncate {t}
truncate only {t}
truncate {t} restart identity
truncate {t} cascade
truncate pgwallet.account, {t} cascade
with gone as (delete from {t} returning *) select count(*) from gone
with changed as (update {t} set created_at = now() returning *) select count(*) from changed
merge into {t} as t using {t} as s on t.transaction_id = s.transaction_id \
when matched then update set created_at = now()
merge into {t} as t using {t} as s on t.transaction_id = s.transaction_id \
when matched then delete
do 'begin delete from {t}; end'
deallocate all; prepare wiper as delete from {t}; execute wiper
create temp view window_in as select * from {t}; delete from window_in
create temp view window_in as select * from {t}; update window_in set created_at = now()
create rule also as on update to pgwallet.settings do also delete from {t}; \
alter table pgwallet.settings enable always rule also; update pgwallet.settings set max_pledge = 1
select; declare c cursor for select * from {t} for update; move c; \
update {t} set created_at = now() where current of c
select; declare c cursor for select * from {t} for update; move c; \
delete from {t} where current of c
create function pg_temp.wipe() returns void language sql as 'delete from {t}'; \
select pg_temp.wipe()
alter table {t} disable trigger user; alter table {t} enable always trigger refuse_change; \
delete from {t}
create trigger before_all before delete on {t} for each row \
execute function suppress_redundant_updates_trigger(); delete from {t}
"""
DELETING = """
delete from {t}
delete from {t} where false
delete from only {t} returning *
truncate {t} cascade
truncate pgwallet.settings, {t} cascade
with gone as (delete from {t} returning *) select count(*) from gone
do 'begin delete from {t}; end'
create temp view window_in as select * from {t}; delete from window_in
select; declare c cursor for select * from {t} for update; move c; \
delete from {t} where current of c
alter table {t} disable trigger refuse_change; delete from {t}
alter table {t} disable trigger refuse_row_change; delete from {t}
create trigger before_all before delete on {t} for each row \
execute function suppress_redundant_updates_trigger(); delete from {t}
"""
UPSERTS = [
    "insert into pgwallet.transaction (transaction_id, kind) "
    "select transaction_id, kind from pgwallet.transaction "
    "on conflict (transaction_id) do update set created_at = now()",
    "insert into pgwallet.transaction (transaction_id, kind) values (-1, 'deposit') "
    "on conflict (transaction_id) do update set created_at = now()",
    "insert into pgwallet.posting select * from pgwallet.posting "
    "on conflict on constraint posting_pkey do update set amount = excluded.amount + 1",
    "insert into pgwallet.posting select * from pgwallet.posting "
    "on conflict (transaction_id, posting_id) do update set created_at = now()",
]
PARENT = """
create table pgwallet.parent (transaction_id bigint primary key);
insert into pgwallet.parent select transaction_id from pgwallet.transaction;
alter table {t} add constraint child foreign key (transaction_id)
references pgwallet.parent on delete cascade on update cascade;
"""
FROM_A_PARENT = """
delete from pgwallet.parent
update pgwallet.parent set transaction_id = transaction_id + 1000000
truncate pgwallet.parent cascade
"""


def tries_at(templates: str, tables: Sequence[str] = RECORDS) -> list[str]:
    lines = templates.strip().splitlines()
    return [line.format(t=table) for table in tables for line in lines]


@pytest.fixture
def owner(stage: Stage) -> Iterator[psycopg.Connection]:
    with stage.owner() as conn:
        yield conn


def test_the_owner_changes_nothing_that_was_recorded(
    stage: Stage, owner: psycopg.Connection
) -> None:
    assert not_refused(owner, tries_at(UPDATING) + UPSERTS, "PW901") == {}


@pytest.mark.parametrize("role", ["replica", "local", "origin"])
def test_nor_does_a_superuser_in_any_replication_role(stage: Stage, role: str) -> None:
    with stage.superuser() as conn:
        conn.execute(f"set session_replication_role = {role}".encode())
        assert not_refused(conn, tries_at(UPDATING) + UPSERTS, "PW901") == {}


@pytest.mark.parametrize("table", RECORDS)
def test_nor_does_a_change_that_comes_down_from_a_parent(
    stage: Stage, owner: psycopg.Connection, table: str
) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute(PARENT.format(t=table).encode())
        for statement in FROM_A_PARENT.strip().splitlines():
            with pytest.raises(psycopg.Error) as refusal, owner.transaction():
                owner.execute(statement.encode())
            assert refusal.value.sqlstate == "PW901", statement


@pytest.mark.parametrize("role", ["replica", "local", "origin"])
def test_what_money_moved_through_is_deleted_by_nobody(stage: Stage, role: str) -> None:
    tries = tries_at(DELETING, HOLDERS)
    with stage.owner() as owner:
        assert not_refused(owner, tries, "PW901") == {}
    with stage.superuser() as conn:
        conn.execute(f"set session_replication_role = {role}".encode())
        assert not_refused(conn, tries, "PW901") == {}


BYPASSES = [
    "alter table {t} disable trigger {g}",
    "alter table {t} enable replica trigger {g}",
    "alter table {t} enable trigger {g}",
    "drop trigger {g} on {t}",
    "alter trigger {g} on {t} rename to harmless",
]


@pytest.mark.parametrize("table", [*RECORDS, *HOLDERS, "pgwallet.settings"])
def test_what_the_owner_can_do_to_the_triggers_is_reported(
    stage: Stage, owner: psycopg.Connection, table: str
) -> None:
    triggers = ["refuse_change", "refuse_row_change"]
    if table == "pgwallet.transaction":
        triggers.append("refuse_changed_row")
    for trigger, bypass in product(triggers, BYPASSES):
        with owner.transaction(force_rollback=True):
            owner.execute(bypass.format(t=table, g=trigger).encode())
            assert guarded(owner) == [(5, f"table {table}")], bypass
    with owner.transaction(force_rollback=True):
        owner.execute(f"alter table {table} disable trigger user".encode())
        assert guarded(owner) == [(5, f"table {table}")] * len(triggers)


def guarded(conn: psycopg.Connection) -> list[tuple[object, ...]]:
    return conn.execute("select invariant, subject from pgwallet.check_ledger()").fetchall()


def violated(conn: psycopg.Connection) -> set[int]:
    rows = conn.execute("select invariant from pgwallet.check_ledger()").fetchall()
    return {invariant for (invariant,) in rows}


@pytest.mark.parametrize(
    ("statement", "invariant"),
    [
        # To write a table anew is no update: no trigger sees it. What reads it is in the way.
        (
            "drop view pgwallet.transaction_log, pgwallet.platform_summary, pgwallet.flow, "
            "pgwallet.project_summary; drop function pgwallet._show_transaction cascade; "
            "alter table pgwallet.posting alter amount type numeric using amount + 1",
            1,
        ),
        ("insert into pgwallet.posting values (-1, -1, 1, 2, now(), 5, null, null)", 5),
        (
            "insert into pgwallet.posting (transaction_id, source_account_id, "
            "destination_account_id, amount, destination_balance) "
            "select min(t.transaction_id), c.external_account_id, {w}, 1000, 1100 "
            "from pgwallet.transaction as t, pgwallet.currency as c "
            "where c.currency = 'EUR' group by 2",
            1,
        ),
        ("update pgwallet.account set balance = balance + 1000 where account_id = {w}", 1),
        (
            "update pgwallet.escrow set status = 'refunded', refunded_amount = amount "
            "where escrow_id = {e}",
            2,
        ),
        ("update pgwallet.account set balance = 'Infinity' where account_id = {w}", 1),
    ],
)
def test_what_the_owner_can_forge_is_reported(
    stage: Stage, owner: psycopg.Connection, statement: str, invariant: int
) -> None:
    world = stage.world
    with owner.transaction(force_rollback=True):
        owner.execute(statement.format(w=world.wallet, e=world.escrow).encode())
        assert invariant in violated(owner)


@pytest.mark.parametrize(
    "statement",
    [
        "update pgwallet.account set balance = -0.01 where account_id = {w}",
        "update pgwallet.account set balance = 'NaN' where account_id = {w}",
        "update pgwallet.account set balance = null where account_id = {w}",
        "update pgwallet.wallet set allocation_percentage = 100.0001 where wallet_id = {w}",
        "update pgwallet.escrow set refunded_amount = amount + 0.01 where escrow_id = {e}",
        "update pgwallet.escrow set released_amount = 1 where escrow_id = {e}",
        "update pgwallet.escrow set net_amount = 1, fee_amount = -1 where escrow_id = {e}",
        "update pgwallet.escrow set status = 'released' where escrow_id = {e}",
        "update pgwallet.settings set commission_rate = -0.01",
        "update pgwallet.settings set commission_rate = 0.6, fee_rate = 0.5",
        "update pgwallet.settings set fee_rate = 'NaN'",
        "update pgwallet.settings set max_pledge = 'Infinity'",
        "insert into pgwallet.posting values (-1, -1, 1, 2, now(), -5, null, null)",
        "insert into pgwallet.posting values (-1, -1, 1, 2, now(), 'NaN', null, null)",
        "insert into pgwallet.posting values (-1, -1, 2, 2, now(), 5, null, null)",
        "update pgwallet.project set fee_rate = -0.01",
    ],
)
def test_tables_refuse_what_no_ledger_can_hold(
    stage: Stage, owner: psycopg.Connection, statement: str
) -> None:
    world = stage.world
    with owner.transaction(force_rollback=True):
        found = outcome(owner, statement.format(w=world.wallet, e=world.escrow))
    assert found == "23514"
