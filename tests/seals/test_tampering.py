"""What a superuser changes of a sealed history is named by the first seal that does not fit.

Each tampering leaves balances and triggers as if nothing had been; most of them check_ledger
cannot tell.
"""

import psycopg
import pytest

import pgwallet
from pgwallet import WrongSeal
from tests.catalogue.world import World
from tests.ledger.calling import value
from tests.seals.history import tampered

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("world")]

# A deposit with a key and metadata, and its posting, in seal 3.
KEYED = "(select transaction_id from pgwallet.transaction where idempotency_key like '- 3:%')"
ITS_POSTING = f"(select posting_id from pgwallet.posting where transaction_id = {KEYED})"
# A posting without a key of seal 2, in the middle of it.
EARLIER = """
  (select p.posting_id from pgwallet.posting as p
  inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
  where t.kind = 'withdrawal' limit 1)
"""
A_FREEZE = "(select event_id from pgwallet.event where kind = 'freeze_account' limit 1)"

TAMPERINGS: dict[str, tuple[int, *tuple[str, ...]]] = {
    "a posting is back-dated": (
        3,
        f"update pgwallet.posting set created_at = created_at - interval '1 day' "
        f"where posting_id = {ITS_POSTING}",
    ),
    "a posting is back-dated by a microsecond": (
        2,
        f"update pgwallet.posting set created_at = created_at - interval '1 microsecond' "
        f"where posting_id = {EARLIER}",
    ),
    "a transaction is back-dated": (
        3,
        "update pgwallet.transaction set created_at = created_at - interval '1 day' "
        f"where transaction_id = {KEYED}",
    ),
    "the metadata are others": (
        3,
        f"update pgwallet.transaction set metadata = '{{}}' where transaction_id = {KEYED}",
    ),
    "the metadata are others, under the digest of what they were": (
        3,
        "update pgwallet.transaction set metadata = '{}', "
        "metadata_digest = sha256(convert_to(metadata::text, 'UTF8')) "
        f"where transaction_id = {KEYED}",
    ),
    "metadata are erased with another digest": (
        3,
        "update pgwallet.transaction set metadata = null, metadata_digest = sha256('') "
        f"where transaction_id = {KEYED}",
    ),
    "metadata are erased without a digest": (
        3,
        f"update pgwallet.transaction set metadata = null where transaction_id = {KEYED}",
    ),
    "the kind is another one": (
        3,
        f"update pgwallet.transaction set kind = 'transfer' where transaction_id = {KEYED}",
    ),
    "the key is another one": (
        3,
        f"update pgwallet.transaction set idempotency_key = 'x' where transaction_id = {KEYED}",
    ),
    "the request is another one": (
        3,
        f"update pgwallet.transaction set request = request || ' ' where transaction_id = {KEYED}",
    ),
    "a character moves from the key to the request": (
        3,
        "update pgwallet.transaction set request = right(idempotency_key, 1) || request, "
        "idempotency_key = left(idempotency_key, -1) "
        f"where transaction_id = {KEYED}",
    ),
    "the effective time is another one": (
        3,
        "update pgwallet.transaction set effective_at = effective_at + interval '1 day' "
        f"where transaction_id = {KEYED}",
    ),
    "the effective time is taken away": (
        3,
        f"update pgwallet.transaction set effective_at = null where transaction_id = {KEYED}",
    ),
    "the escrow is another one": (
        2,
        "update pgwallet.transaction set escrow_id = escrow_id + 1024 where transaction_id = ("
        "select min(transaction_id) from pgwallet.transaction where kind = 'pledge')",
    ),
    "a reversal is of another transaction": (
        2,
        "update pgwallet.transaction set reversed_transaction_id = 1 where kind = 'reversal'",
    ),
    "the accounts of a posting are swapped": (
        2,
        "update pgwallet.posting set source_account_id = destination_account_id, "
        f"destination_account_id = source_account_id where posting_id = {EARLIER}",
    ),
    "two deposits have each other's wallet": (
        3,
        "update pgwallet.posting as p set destination_account_id = o.destination_account_id, "
        "destination_balance = o.destination_balance from pgwallet.posting as o "
        f"where p.posting_id in ({ITS_POSTING}, {ITS_POSTING} - 1) "
        f"and o.posting_id = 2 * {ITS_POSTING} - 1 - p.posting_id",
    ),
    "the amount and balance of a posting are others": (
        2,
        "update pgwallet.posting set amount = amount + 1, source_balance = source_balance - 1 "
        f"where posting_id = {EARLIER}",
    ),
    "an amount has other decimals": (
        3,
        f"update pgwallet.posting set amount = amount * 1.0 where posting_id = {ITS_POSTING}",
    ),
    "a posting is removed with its transaction": (
        3,
        f"delete from pgwallet.posting where posting_id = {ITS_POSTING}",
        f"delete from pgwallet.transaction where transaction_id = {KEYED}",
    ),
    "an old deposit is forged": (
        1,
        "insert into pgwallet.transaction (transaction_id, created_at, kind) "
        "select 0, e.created_at, 'deposit' from pgwallet.event as e "
        "order by e.event_id limit 1",
    ),
    "an event says something else": (
        3,
        f"update pgwallet.event set after = before, before = after where event_id = {A_FREEZE}",
    ),
    "an event was before something else": (
        3,
        f"update pgwallet.event set before = null where event_id = {A_FREEZE}",
    ),
    "somebody else did it": (
        3,
        f"update pgwallet.event set changed_by = 'somebody' where event_id = {A_FREEZE}",
    ),
    "for another reason": (
        3,
        f"update pgwallet.event set reason = 'another' where event_id = {A_FREEZE}",
    ),
    "to something else": (
        3,
        f"update pgwallet.event set subject_id = subject_id + 1 where event_id = {A_FREEZE}",
    ),
    "an event is removed": (3, f"delete from pgwallet.event where event_id = {A_FREEZE}"),
    "a seal has another time": (
        3,
        "update pgwallet.seal set sealed_at = sealed_at + interval '1 microsecond' "
        "where seal_id = 3",
    ),
    "a seal ends elsewhere": (
        3,
        "update pgwallet.seal set posting_id = posting_id - 1 where seal_id = 3",
    ),
    "a seal ends before the one before it": (
        3,
        "update pgwallet.seal set posting_id = 0 where seal_id = 3",
    ),
    "a seal ends where nothing is yet": (
        4,
        f"update pgwallet.seal set event_id = {10**15} where seal_id = 4",
    ),
    "a seal has another digest": (
        3,
        "update pgwallet.seal set digest = sha256(digest) where seal_id = 3",
    ),
    "a seal is removed and the others move up": (
        3,
        "delete from pgwallet.seal where seal_id = 3",
        "update pgwallet.seal set seal_id = seal_id - 1 where seal_id = 4",
        "update pgwallet.seal set seal_id = seal_id - 1 where seal_id = 5",
    ),
}


