"""Whatever is not as a new installation has it, `status` names, with what mends it."""

import psycopg
import pytest

from pgwallet.deployment.drift import Drift
from tests.deployment.damage import drift_after, drift_of, mend

pytestmark = pytest.mark.sql


def named(drift: tuple[Drift, ...]) -> set[tuple[str, str, str]]:
    return {(each.kind, each.name, each.what) for each in drift}


# What was done, and what is named for it. What the remedies say undoes it.
DAMAGE = {
    "key index dropped": (
        "drop index pgwallet.transaction_idempotency_key",
        {("index", "transaction_idempotency_key", "missing")},
    ),
    "key index invalid": (
        "update pg_index set indisvalid = false"
        " where indexrelid = 'pgwallet.transaction_idempotency_key'::regclass",
        {("index", "transaction_idempotency_key", "edited")},
    ),
    "key index over something else": (
        "drop index pgwallet.transaction_idempotency_key; create unique index"
        " transaction_idempotency_key on pgwallet.transaction (transaction_id)",
        {("index", "transaction_idempotency_key", "edited")},
    ),
    "index missing": (
        "drop index pgwallet.posting_source_idx",
        {("index", "posting_source_idx", "missing")},
    ),
    "alien unique index": (
        "create unique index alien on pgwallet.posting (amount)",
        {("index", "alien", "unknown")},
    ),
    "check dropped": (
        "alter table pgwallet.account drop constraint account_balance_check",
        {("constraint", "account.account_balance_check", "missing")},
    ),
    "check of another": (
        "alter table pgwallet.escrow drop constraint escrow_parts_check,"
        " add constraint escrow_parts_check check (true)",
        {("constraint", "escrow.escrow_parts_check", "edited")},
    ),
    "check not valid": (
        "update pg_constraint set convalidated = false where conname = 'account_balance_check'",
        {("constraint", "account.account_balance_check", "edited")},
    ),
    "alien check": (
        'alter table pgwallet.posting add constraint "Alien" check (amount < 10)',
        {("constraint", 'posting."Alien"', "unknown")},
    ),
    "primary key dropped": (
        "alter table pgwallet.posting drop constraint posting_pkey",
        {("constraint", "posting.posting_pkey", "missing")},
    ),
    "foreign key off": (
        "alter table pgwallet.account disable trigger all",
        {
            ("constraint", "account.account_currency_fkey", "edited"),
            ("constraint", "wallet.wallet_wallet_id_fkey", "edited"),
            ("constraint", "pocket.pocket_pocket_id_fkey", "edited"),
            ("constraint", "project.project_project_id_fkey", "edited"),
            ("constraint", "project.project_escrow_account_id_fkey", "edited"),
            ("trigger", "account.refuse_change", "edited"),
            ("trigger", "account.refuse_row_change", "edited"),
        },
    ),
    "check of a domain dropped": (
        "alter domain pgwallet.account_kind drop constraint account_kind_known",
        {("constraint", "account_kind.account_kind_known", "missing")},
    ),
    "column nullable": (
        "alter table pgwallet.posting alter column amount drop not null",
        {("column", "posting.amount", "edited")},
    ),
    "default of a column": (
        "alter table pgwallet.posting alter column created_at set default now()",
        {("column", "posting.created_at", "edited")},
    ),
    "alien column": (
        "alter table pgwallet.wallet add column phone text",
        {("column", "wallet.phone", "unknown")},
    ),
    "alien trigger": (
        "create trigger alien before insert on pgwallet.posting"
        " for each row execute function suppress_redundant_updates_trigger()",
        {("trigger", "posting.alien", "unknown")},
    ),
    "trigger dropped": (
        "drop trigger refuse_change on pgwallet.posting",
        {("trigger", "posting.refuse_change", "missing")},
    ),
    "trigger off": (
        "alter table pgwallet.posting disable trigger refuse_change",
        {("trigger", "posting.refuse_change", "edited")},
    ),
    "trigger not for replicas": (
        "alter table pgwallet.posting enable trigger refuse_change",
        {("trigger", "posting.refuse_change", "edited")},
    ),
    "trigger of another kind": (
        "create or replace trigger refuse_change before delete on pgwallet.posting"
        " for each statement execute function pgwallet._refuse_change()",
        {("trigger", "posting.refuse_change", "edited")},
    ),
    "rule": (
        "create rule alien as on insert to pgwallet.posting do instead nothing",
        {("rule", "posting.alien", "unknown")},
    ),
    "row security": (
        "alter table pgwallet.posting enable row level security, force row level security",
        {("table", "posting", "edited")},
    ),
    "policy": (
        "create policy alien on pgwallet.posting using (false)",
        {("policy", "posting.alien", "unknown")},
    ),
    "unlogged": (
        "alter table pgwallet.seal set unlogged",
        {("table", "seal", "edited")},
    ),
    "child of a table": (
        "create table public.child () inherits (pgwallet.posting)",
        {("table", "posting", "edited")},
    ),
    "sequence with a cache": (
        "alter sequence pgwallet.posting_id_seq cache 50",
        {("sequence", "posting_id_seq", "edited")},
    ),
    "sequence with other steps": (
        "alter sequence pgwallet.id_seq increment 2 maxvalue 1000000000000000 cycle",
        {("sequence", "id_seq", "edited")},
    ),
    "view replaced": (
        "do $$ begin execute format('create or replace view pgwallet.platform_summary as"
        " select * from (%s) as s where false',"
        " rtrim(pg_get_viewdef('pgwallet.platform_summary'), ';')); end $$",
        {("view", "platform_summary", "edited")},
    ),
    "view with options": (
        "alter view pgwallet.wallet_summary set (security_barrier, security_invoker)",
        {("view", "wallet_summary", "edited")},
    ),
    "alien table": (
        'create table pgwallet."Alien.t" (id int primary key check (id > 1))',
        {("table", '"Alien.t"', "unknown")},
    ),
    "alien view": (
        "create view pgwallet.alien as select 1 as one",
        {("view", "alien", "unknown")},
    ),
    "alien sequence": (
        "create sequence pgwallet.alien",
        {("sequence", "alien", "unknown")},
    ),
    "alien type": (
        "create type pgwallet.alien as enum ('a')",
        {("type", "alien", "unknown")},
    ),
}


