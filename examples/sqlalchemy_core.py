"""pgwallet inside SQLAlchemy Core: the ledger's calls join the transaction of a connection.

    python examples/sqlalchemy_core.py [CONNINFO]

CONNINFO is any that libpq knows, of a database that has pgwallet; without it
PGWALLET_DATABASE_URL counts. It makes a table `shop_order` there and a wallet for `ada`.
"""

import os
import sys
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Identity,
    MetaData,
    Numeric,
    Table,
    Text,
    create_engine,
    func,
    insert,
    select,
)

import pgwallet

shop_order = Table(
    "shop_order",
    MetaData(),
    Column("order_id", BigInteger, Identity(), primary_key=True),
    Column("wallet_id", BigInteger, nullable=False),
    Column("item", Text, nullable=False),
    Column("price", Numeric(12, 2), nullable=False),
)


def engine_for(conninfo: str) -> Engine:
    return create_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(conninfo))


def ledger(conn: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection underneath: what runs on it is in the same transaction."""
    driver_connection = conn.connection.driver_connection
    assert isinstance(driver_connection, psycopg.Connection)
    return driver_connection


def buy(conn: Connection, wallet_id: int, item: str, price: Decimal) -> None:
    """Records an order and takes its price from the wallet, or does neither."""
    order = {"wallet_id": wallet_id, "item": item, "price": price}
    order_id = conn.execute(
        insert(shop_order).values(order).returning(shop_order.c.order_id)
    ).scalar_one()
    pgwallet.withdraw(ledger(conn), wallet_id, price, idempotency_key=f"order-{order_id}")


def show(engine: Engine, wallet_id: int, what: str) -> None:
    with engine.connect() as conn:
        orders = conn.execute(select(func.count()).select_from(shop_order)).scalar_one()
        print(f"{what}: {orders} orders, {pgwallet.balance(ledger(conn), wallet_id)} EUR")


def main(conninfo: str) -> None:
    engine = engine_for(conninfo)
    shop_order.metadata.create_all(engine)
    with engine.begin() as conn:
        wallet_id = pgwallet.create_wallet(ledger(conn), "ada").wallet_id
        pgwallet.deposit(ledger(conn), wallet_id, 100)
    show(engine, wallet_id, "at first")

    with engine.begin() as conn:
        buy(conn, wallet_id, "book", Decimal("30.00"))
    show(engine, wallet_id, "after a commit")

    with engine.connect() as conn:
        buy(conn, wallet_id, "lamp", Decimal("20.00"))
        conn.rollback()  # the order is gone, and the money is back
    show(engine, wallet_id, "after a rollback")

    # A refusal that leaves the block takes the order with it.
    try:
        with engine.begin() as conn:
            buy(conn, wallet_id, "piano", Decimal("5000.00"))
    except pgwallet.InsufficientFunds as error:
        print(f"no piano ({error.sqlstate}): {error.detail}")
    show(engine, wallet_id, "after a refusal")

    # A savepoint keeps what else the transaction did.
    with engine.begin() as conn:
        buy(conn, wallet_id, "pen", Decimal("5.00"))
        try:
            with conn.begin_nested():
                buy(conn, wallet_id, "piano", Decimal("5000.00"))
        except pgwallet.InsufficientFunds as error:
            print(f"no piano ({error.sqlstate}): {error.detail}")
    show(engine, wallet_id, "after a refusal in a savepoint")

    # In no transaction of its own: release_project commits after each batch.
    with engine.begin() as conn:
        film = pgwallet.create_project(ledger(conn), f"film {uuid4()}").project_id
        pgwallet.pledge(ledger(conn), wallet_id, film, Decimal("40.00"))
    with engine.connect() as conn:
        for batch in pgwallet.release_project(ledger(conn), film):
            print(f"released {batch.gross_amount} EUR, of it {batch.net_amount} for the film")
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PGWALLET_DATABASE_URL", ""))
