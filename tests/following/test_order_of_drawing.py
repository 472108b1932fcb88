"""Whoever draws the id of a posting has an xid and a lock on the table by then: so who waits for
xids, or for such locks, waits for ids, too.

In place of the sequence stands a function that looks before it draws. It is the default of the
column, from which all ids come.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.catalogue.calls import CALLS, FUNCTIONS
from tests.catalogue.world import World, world_in
from tests.ledger.calling import call

pytestmark = pytest.mark.sql

PROCEDURES = Path(__file__).parents[2] / "db" / "procedures"
FROM_THE_SEQUENCE = re.compile(r"(?:next|set|curr)val\s*\(\s*'pgwallet\.posting_id_seq'")

# What it notes down is a setting, for which no xid is needed.
PROBE = """
create function public.draw_posting_id() returns bigint language plpgsql as $$
declare
  v_seen constant text := current_setting('probe.drawn', true);
begin
  perform set_config(
    'probe.drawn',
    case
      when v_seen = 'early' or pg_current_xact_id_if_assigned() is null or not exists (
        select from pg_locks as l
        where l.pid = pg_backend_pid() and l.relation = 'pgwallet.posting'::regclass
          and l.mode = 'RowExclusiveLock'
      ) then 'early'
      else 'late'
    end,
    false
  );
  return nextval('pgwallet.posting_id_seq');
end;
$$;
alter table pgwallet.posting alter posting_id set default public.draw_posting_id();
"""

WRONG_WAY_ROUND = """
create function pgwallet.hasty_deposit(p_wallet_id bigint, p_external_id bigint)
returns void language sql as $$
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select 0, p_external_id, a.account_id, 1, a.balance + 1
  from pgwallet.account as a where a.account_id = p_wallet_id;
  update pgwallet.account set balance = balance + 1 where account_id = p_wallet_id;
$$
"""

# Of those that move nothing themselves, or not what the catalogue says in amounts.
BATCHES = {"release_escrows", "refund_escrows", "release_project", "refund_project"}
POSTING = {name for name, call in CALLS.items() if call.moves} | BATCHES | {"resolve_dispute"}


@pytest.fixture(scope="module")
def probed(crowded_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(crowded_database) as conn:
        conn.execute(PROBE.encode())
        conn.execute(WRONG_WAY_ROUND.encode())
        yield conn


@pytest.fixture(scope="module")
def world(probed: psycopg.Connection) -> World:
    its = world_in(probed)
    probed.execute("set probe.drawn = ''")
    probed.commit()
    return its


def drawn(conn: psycopg.Connection) -> str:
    """Whether its transaction drew ids, and whether any of them without an xid; takes it back."""
    row = conn.execute("select current_setting('probe.drawn', true)").fetchone()
    conn.rollback()
    assert row is not None
    return row[0] or ""


def test_no_function_takes_ids_of_postings_from_the_sequence_itself() -> None:
    for path in PROCEDURES.rglob("*.sql"):
        assert not FROM_THE_SEQUENCE.search(path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize("keyed", [False, True], ids=["without a key", "with a key"])
def test_every_function_draws_ids_of_postings_after_its_xid(
    probed: psycopg.Connection, world: World, keyed: bool
) -> None:
    posting = set()
    for name in FUNCTIONS:
        arguments = CALLS[name].good(world, 10)
        if keyed and CALLS[name].is_keyed:
            arguments = CALLS[name].keyed(arguments, "once")
        call(probed, name, **arguments)
        told = drawn(probed)
        assert told != "early", f"{name} draws ids before it has an xid"
        if told:
            posting.add(name)
    assert POSTING - {"release_project", "refund_project"} <= posting


def test_an_escrow_that_expired_is_refunded_by_ids_after_the_xid(
    probed: psycopg.Connection, world: World
) -> None:
    probed.execute(
        "update pgwallet.escrow set expires_at = now() - interval '1 day' where escrow_id = %s",
        [world.escrow],
    )
    probed.commit()
    assert call(probed, "refund_expired_escrows")[0]["escrow_count"] == 1
    assert drawn(probed) == "late"


def test_a_function_that_does_it_the_wrong_way_round_is_noticed(
    probed: psycopg.Connection, world: World
) -> None:
    row = probed.execute(
        "select external_account_id from pgwallet.account where account_id = %s", [world.wallet]
    ).fetchone()
    assert row is not None
    probed.commit()
    probed.execute("select pgwallet.hasty_deposit(%s, %s)", [world.wallet, row[0]])
    assert drawn(probed) == "early"


@pytest.mark.parametrize("name", ["release_project", "refund_project"])
def test_a_procedure_draws_ids_of_postings_after_its_xid(
    probed: psycopg.Connection, name: str
) -> None:
    world = world_in(probed, name)
    probed.execute("set probe.drawn = ''")
    probed.commit()
    probed.autocommit = True
    try:
        call(probed, name, **CALLS[name].good(world, 10))
    finally:
        probed.autocommit = False
    assert drawn(probed) == "late"
