"""A ledger with one of everything, for tests of what it refuses."""

from dataclasses import dataclass

import psycopg

import pgwallet
from tests.ledger.calling import funded, project


@dataclass(frozen=True, slots=True)
class World:
    """Ids: a wallet with 100 EUR outside its pockets, and what else a call may name."""

    conn: psycopg.Connection
    wallet: int
    yen_wallet: int
    pocket: int
    open: int
    yen_project: int
    succeeded: int
    failed: int
    escrow: int
    succeeded_escrow: int
    failed_escrow: int
    settled_escrow: int


def world_in(conn: psycopg.Connection) -> World:
    wallet = funded(conn, "ada", 240)
    yen_wallet = funded(conn, "ada", 1000, "JPY")
    pocket = pgwallet.create_pocket(conn, wallet, "holiday", 50).pocket_id
    pgwallet.transfer_to_pocket(conn, pocket, 20)
    projects = [
        project(conn, reference, max_pledge=500) for reference in ("open", "succeeded", "failed")
    ]
    escrows = [pgwallet.pledge(conn, wallet, each, 30).escrow_id for each in projects]
    settled = pgwallet.pledge(conn, wallet, projects[0], 30).escrow_id
    pgwallet.refund_escrow(conn, settled, 10)
    pgwallet.release_escrow(conn, settled)
    pgwallet.deposit(conn, wallet, 10)
    pgwallet.withdraw(conn, wallet, 20)
    pgwallet.close_project(conn, projects[1], "succeeded")
    pgwallet.close_project(conn, projects[2], "failed")
    assert pgwallet.balance(conn, wallet) == 100
    return World(
        conn=conn,
        wallet=wallet,
        yen_wallet=yen_wallet,
        pocket=pocket,
        open=projects[0],
        yen_project=project(conn, "yen", currency="JPY"),
        succeeded=projects[1],
        failed=projects[2],
        escrow=escrows[0],
        succeeded_escrow=escrows[1],
        failed_escrow=escrows[2],
        settled_escrow=settled,
    )
