"""pgwallet inside SQLAlchemy's async engine: the ledger's calls join a session's transaction.

    python examples/sqlalchemy_async.py [CONNINFO]

CONNINFO is any that libpq knows, of a database that has pgwallet; without it
PGWALLET_DATABASE_URL counts. It makes a table `shop_order` there and a wallet for `ada`.
"""

import asyncio
import os
import random
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import BigInteger, Identity, Numeric, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import pgwallet

S = TypeVar("S")
R = TypeVar("R")

# Serialization failure, deadlock, lock timeout: the same work may succeed the next time.
PASSING = {"40001", "40P01", "55P03"}


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "shop_order"

    order_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    wallet_id: Mapped[int] = mapped_column(BigInteger)
    item: Mapped[str]
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))


async def ledger(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection of the session: what runs on it is in the same transaction."""
    conn = await session.connection()
    driver_connection = (await conn.get_raw_connection()).driver_connection
    assert isinstance(driver_connection, psycopg.AsyncConnection)
    return driver_connection


async def run_transaction(
    begin: Callable[[], AbstractAsyncContextManager[S]],
    work: Callable[[S], Awaitable[R]],
    attempts: int = 5,
) -> R:
    """Runs `work` in a transaction, and all of it again when it met another one's way.

    `begin` is that of an async engine or an async_sessionmaker.
    """
    attempt = 1
    while True:
        try:
            async with begin() as session:
                return await work(session)
        except (psycopg.Error, DBAPIError) as error:
            # SQLAlchemy wraps the errors of its own statements, not those of the ledger's.
            cause = error.orig if isinstance(error, DBAPIError) else error
            if getattr(cause, "sqlstate", None) not in PASSING or attempt >= attempts:
                raise
        await asyncio.sleep(random.uniform(0, 0.05 * 2**attempt))
        attempt += 1


async def buy(session: AsyncSession, wallet_id: int, item: str, price: Decimal) -> Order:
    """Records an order and takes its price from the wallet, or does neither."""
    order = Order(wallet_id=wallet_id, item=item, price=price)
    session.add(order)
    await session.flush()  # the ledger's calls do not flush, and the key needs the order's id
    key = f"order-{order.order_id}"
    await pgwallet.withdraw(await ledger(session), wallet_id, price, idempotency_key=key)
    return order


async def show(sessions: async_sessionmaker[AsyncSession], wallet_id: int, what: str) -> None:
    async with sessions() as session:
        orders = await session.scalar(select(func.count()).select_from(Order))
        balance = await pgwallet.balance(await ledger(session), wallet_id)
        print(f"{what}: {orders} orders, {balance} EUR")


async def main(conninfo: str) -> None:
    engine = create_async_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(conninfo))
    sessions = async_sessionmaker(engine)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.create_all)
    async with sessions.begin() as session:
        wallet_id = (await pgwallet.create_wallet(await ledger(session), "ada")).wallet_id
        await pgwallet.deposit(await ledger(session), wallet_id, 100)
    await show(sessions, wallet_id, "at first")

    async with sessions.begin() as session:
        await buy(session, wallet_id, "book", Decimal("30.00"))
    await show(sessions, wallet_id, "after a commit")

    async with sessions() as session:
        await buy(session, wallet_id, "lamp", Decimal("20.00"))
        await session.rollback()  # the order is gone, and the money is back
    await show(sessions, wallet_id, "after a rollback")

    # A refusal that leaves the block takes the order with it.
    try:
        async with sessions.begin() as session:
            await buy(session, wallet_id, "piano", Decimal("5000.00"))
    except pgwallet.InsufficientFunds as error:
        print(f"no piano ({error.sqlstate}): {error.detail}")
    await show(sessions, wallet_id, "after a refusal")

    # A savepoint keeps what else the transaction did.
    async with sessions.begin() as session:
        await buy(session, wallet_id, "pen", Decimal("5.00"))
        try:
            async with session.begin_nested():
                await buy(session, wallet_id, "piano", Decimal("5000.00"))
        except pgwallet.InsufficientFunds as error:
            print(f"no piano ({error.sqlstate}): {error.detail}")
    await show(sessions, wallet_id, "after a refusal in a savepoint")

    # Two purchases in one transaction may meet a deadlock with others, so they are repeated.
    async def buy_two(session: AsyncSession) -> None:
        await buy(session, wallet_id, "ink", Decimal("7.00"))
        await buy(session, wallet_id, "paper", Decimal("8.00"))

    await run_transaction(sessions.begin, buy_two)
    await show(sessions, wallet_id, "after two at once")
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(
        main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PGWALLET_DATABASE_URL", ""))
    )
