"""pgwallet with psycopg's own pool: what to set, and how transactions begin and end.

    python examples/connection_pool.py [CONNINFO]

CONNINFO is any that libpq knows, of a database that has pgwallet; without it
PGWALLET_DATABASE_URL counts.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
from psycopg_pool import ConnectionPool

import pgwallet

Connection = psycopg.Connection[Any]


def pool_for(conninfo: str) -> ConnectionPool[Connection]:
    return ConnectionPool(
        conninfo,
        min_size=2,
        max_size=8,  # so many transactions at a time; more than a few for each core gain nothing
        timeout=10,  # seconds to wait for a free connection, then psycopg_pool.PoolTimeout
        check=ConnectionPool.check_connection,  # replaces connections that a restart has cut
        kwargs={
            "application_name": "shop",
            # Who waits longer than this for a lock gets 55P03, which run_transaction repeats.
            "options": "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s",
        },
    )


def main(conninfo: str) -> None:
    with pool_for(conninfo) as pool:
        # The block is a transaction: committed at its end, rolled back by an exception.
        with pool.connection() as conn:
            wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
            pgwallet.deposit(conn, wallet_id, 100)
        try:
            with pool.connection() as conn:
                pgwallet.deposit(conn, wallet_id, 1000)
                pgwallet.withdraw(conn, wallet_id, 5000)
        except pgwallet.InsufficientFunds as error:
            print(f"both undone ({error.sqlstate}): {error.detail}")

        # A savepoint undoes one call and keeps the others.
        with pool.connection() as conn:
            pgwallet.withdraw(conn, wallet_id, 10)
            try:
                with conn.transaction():
                    pgwallet.withdraw(conn, wallet_id, 5000)
            except pgwallet.InsufficientFunds as error:
                print(f"one undone ({error.sqlstate}): {error.detail}")
            print("balance:", pgwallet.balance(conn, wallet_id))

        # Several calls in one transaction: repeated as a whole after a deadlock or a timeout.
        def save(conn: Connection) -> Decimal:
            pocket_id = pgwallet.create_pocket(conn, wallet_id, "savings").pocket_id
            return pgwallet.transfer_to_pocket(conn, pocket_id, 25).wallet_balance

        print("saved 25, balance:", pgwallet.run_transaction(pool, save))

        # More threads than connections: each waits for its turn, and a key counts once.
        def pay(number: int) -> bool:
            with pool.connection() as conn:
                key = f"salary-{number % 4}"
                return pgwallet.deposit(conn, wallet_id, 5, idempotency_key=key).replayed

        with ThreadPoolExecutor(max_workers=20) as threads:
            replayed = list(threads.map(pay, range(40)))
        print(f"40 deposits with 4 keys: {replayed.count(False)} moved money")

        # On a connection in no transaction, as the pool hands them out: a commit for each batch.
        with pool.connection() as conn:
            film = pgwallet.create_project(conn, f"film {uuid4()}").project_id
            pgwallet.pledge(conn, wallet_id, film, 20)
        with pool.connection() as conn:
            for batch in pgwallet.release_project(conn, film):
                print(f"released {batch.gross_amount} EUR, of it {batch.net_amount} for the film")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PGWALLET_DATABASE_URL", ""))
