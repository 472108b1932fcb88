"""pgwallet inside SQLAlchemy's ORM: the ledger's calls join the transaction of a session.

    python examples/sqlalchemy_orm.py [CONNINFO]

CONNINFO is any that libpq knows, of a database that has pgwallet; without it
PGWALLET_DATABASE_URL counts. It makes a table `shop_order` there and a wallet for `ada`.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import BigInteger, Identity, Numeric, create_engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

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


def ledger(session: Session) -> psycopg.Connection[Any]:
    """The psycopg connection of the session: what runs on it is in the same transaction."""
    driver_connection = session.connection().connection.driver_connection
    assert isinstance(driver_connection, psycopg.Connection)
    return driver_connection


def run_transaction(
    begin: Callable[[], AbstractContextManager[S]], work: Callable[[S], R], attempts: int = 5
) -> R:
    """Runs `work` in a transaction, and all of it again when it met another one's way.

    `begin` is that of an engine or a sessionmaker.
    """
    attempt = 1
    while True:
        try:
            with begin() as session:
                return work(session)
        except (psycopg.Error, DBAPIError) as error:
            # SQLAlchemy wraps the errors of its own statements, not those of the ledger's.
            cause = error.orig if isinstance(error, DBAPIError) else error
            if getattr(cause, "sqlstate", None) not in PASSING or attempt >= attempts:
                raise
        time.sleep(random.uniform(0, 0.05 * 2**attempt))
        attempt += 1


def buy(session: Session, wallet_id: int, item: str, price: Decimal) -> Order:
    """Records an order and takes its price from the wallet, or does neither."""
    order = Order(wallet_id=wallet_id, item=item, price=price)
    session.add(order)
    session.flush()  # the ledger's calls do not flush, and the key needs the order's id
    pgwallet.withdraw(ledger(session), wallet_id, price, idempotency_key=f"order-{order.order_id}")
    return order


def show(sessions: sessionmaker[Session], wallet_id: int, what: str) -> None:
    with sessions() as session:
        orders = session.scalar(select(func.count()).select_from(Order))
        print(f"{what}: {orders} orders, {pgwallet.balance(ledger(session), wallet_id)} EUR")


def main(conninfo: str) -> None:
    engine = create_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(conninfo))
    sessions = sessionmaker(engine)
    Base.metadata.create_all(engine)
    with sessions.begin() as session:
        wallet_id = pgwallet.create_wallet(ledger(session), "ada").wallet_id
        pgwallet.deposit(ledger(session), wallet_id, 100)
    show(sessions, wallet_id, "at first")

    with sessions.begin() as session:
        buy(session, wallet_id, "book", Decimal("30.00"))
    show(sessions, wallet_id, "after a commit")

    with sessions() as session:
        buy(session, wallet_id, "lamp", Decimal("20.00"))
        session.rollback()  # the order is gone, and the money is back
    show(sessions, wallet_id, "after a rollback")

    # A refusal that leaves the block takes the order with it.
    try:
        with sessions.begin() as session:
            buy(session, wallet_id, "piano", Decimal("5000.00"))
    except pgwallet.InsufficientFunds as error:
        print(f"no piano ({error.sqlstate}): {error.detail}")
    show(sessions, wallet_id, "after a refusal")

    # A savepoint keeps what else the transaction did.
    with sessions.begin() as session:
        buy(session, wallet_id, "pen", Decimal("5.00"))
        try:
            with session.begin_nested():
                buy(session, wallet_id, "piano", Decimal("5000.00"))
        except pgwallet.InsufficientFunds as error:
            print(f"no piano ({error.sqlstate}): {error.detail}")
    show(sessions, wallet_id, "after a refusal in a savepoint")

    # Two purchases in one transaction may meet a deadlock with others, so they are repeated.
    def buy_two(session: Session) -> None:
        buy(session, wallet_id, "ink", Decimal("7.00"))
        buy(session, wallet_id, "paper", Decimal("8.00"))

    run_transaction(sessions.begin, buy_two)
    show(sessions, wallet_id, "after two at once")
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PGWALLET_DATABASE_URL", ""))
