"""pgwallet in psycopg's pipeline mode: what it gives, and what to use instead.

    python examples/pipeline.py [CONNINFO]

CONNINFO is any that libpq knows, of a database that has pgwallet; without it
PGWALLET_DATABASE_URL counts.
"""

import os
import sys
from decimal import Decimal
from typing import Any

import psycopg

import pgwallet
from pgwallet.errors import refusal

Connection = psycopg.Connection[Any]


def withdraw_from_all(conn: Connection, wallet_ids: list[int], amount: Decimal) -> list[Decimal]:
    """Withdraws from each wallet, or from none, with one wait for the server."""
    try:
        # Without conn.transaction() the calls would still be one transaction, up to the end of
        # the pipeline: with it, one can see that.
        with conn.transaction(), conn.pipeline():
            cursors = [
                conn.execute("select balance from pgwallet.withdraw(%s, %s)", [wallet_id, amount])
                for wallet_id in wallet_ids
            ]
    except psycopg.Error as error:
        raise refusal(error) or error from None
    return [balance for cursor in cursors for (balance,) in cursor.fetchall()]


def main(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        wallet_ids = [
            pgwallet.create_wallet(conn, name).wallet_id for name in ("ada", "bob", "cyd")
        ]

        # Many calls of one kind: a function that takes arrays. One round trip, no pipeline.
        deposits = pgwallet.deposit_many(conn, wallet_ids, [100, 50, 20])
        print("deposit_many:", *(deposit.balance for deposit in deposits))

        # The driver's functions read their result, so each waits for its own, as ever.
        with conn.transaction(), conn.pipeline():
            balances = [pgwallet.withdraw(conn, wallet_id, 5).balance for wallet_id in wallet_ids]
        print("one after the other:", *balances)

        # The SQL functions can be sent one behind the other, and read in the end.
        print("pipelined:", *withdraw_from_all(conn, wallet_ids, Decimal(10)))
        try:
            withdraw_from_all(conn, wallet_ids, Decimal(30))
        except pgwallet.InsufficientFunds as error:
            print(f"refused ({error.sqlstate}): {error.detail}")
        print("none of it:", *(pgwallet.balance(conn, wallet_id) for wallet_id in wallet_ids))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PGWALLET_DATABASE_URL", ""))
