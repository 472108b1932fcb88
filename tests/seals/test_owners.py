"""Whose a wallet is, is no history, for it can be erased; still a seal tells who changed it."""

import hashlib

import psycopg
import pytest

import pgwallet
from tests.catalogue.world import World
from tests.ledger.calling import value
from tests.seals import plain
from tests.seals.history import tampered

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("world")]

SWAPPED = """
  with two as (
    select {ada} as wallet_id, o.owner_id, o.owner_salt
    from pgwallet.wallet as o where o.wallet_id = {bob}
    union all
    select {bob}, o.owner_id, o.owner_salt
    from pgwallet.wallet as o where o.wallet_id = {ada}
  )

  update pgwallet.wallet as w set {changes}
  from two as t where w.wallet_id = t.wallet_id
"""

# Of a wallet whose creation is in seal 2.
CHANGES = {
    "two wallets have each other's owner": SWAPPED.replace("{changes}", "owner_id = t.owner_id"),
    "two wallets have each other's owner and salt": SWAPPED.replace(
        "{changes}", "owner_id = t.owner_id, owner_salt = t.owner_salt"
    ),
    "two wallets have each other's salt": SWAPPED.replace("{changes}", "owner_salt = t.owner_salt"),
    "another owner": "update pgwallet.wallet set owner_id = 'mallory' where wallet_id = {ada}",
    "another owner, and no salt": "update pgwallet.wallet set owner_id = 'mallory', "
    "owner_salt = null where wallet_id = {ada}",
    "no salt": "update pgwallet.wallet set owner_salt = null where wallet_id = {ada}",
    "erased, and nobody says so": "update pgwallet.wallet set owner_id = 'erased-by-hand', "
    "owner_salt = null where wallet_id = {ada}",
    "the new owner in an event of its own": """
      with changed as (
        update pgwallet.wallet set owner_id = 'mallory' where wallet_id = {ada} returning *
      )

      insert into pgwallet.event (kind, subject_id, after)
      select 'create_wallet', c.wallet_id, jsonb_build_object(
        'currency', c.currency,
        'owner_digest', pgwallet._owner_digest(c.owner_salt, c.owner_id)
      ) from changed as c
    """,
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_seal_of_its_creation_names_the_wallet(
    sealed: psycopg.Connection, world: World, what: str
) -> None:
    change = CHANGES[what].format(ada=world.wallet, bob=world.friend)
    with tampered(sealed):
        # Within a statement two wallets have one owner.
        sealed.execute("alter table pgwallet.wallet drop constraint wallet_owner_key")
        sealed.execute(change.encode())
        found = pgwallet.check_seals(sealed)
        assert found is not None
        assert found.seal_id == 2
        assert f"wallet {world.wallet}: " in found.detail
        assert "mallory" not in found.detail
        assert plain.wrong_owners(sealed)[0] == world.wallet
        # Who trusts that seal does not look at what it covers; check_ledger does.
        assert pgwallet.check_seals(sealed, 2) is None
        assert f"wallet {world.wallet}" in [each.subject for each in pgwallet.check_ledger(sealed)]
    assert pgwallet.check_seals(sealed) is None
    assert plain.wrong_owners(sealed) == []


def test_an_erased_wallet_gets_no_other_owner(sealed: psycopg.Connection, world: World) -> None:
    with tampered(sealed):
        pgwallet.erase_owner(sealed, world.wallet)
        assert pgwallet.check_seals(sealed) is None
        assert plain.wrong_owners(sealed) == []
        sealed.execute(
            "update pgwallet.wallet set owner_id = 'mallory' where wallet_id = %s", [world.wallet]
        )
        found = pgwallet.check_seals(sealed)
        assert found is not None
        assert found.seal_id == 2


def test_without_the_salt_nobody_tells_who_an_erased_owner_was(
    sealed: psycopg.Connection, world: World
) -> None:
    salt = value(
        sealed, "select owner_salt from pgwallet.wallet where wallet_id = %s", world.wallet
    )
    (created, *_) = pgwallet.list_events(sealed, world.wallet)
    owner = value(sealed, "select owner_id from pgwallet.wallet where wallet_id = %s", world.wallet)
    digest = hashlib.sha256(salt.bytes + owner.encode()).hexdigest()
    assert created.after == {"currency": "EUR", "owner_digest": digest}
    with sealed.transaction(force_rollback=True):
        pgwallet.erase_owner(sealed, world.wallet)
        left = "select count(*) from pgwallet.wallet as w where w.owner_salt = %s"
        assert value(sealed, left, salt) == 0
        assert pgwallet.list_events(sealed, world.wallet)[0] == created
