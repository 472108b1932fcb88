"""SQLAlchemy's Core, ORM and async engine share their transactions with the ledger."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

import pgwallet
from examples import sqlalchemy_async, sqlalchemy_core, sqlalchemy_orm
from tests.conftest import Connect
from tests.examples.scripts import run_example, shown

DIALECT = "postgresql+psycopg://"
Then = Callable[[], None]


class Abandoned(Exception):
    """Something of the application's goes wrong, late in the transaction."""


def nothing_more() -> None:
    pass


def abandon() -> None:
    raise Abandoned


@contextmanager
def engine_on(conninfo: str, isolation_level: str = "READ COMMITTED") -> Iterator[Engine]:
    engine = create_engine(
        DIALECT, connect_args=conninfo_to_dict(conninfo), isolation_level=isolation_level
    )
    try:
        yield engine
    finally:
        engine.dispose()


def buy_with_core(conninfo: str, wallet_id: int, price: int, then: Then) -> None:
    with engine_on(conninfo) as engine, engine.begin() as conn:
        sqlalchemy_core.buy(conn, wallet_id, "book", Decimal(price))
        then()


def buy_with_the_orm(conninfo: str, wallet_id: int, price: int, then: Then) -> None:
    with engine_on(conninfo) as engine, sessionmaker(engine).begin() as session:
        sqlalchemy_orm.buy(session, wallet_id, "book", Decimal(price))
        then()


def buy_with_the_async_engine(conninfo: str, wallet_id: int, price: int, then: Then) -> None:
    async def buy() -> None:
        engine = create_async_engine(DIALECT, connect_args=conninfo_to_dict(conninfo))
        try:
            async with async_sessionmaker(engine).begin() as session:
                await sqlalchemy_async.buy(session, wallet_id, "book", Decimal(price))
                then()
        finally:
            await engine.dispose()

    asyncio.run(buy())


each_way = pytest.mark.parametrize(
    "buy", [buy_with_core, buy_with_the_orm, buy_with_the_async_engine]
)


@pytest.fixture
def wallet_id(connect: Connect) -> int:
    """A wallet with 100 EUR, in a database that has the table of orders."""
    conn = connect()
    with engine_on(conn.info.dsn) as engine:
        sqlalchemy_core.shop_order.metadata.create_all(engine)
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, wallet_id, 100)
    conn.commit()
    return wallet_id


def committed(connect: Connect, wallet_id: int) -> tuple[int, int]:
    """The number of orders and the balance, as others see them."""
    conn = connect(autocommit=True)
    row = conn.execute("select count(*) from shop_order").fetchone()
    assert row is not None
    return row[0], int(pgwallet.balance(conn, wallet_id))


@pytest.mark.parametrize("name", ["sqlalchemy_core", "sqlalchemy_orm", "sqlalchemy_async"])
def test_the_example_prints_what_the_page_shows(database: str, name: str) -> None:
    assert run_example(name, database) == shown("how-to/sqlalchemy.md", name)


@each_way
def test_a_commit_keeps_the_order_and_takes_the_money(
    database: str, connect: Connect, wallet_id: int, buy: Callable[..., None]
) -> None:
    buy(database, wallet_id, 30, nothing_more)
    assert committed(connect, wallet_id) == (1, 70)


@each_way
def test_a_rollback_takes_the_ledgers_part_with_it(
    database: str, connect: Connect, wallet_id: int, buy: Callable[..., None]
) -> None:
    with pytest.raises(Abandoned):
        buy(database, wallet_id, 30, abandon)
    assert committed(connect, wallet_id) == (0, 100)


@each_way
def test_a_refusal_takes_the_order_with_it(
    database: str, connect: Connect, wallet_id: int, buy: Callable[..., None]
) -> None:
    with pytest.raises(pgwallet.InsufficientFunds):
        buy(database, wallet_id, 5000, nothing_more)
    assert committed(connect, wallet_id) == (0, 100)


def test_a_connection_of_the_pool_that_was_refused_something_works_on(
    database: str, connect: Connect, wallet_id: int
) -> None:
    with engine_on(database) as engine:
        for _ in range(3):
            with pytest.raises(pgwallet.InsufficientFunds), engine.begin() as conn:
                sqlalchemy_core.buy(conn, wallet_id, "piano", Decimal(5000))
        with engine.begin() as conn:
            sqlalchemy_core.buy(conn, wallet_id, "book", Decimal(30))
    assert committed(connect, wallet_id) == (1, 70)


@pytest.mark.parametrize("of", ["an engine", "a sessionmaker"])
def test_a_transaction_that_met_another_ones_way_is_repeated(
    database: str, connect: Connect, wallet_id: int, of: str
) -> None:
    other = connect(autocommit=True)
    attempts = []

    def work(session: Session | Connection) -> None:
        attempts.append(session.scalar(text("select count(*) from shop_order")))
        if len(attempts) == 1:
            pgwallet.deposit(other, wallet_id, 1)  # after this transaction's snapshot
        if isinstance(session, Session):
            sqlalchemy_orm.buy(session, wallet_id, "book", Decimal(30))
        else:
            sqlalchemy_core.buy(session, wallet_id, "book", Decimal(30))

    with engine_on(database, "REPEATABLE READ") as engine:
        if of == "an engine":
            sqlalchemy_orm.run_transaction(engine.begin, work)
        else:
            sqlalchemy_orm.run_transaction(sessionmaker(engine).begin, work)
    assert len(attempts) == 2
    assert committed(connect, wallet_id) == (1, 71)


