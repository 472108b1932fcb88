"""The one change of a transaction that is allowed, erasing its metadata, lets nothing else in."""

from collections.abc import Iterator

import psycopg
import pytest

import pgwallet
from tests.attackers import attempts
from tests.attackers.attempts import DONE, FORBIDDEN, outcome_of
from tests.attackers.conftest import Login
from tests.attackers.stage import Stage

pytestmark = pytest.mark.sql

RIGHT = "metadata_digest = sha256(convert_to(metadata::text, 'UTF8'))"
ERASING = f"update pgwallet.transaction set metadata = null, {RIGHT} where transaction_id = {{t}}"

# None is what erase_owner does: {t} has metadata, {e} has lost them, {p} had none.
TRIES = f"""
update pgwallet.transaction set metadata = null where transaction_id = {{t}}
update pgwallet.transaction set metadata = null, metadata_digest = '\\x00' \
where transaction_id = {{t}}
update pgwallet.transaction set metadata = null, metadata_digest = sha256('') \
where transaction_id = {{t}}
update pgwallet.transaction set metadata = null, metadata_digest = sha256('x') \
where metadata is not null
update pgwallet.transaction set metadata = '{{{{}}}}' where transaction_id = {{t}}
update pgwallet.transaction set metadata = metadata where transaction_id = {{t}}
update pgwallet.transaction set {RIGHT} where transaction_id = {{t}}
update pgwallet.transaction set metadata = '{{{{}}}}', {RIGHT} where transaction_id = {{t}}
update pgwallet.transaction set metadata = 'null', {RIGHT} where transaction_id = {{t}}
update pgwallet.transaction set metadata = '{{{{}}}}' where transaction_id = {{e}}
update pgwallet.transaction set metadata = '{{{{}}}}', metadata_digest = null \
where transaction_id = {{e}}
update pgwallet.transaction set metadata_digest = null where transaction_id = {{e}}
update pgwallet.transaction set metadata_digest = sha256('x') where transaction_id = {{e}}
update pgwallet.transaction set metadata_digest = metadata_digest where transaction_id = {{e}}
update pgwallet.transaction set metadata = '{{{{}}}}' where transaction_id = {{p}}
update pgwallet.transaction set metadata = null, metadata_digest = null where transaction_id = {{p}}
update pgwallet.transaction set metadata_digest = sha256('') where transaction_id = {{p}}
update pgwallet.transaction set metadata_digest = sha256('null') where transaction_id = {{p}}
insert into pgwallet.transaction (transaction_id, kind) values ({{t}}, 'deposit') \
on conflict (transaction_id) do update set metadata = '{{{{}}}}'
merge into pgwallet.transaction as t using (values (1)) as v (x) on t.transaction_id = {{t}} \
when matched then update set metadata = '{{{{}}}}'
create temp view hole as select * from pgwallet.transaction; \
update hole set metadata = '{{{{}}}}' where transaction_id = {{t}}
create function pg_temp.sneak() returns trigger language plpgsql as \
'begin new.request := ''forged''; return new; end'; \
create trigger zzz before update on pgwallet.transaction for each row \
execute function pg_temp.sneak(); \
alter table pgwallet.transaction enable always trigger zzz; {ERASING}
create function pg_temp.sneak() returns trigger language plpgsql as \
'begin new.metadata := old.metadata; return new; end'; \
create trigger aaa before update on pgwallet.transaction for each row \
execute function pg_temp.sneak(); \
alter table pgwallet.transaction enable always trigger aaa; {ERASING}
"""
# With the right digest, and one thing more.
OTHERS = {
    "transaction_id": "transaction_id + 1000000",
    "created_at": "created_at + interval '1 microsecond'",
    "escrow_id": "1024",
    "reversed_transaction_id": "1",
    "effective_at": "now()",
    "settled_count": "1",
    "kind": "'withdrawal'",
    "idempotency_key": "idempotency_key || ' '",
    "request": "null",
}


@pytest.fixture(params=["owner", "origin", "local", "replica"])
def powerful(stage: Stage, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """The owner, and a superuser in each role of replication; what they do is undone."""
    with stage.owner() if request.param == "owner" else stage.superuser() as conn:
        if request.param != "owner":
            conn.execute(f"set session_replication_role = {request.param}".encode())
        with conn.transaction(force_rollback=True):
            yield conn


@pytest.fixture
def rows(powerful: psycopg.Connection) -> dict[str, int]:
    """Transactions without their metadata any more, with metadata, and with none."""
    made = {}
    for name, metadata in (("e", {"a": 1}), ("t", {"b": 2}), ("p", None)):
        wallet_id = pgwallet.create_wallet(powerful, f"of {name}").wallet_id
        made[name] = pgwallet.deposit(powerful, wallet_id, 5, name, metadata).transaction_id
        if name == "e":
            pgwallet.erase_owner(powerful, wallet_id)
    return made


def tried(conn: psycopg.Connection, statement: str) -> str:
    """How it ends; what it did is undone if it was refused."""
    attempts.tried.append(statement)
    try:
        with conn.transaction():
            conn.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate or repr(error)
    return DONE


def transactions(conn: psycopg.Connection) -> list[tuple[str]]:
    return conn.execute("select t::text from pgwallet.transaction as t order by 1").fetchall()


def test_nothing_but_erasing_is_let_through(
    powerful: psycopg.Connection, rows: dict[str, int]
) -> None:
    tries = [line.format(**rows) for line in TRIES.strip().splitlines()]
    tries += [
        f"update pgwallet.transaction set metadata = null, {RIGHT}, {column} = {other} "
        f"where transaction_id = {rows['t']}"
        for column, other in OTHERS.items()
    ]
    before = transactions(powerful)
    outcomes = {each: tried(powerful, each) for each in tries}
    assert {each: code for each, code in outcomes.items() if code != "PW901"} == {}
    assert transactions(powerful) == before


def test_every_column_but_two_is_looked_after(powerful: psycopg.Connection) -> None:
    columns = powerful.execute(
        "select attname from pg_attribute "
        "where attrelid = 'pgwallet.transaction'::regclass and attnum > 0 and not attisdropped"
    ).fetchall()
    assert {name for (name,) in columns} == {*OTHERS, "metadata", "metadata_digest"}


def test_erasing_is_let_through_and_is_final(
    powerful: psycopg.Connection, rows: dict[str, int]
) -> None:
    assert tried(powerful, ERASING.format(**rows)) == DONE
    assert pgwallet.check_ledger(powerful) == []
    assert tried(powerful, ERASING.format(**rows)) == "PW901"


@pytest.mark.parametrize("attacker", ["app", "auditor", "nobody"])
def test_only_an_operator_erases(stage: Stage, sessions: Login, attacker: str) -> None:
    conn = sessions(attacker)
    assert outcome_of(conn, "erase_owner", p_wallet_id=stage.world.wallet) == FORBIDDEN
