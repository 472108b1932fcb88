"""What a type checker infers: mypy --strict reads this file, pytest runs it too.

Each `type: ignore` names an error that must be found; one that is not found is an error.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Coroutine, Iterator
from decimal import Decimal
from typing import Any, assert_type

import psycopg

import pgwallet


def test_a_connection_gives_results(conn: psycopg.Connection) -> None:
    wallet = assert_type(pgwallet.create_wallet(conn, "ada"), pgwallet.Wallet)
    wallet_id = wallet.wallet_id
    assert_type(pgwallet.deposit(conn, wallet_id, amount=1), pgwallet.Deposit)
    assert_type(pgwallet.deposit_many(conn, [wallet_id], [1]), list[pgwallet.DepositRow])
    assert_type(pgwallet.allocate_deposit(conn, wallet_id, 1), pgwallet.Allocation)
    assert_type(pgwallet.balance(conn, wallet_id), Decimal)
    assert_type(pgwallet.statement(conn, wallet_id), list[pgwallet.StatementRow])


def test_an_async_connection_gives_coroutines(shared_database: str) -> None:
    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(shared_database) as aconn:
            opening = pgwallet.create_wallet(aconn, "ada")
            wallet = await assert_type(opening, Coroutine[Any, Any, pgwallet.Wallet])
            assert_type(await pgwallet.deposit(aconn, wallet.wallet_id, 1), pgwallet.Deposit)
            assert_type(await pgwallet.balance(aconn, wallet.wallet_id), Decimal)
            await aconn.rollback()

    asyncio.run(main())


def test_a_signature_starts_with_the_connection() -> None:
    signature = inspect.signature(pgwallet.deposit)
    assert list(signature.parameters)[:3] == ["conn", "wallet_id", "amount"]
    assert signature.return_annotation is pgwallet.Deposit


async def checked_but_not_run(
    conn: psycopg.Connection,
    aconn: psycopg.AsyncConnection,
    rows: psycopg.Connection[dict[str, Any]],
) -> None:
    assert_type(pgwallet.balance(rows, 1), Decimal)
    assert_type(pgwallet.release_project(conn, 1), Iterator[pgwallet.ReleaseBatch])
    assert_type(pgwallet.refund_project(aconn, 1, 10), AsyncIterator[pgwallet.RefundBatch])
    assert_type(
        pgwallet.run_transaction(conn, lambda conn: pgwallet.deposit(conn, 1, 1)),
        pgwallet.Deposit,
    )
    assert_type(
        await pgwallet.run_transaction(aconn, lambda aconn: pgwallet.deposit(aconn, 1, 1)),
        pgwallet.Deposit,
    )

    pgwallet.deposit(conn, 1, 1.5)  # type: ignore[call-overload]
    pgwallet.deposit(conn, "1", 1)  # type: ignore[call-overload]
    pgwallet.deposit(conn, 1)  # type: ignore[call-overload]
    pgwallet.deposit(conn, 1, 1, key="a")  # type: ignore[call-overload]
    pgwallet.deposit(1, 1)  # type: ignore[call-overload]
    assert pgwallet.deposit(conn, 1, 1).amount  # type: ignore[attr-defined]