@pytest.mark.parametrize(("statement", "expected"), DAMAGE.values(), ids=DAMAGE)
def test_each_damage_is_named_and_its_remedy_mends_it(
    conn: psycopg.Connection, statement: str, expected: set[tuple[str, str, str]]
) -> None:
    drift = drift_after(conn, statement)
    assert named(drift) == expected
    mend(conn, drift)
    assert drift_of(conn) == ()


OPERATORS_OWN = {
    "an index": "create index own on pgwallet.posting (created_at)",
    "a view elsewhere": "create view public.own as select * from pgwallet.wallet",
    "a table elsewhere": "create table public.own (id bigint references pgwallet.wallet)",
    "settings of vacuum": "alter table pgwallet.posting set (fillfactor = 90)",
    "statistics": "create statistics pgwallet.own on kind, escrow_id from pgwallet.transaction",
    "a comment": "comment on table pgwallet.posting is 'mine'",
    "replica identity": "alter table pgwallet.posting replica identity full",
    "an order of rows": "alter table pgwallet.posting cluster on posting_pkey",
    "a publication": "create publication own for all tables",
}


@pytest.mark.parametrize("statement", OPERATORS_OWN.values(), ids=OPERATORS_OWN)
def test_what_is_the_operator_s_own_is_no_difference(
    conn: psycopg.Connection, statement: str
) -> None:
    assert drift_after(conn, statement) == ()


def test_an_operating_system_with_another_order_of_texts_is_named(
    conn: psycopg.Connection,
) -> None:
    drift = drift_after(
        conn,
        "update pg_database set datcollversion = '0.1' where datname = current_database()",
    )
    (found,) = drift
    assert (found.kind, found.what) == ("collation", "edited")
    assert found.detail.startswith("the order of texts is that of version 0.1, the system has ")
    assert found.remedy.startswith("reindex database ")


@pytest.mark.parametrize("name", ["role_grant", "deployment", "posting"])
def test_a_table_that_is_gone_is_named_whatever_it_was_needed_for(
    conn: psycopg.Connection, name: str
) -> None:
    drift = drift_after(conn, f"drop table pgwallet.{name} cascade")
    assert ("table", name, "missing") in named(drift)
