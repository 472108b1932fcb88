"""States that stop some calls and let others go on, and how a world gets into each.

What a call answers in each is said in the catalogue, by `states` of its entry; where an entry says
nothing of a state, the call goes on. tests/accounts/test_states.py makes each call in each state,
and docs/concepts/states.md shows them all.
"""

from collections.abc import Callable, Mapping

import psycopg

import pgwallet
from tests.catalogue.call_of import CallOf
from tests.catalogue.world import World

WALLET_FROZEN = "wallet frozen"
WALLET_CLOSED = "wallet closed"
POCKET_CLOSED = "pocket closed"
PROJECT_FROZEN = "project frozen"
ESCROW_DISPUTED = "escrow disputed"
OWING = "account owes"

GOES_ON = "yes"
# A batch does the rest.
LEFT_OUT = "left out"

# What many functions answer.
OF_WALLET = {WALLET_CLOSED: "PW209"}
OF_POCKET = {WALLET_CLOSED: "PW209", POCKET_CLOSED: "PW209"}
LEAVING = {WALLET_FROZEN: "PW208", WALLET_CLOSED: "PW209"}
ALLOCATING = {**OF_WALLET, OWING: "PW201"}  # credit never fills a pocket
BATCH = {ESCROW_DISPUTED: LEFT_OUT}

Make = Callable[[psycopg.Connection, World], None]


def _freeze_wallets(conn: psycopg.Connection, world: World) -> None:
    for wallet_id in (world.wallet, world.empty_wallet):
        pgwallet.freeze_account(conn, wallet_id, "court order 17")


def _close_wallets(conn: psycopg.Connection, world: World) -> None:
    """By hand, with all that is in it, so that a call could move it."""
    wallets = [world.wallet, world.empty_wallet]
    conn.execute(
        "update pgwallet.pocket set closed_at = now(), allocation_percentage = 0 "
        "where wallet_id = any(%s)",
        [wallets],
    )
    conn.execute(
        "update pgwallet.account set closed_at = now() where account_id = any(%s) "
        "or account_id in (select pocket_id from pgwallet.pocket where wallet_id = any(%s))",
        [wallets, wallets],
    )


def _close_pockets(conn: psycopg.Connection, world: World) -> None:
    for pocket_id in (world.pocket, world.spare_pocket):
        pgwallet.close_pocket(conn, pocket_id)


def _freeze_projects(conn: psycopg.Connection, world: World) -> None:
    for project_id in (world.open, world.succeeded, world.failed, world.charged):
        pgwallet.freeze_account(conn, project_id, "court order 17")


def _dispute_escrows(conn: psycopg.Connection, world: World) -> None:
    for escrow_id in (
        *(world.escrow, world.succeeded_escrow, world.failed_escrow, world.small_escrow),
    ):
        pgwallet.dispute_escrow(conn, escrow_id, "the card was stolen")


def _owe(conn: psycopg.Connection, world: World) -> None:
    for account_id in (world.wallet, world.empty_wallet, world.open, world.charged):
        pgwallet.set_credit_limit(conn, account_id, 10_000)
        is_project = account_id in (world.open, world.charged)
        leave = pgwallet.payout if is_project else pgwallet.withdraw
        leave(conn, account_id, pgwallet.balance(conn, account_id) + 50)


STATES: Mapping[str, Make] = {
    WALLET_FROZEN: _freeze_wallets,
    WALLET_CLOSED: _close_wallets,
    POCKET_CLOSED: _close_pockets,
    PROJECT_FROZEN: _freeze_projects,
    ESCROW_DISPUTED: _dispute_escrows,
    OWING: _owe,
}


def answer(call: CallOf, state: str) -> str:
    """What the catalogue says that a good call answers."""
    return call.states.get(state, GOES_ON)