def wrong(conn: psycopg.Connection, since: int = 0) -> WrongSeal:
    found = pgwallet.check_seals(conn, since)
    assert found is not None
    return found


@pytest.mark.parametrize("what", TAMPERINGS)
def test_the_first_seal_that_does_not_fit_is_named(sealed: psycopg.Connection, what: str) -> None:
    seal_id, *statements = TAMPERINGS[what]
    with tampered(sealed, *statements):
        found = wrong(sealed)
        assert found.seal_id == seal_id
        assert found.covers is not None
        assert "transactions" in found.covers
        # Also beginning with the seal before, but not after it.
        assert wrong(sealed, seal_id - 1).seal_id == seal_id
    assert pgwallet.check_seals(sealed) is None


@pytest.mark.parametrize("seal_id", [1, 3])
def test_a_seal_that_was_removed_is_named(sealed: psycopg.Connection, seal_id: int) -> None:
    with tampered(sealed, f"delete from pgwallet.seal where seal_id = {seal_id}"):
        for since in range(seal_id + 1):
            found = wrong(sealed, since)
            assert (found.seal_id, found.covers) == (seal_id, None)


def test_it_says_which_ids_the_seal_covers(sealed: psycopg.Connection) -> None:
    second, third = pgwallet.list_seals(sealed, 1, 2)
    _, *statements = TAMPERINGS["the key is another one"]
    with tampered(sealed, *statements):
        assert wrong(sealed).covers == (
            f"transactions {second.transaction_id + 1} to {third.transaction_id}, "
            f"postings {second.posting_id + 1} to {third.posting_id}, "
            f"events {second.event_id + 1} to {third.event_id}"
        )
    _, *statements = TAMPERINGS["a seal ends where nothing is yet"]
    with tampered(sealed, *statements):
        assert f", events {third.event_id + 1} to {10**15}" in str(wrong(sealed).covers)


