"""A ledger with one of everything, which the calls of the catalogue are made in."""

from dataclasses import dataclass
from decimal import Decimal

import psycopg

import pgwallet
from tests.ledger.calling import funded, project

# What is in the accounts that calls move money of.
HOLDS = {
    "wallet": Decimal(100),
    "friend": Decimal(50),
    "pocket": Decimal(20),
    "spare_pocket": Decimal(10),
    "open": Decimal(16),
    "charged": Decimal(200),
}


@dataclass(frozen=True, slots=True)
class World:
    """Ids: a wallet with 100 EUR outside its pockets, and what else a call may name.

    A friend's wallet has 50, another one is empty. The pocket has 20 and receives half of what is
    allocated; a spare one receives none and has 10. The open project has 16 to pay out, a charged
    one 200; of what is released from an escrow, a project gets eight tenths. Escrows hold 30, but a
    small one 10, the settled one nothing any more, and of the released one all 250 are with the
    charged project. No pledge is above 500.
    """

    suffix: str
    wallet: int
    yen_wallet: int
    friend: int
    empty_wallet: int
    pocket: int
    spare_pocket: int
    yen_pocket: int
    open: int
    yen_project: int
    succeeded: int
    failed: int
    charged: int
    escrow: int
    succeeded_escrow: int
    failed_escrow: int
    settled_escrow: int
    disputed_escrow: int
    small_escrow: int
    released_escrow: int
    # Transactions: a deposit of 10, one of more than is left of it, a release, and a deposit that
    # was taken back, by which reversal.
    transaction: int
    spent: int
    release: int
    reversed: int
    reversal: int

    def called(self, name: str) -> str:
        """The name of an owner or a project of this world, which no other world has."""
        return name + self.suffix


def _earned(conn: psycopg.Connection, suffix: str) -> None:
    """What the platform may collect: 1,000 of commission and 1,000 of fee."""
    sponsor = funded(conn, f"sponsor{suffix}", 2000)
    half = Decimal("0.5")
    sponsored = project(conn, f"sponsored{suffix}", commission_rate=half, fee_rate=half)
    pgwallet.release_escrow(conn, pgwallet.pledge(conn, sponsor, sponsored, 2000).escrow_id)


def world_in(conn: psycopg.Connection, suffix: str = "") -> World:
    """A second world in one ledger needs a suffix, which its names have at the end."""
    wallet = funded(conn, f"ada{suffix}", 540)
    yen_wallet = funded(conn, f"ada{suffix}", 1000, "JPY")
    pocket = pgwallet.create_pocket(conn, wallet, "holiday", 50).pocket_id
    pgwallet.transfer_to_pocket(conn, pocket, 20)
    spare_pocket = pgwallet.create_pocket(conn, wallet, "spare").pocket_id
    pgwallet.transfer_to_pocket(conn, spare_pocket, 10)
    tenth = Decimal("0.1")
    projects = [
        project(conn, name + suffix, commission_rate=tenth, fee_rate=tenth, max_pledge=500)
        for name in ("open", "succeeded", "failed", "charged")
    ]
    escrows = [pgwallet.pledge(conn, wallet, each, 30).escrow_id for each in projects[:3]]
    released = pgwallet.pledge(conn, wallet, projects[3], 250).escrow_id
    pgwallet.release_escrow(conn, released)
    settled = pgwallet.pledge(conn, wallet, projects[0], 30).escrow_id
    pgwallet.refund_escrow(conn, settled, 10)
    disputed = pgwallet.pledge(conn, wallet, projects[0], 30).escrow_id
    pgwallet.dispute_escrow(conn, disputed, "the card was stolen")
    release = pgwallet.release_escrow(conn, settled)
    mistaken = pgwallet.deposit(conn, wallet, 1)
    reversal = pgwallet.reverse_transaction(conn, mistaken.transaction_id)
    deposit = pgwallet.deposit(conn, wallet, 10)
    pgwallet.withdraw(conn, wallet, 20)
    pgwallet.close_project(conn, projects[1], "succeeded")
    pgwallet.close_project(conn, projects[2], "failed")
    _earned(conn, suffix)
    world = World(
        suffix=suffix,
        wallet=wallet,
        yen_wallet=yen_wallet,
        friend=funded(conn, f"eve{suffix}", 50),
        empty_wallet=funded(conn, f"mia{suffix}", 0),
        pocket=pocket,
        spare_pocket=spare_pocket,
        yen_pocket=pgwallet.create_pocket(conn, yen_wallet, "holiday").pocket_id,
        open=projects[0],
        yen_project=project(conn, f"yen{suffix}", currency="JPY"),
        succeeded=projects[1],
        failed=projects[2],
        charged=projects[3],
        escrow=escrows[0],
        succeeded_escrow=escrows[1],
        failed_escrow=escrows[2],
        settled_escrow=settled,
        disputed_escrow=disputed,
        small_escrow=pgwallet.pledge(conn, wallet, projects[0], 10).escrow_id,
        released_escrow=released,
        transaction=deposit.transaction_id,
        spent=pgwallet.statement(conn, wallet, limit=1)[0].transaction_id,
        release=release.transaction_id,
        reversed=mistaken.transaction_id,
        reversal=reversal.transaction_id,
    )
    for account, amount in HOLDS.items():
        assert pgwallet.balance(conn, getattr(world, account)) == amount
    return world
