"""A later release brings a new kind or status and what uses it, in one transaction, under load."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from tests.conftest import Connect
from tests.databases import OWNER

pytestmark = pytest.mark.sql

WORDS = {
    "account_kind": "transit",
    "project_status": "paused",
    "escrow_status": "escheated",
    "transaction_kind": "interest",
}
ADD = """
do $$
declare
  v_check text := (
    select pg_get_constraintdef(k.oid) from pg_constraint as k where k.conname = '{type}_known'
  );
begin
  execute 'alter domain pgwallet.{type} drop constraint {type}_known';
  execute 'alter domain pgwallet.{type} add constraint {type}_known '
    || replace(v_check, 'ARRAY[', 'ARRAY[''{word}''::text, ') || ' not valid';
end $$
"""
USE_OF_INTEREST = """
create view pgwallet.interest as
select t.transaction_id from pgwallet.transaction as t where t.kind = 'interest';

create function pgwallet.pay_interest() returns bigint language sql as
'insert into pgwallet.transaction (kind) values (''interest'') returning transaction_id';

select pgwallet.pay_interest();
"""


def as_owner(database: str) -> psycopg.Connection:
    return psycopg.connect(make_conninfo(database, options=f"-c role={OWNER}"))


def test_one_transaction_adds_a_kind_and_uses_it_while_others_work(
    database: str, connect: Connect
) -> None:
    """Others have plans from before, and a transaction under way that nothing waits for."""
    working, idle = connect(autocommit=True), connect()
    wallet = pgwallet.create_wallet(working, "ada").wallet_id
    for _ in range(10):
        pgwallet.deposit(working, wallet, 1)
    pgwallet.deposit(idle, pgwallet.create_wallet(idle, "bob").wallet_id, 1)

    with as_owner(database) as owner:
        owner.execute("set local lock_timeout = '2s'")
        owner.execute(ADD.format(type="transaction_kind", word="interest").encode())
        owner.execute(USE_OF_INTEREST.encode())
        pgwallet.deposit(working, wallet, 1)
        pgwallet.deposit(idle, wallet, 1)

    idle.commit()
    pgwallet.deposit(working, wallet, 1)
    working.execute("select pgwallet.pay_interest()")
    assert working.execute("select count(*) from pgwallet.interest").fetchone() == (2,)


@pytest.mark.parametrize(("kind", "word"), WORDS.items())
def test_a_word_is_refused_until_it_is_added_also_by_plans_from_before(
    database: str, connect: Connect, kind: str, word: str
) -> None:
    working = connect(autocommit=True)
    working.execute(f"prepare cast_it as select $1::text::pgwallet.{kind}".encode())
    for _ in range(7):
        with pytest.raises(psycopg.errors.CheckViolation):
            working.execute(f"execute cast_it('{word}')".encode())

    with as_owner(database) as owner:
        owner.execute(ADD.format(type=kind, word=word).encode())
        assert owner.execute(f"select '{word}'::pgwallet.{kind}".encode()).fetchone() == (word,)

    assert working.execute(f"execute cast_it('{word}')".encode()).fetchone() == (word,)
    with pytest.raises(psycopg.errors.CheckViolation):
        working.execute("execute cast_it('other')")


def test_the_status_of_an_escrow_is_written_out_in_the_statements_that_ask_for_it(
    conn: psycopg.Connection,
) -> None:
    plan = conn.execute(
        "explain (verbose, costs off) select pgwallet._escrow_status("
        "e.amount, e.released_amount, e.refunded_amount) from pgwallet.escrow as e"
    ).fetchall()
    shown = "\n".join(line for (line,) in plan)
    assert "CASE WHEN" in shown
    assert "_escrow_status" not in shown