def test_whoever_has_no_digest_elsewhere_is_not_told_of_seals_that_are_made_anew(
    sealed: psycopg.Connection,
) -> None:
    before = pgwallet.list_seals(sealed)
    with tampered(
        sealed,
        "update pgwallet.transaction set idempotency_key = 'x' where idempotency_key like '- 3:%'",
        "delete from pgwallet.seal where seal_id > 2",
        "delete from pgwallet.seal_balance where seal_id > 2",
        "delete from pgwallet.seal_flow where seal_id > 2",
    ):
        while pgwallet.seal_ledger(sealed) is not None:
            pass
        assert pgwallet.check_seals(sealed) is None
        after = pgwallet.list_seals(sealed)
        assert after[:2] == before[:2]
        assert after[2].digest not in [each.digest for each in before]


FORGED = """
  with forged as (
    insert into pgwallet.transaction (created_at, kind)
    values (now() - interval '{}', 'deposit')
    returning transaction_id, created_at
  )
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, created_at
  )
  select f.transaction_id, 1024, 2048, 1, f.created_at from forged as f
"""


def test_what_is_forged_now_and_says_that_it_is_old_is_told_before_and_after_it_is_sealed(
    sealed: psycopg.Connection,
) -> None:
    with tampered(sealed, FORGED.format("1 year")):
        found = wrong(sealed)
        assert found.seal_id == 5
        assert found.covers is not None
        assert found.covers.startswith("transactions from ")
        assert pgwallet.seal_ledger(sealed) is not None
        assert wrong(sealed).seal_id == 6


def test_a_clock_that_was_set_back_a_little_is_no_forgery(sealed: psycopg.Connection) -> None:
    with tampered(sealed, FORGED.format("30 seconds")):
        assert pgwallet.check_seals(sealed) is None
        assert pgwallet.seal_ledger(sealed) is not None
        assert pgwallet.check_seals(sealed) is None
        times = value(sealed, "select array_agg(sealed_at order by seal_id) from pgwallet.seal")
        assert times == sorted(times)


def test_who_adds_to_what_is_sealed_in_a_gap_is_told(
    sealed: psycopg.Connection, world: World
) -> None:
    """An id that was drawn and rolled back, below one that is sealed."""
    with sealed.transaction(force_rollback=True):
        with sealed.transaction(force_rollback=True):
            gap = pgwallet.deposit(sealed, world.wallet, 1).transaction_id
        pgwallet.deposit(sealed, world.wallet, 1)
        assert pgwallet.seal_ledger(sealed) is not None
        assert pgwallet.check_seals(sealed) is None
        with tampered(
            sealed,
            f"insert into pgwallet.transaction (transaction_id, kind) values ({gap}, 'allocation')",
        ):
            assert wrong(sealed).seal_id == 6