def test_an_async_transaction_that_met_another_ones_way_is_repeated(
    database: str, connect: Connect, wallet_id: int
) -> None:
    other = connect(autocommit=True)
    attempts = []

    async def work(session: AsyncSession) -> None:
        attempts.append(await session.scalar(text("select count(*) from shop_order")))
        if len(attempts) == 1:
            pgwallet.deposit(other, wallet_id, 1)
        await sqlalchemy_async.buy(session, wallet_id, "book", Decimal(30))

    async def run() -> None:
        engine = create_async_engine(
            DIALECT, connect_args=conninfo_to_dict(database), isolation_level="REPEATABLE READ"
        )
        try:
            await sqlalchemy_async.run_transaction(async_sessionmaker(engine).begin, work)
        finally:
            await engine.dispose()

    asyncio.run(run())
    assert len(attempts) == 2
    assert committed(connect, wallet_id) == (1, 71)


def test_a_conflict_over_the_applications_own_rows_is_repeated_too(
    database: str, connect: Connect, wallet_id: int
) -> None:
    other = connect(autocommit=True)
    other.execute("insert into shop_order (wallet_id, item, price) values (%s, 'pen', 1)", [0])
    attempts = []

    def work(session: Session) -> None:
        attempts.append(session.scalar(text("select price from shop_order")))
        if len(attempts) == 1:
            other.execute("update shop_order set price = 2")
        session.execute(text("update shop_order set price = price + 10"))
        pgwallet.withdraw(sqlalchemy_orm.ledger(session), wallet_id, 30)

    with engine_on(database, "REPEATABLE READ") as engine:
        sqlalchemy_orm.run_transaction(sessionmaker(engine).begin, work)
    assert attempts == [1, 2]
    assert committed(connect, wallet_id) == (1, 70)


def test_a_transaction_is_given_up_after_so_many_attempts(
    database: str, connect: Connect, wallet_id: int
) -> None:
    other = connect(autocommit=True)
    attempts = []

    def work(session: Session) -> None:
        attempts.append(session.scalar(text("select 1")))
        pgwallet.deposit(other, wallet_id, 1)
        sqlalchemy_orm.buy(session, wallet_id, "book", Decimal(30))

    with (
        engine_on(database, "REPEATABLE READ") as engine,
        pytest.raises(psycopg.errors.SerializationFailure),
    ):
        sqlalchemy_orm.run_transaction(sessionmaker(engine).begin, work, attempts=2)
    assert len(attempts) == 2
    assert committed(connect, wallet_id) == (0, 102)


def test_what_the_ledger_refuses_is_not_repeated(
    database: str, connect: Connect, wallet_id: int
) -> None:
    attempts = []

    def work(session: Session) -> None:
        attempts.append(session.scalar(text("select 1")))
        sqlalchemy_orm.buy(session, wallet_id, "piano", Decimal(5000))

    with engine_on(database) as engine, pytest.raises(pgwallet.InsufficientFunds):
        sqlalchemy_orm.run_transaction(sessionmaker(engine).begin, work)
    assert len(attempts) == 1


def test_money_is_taken_although_only_the_ledger_was_called(
    database: str, connect: Connect, wallet_id: int
) -> None:
    with engine_on(database) as engine, engine.begin() as conn:
        pgwallet.withdraw(sqlalchemy_core.ledger(conn), wallet_id, 30)
    assert committed(connect, wallet_id) == (0, 70)


def test_a_sessions_commit_counts_although_only_the_ledger_was_called(
    database: str, connect: Connect, wallet_id: int
) -> None:
    with engine_on(database) as engine, Session(engine) as session:
        pgwallet.withdraw(sqlalchemy_orm.ledger(session), wallet_id, 30)
        session.commit()
    assert committed(connect, wallet_id) == (0, 70)


def test_without_a_begun_transaction_a_commit_of_sqlalchemys_is_none(
    database: str, connect: Connect, wallet_id: int
) -> None:
    with engine_on(database) as engine, engine.connect() as conn:
        pgwallet.withdraw(sqlalchemy_core.ledger(conn), wallet_id, 30)
        conn.commit()
    assert committed(connect, wallet_id) == (0, 100)


def test_a_connection_lost_in_a_call_of_the_ledger_is_not_used_again(
    database: str, connect: Connect, wallet_id: int
) -> None:
    def lose_the_connection(conn: Connection) -> None:
        pid = sqlalchemy_core.ledger(conn).info.backend_pid
        connect(autocommit=True).execute("select pg_terminate_backend(%s, 10000)", [pid])
        sqlalchemy_core.buy(conn, wallet_id, "book", Decimal(30))

    with engine_on(database) as engine:
        with pytest.raises((psycopg.OperationalError, OperationalError)), engine.begin() as conn:
            lose_the_connection(conn)
        with engine.begin() as conn:
            sqlalchemy_core.buy(conn, wallet_id, "book", Decimal(30))
    assert committed(connect, wallet_id) == (1, 70)
