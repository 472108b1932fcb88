"""pgwallet behind FastAPI: a pool, a transaction for each request, refusals as problems.

    PGWALLET_DATABASE_URL=postgresql:///app uvicorn --app-dir examples fastapi_app:app

The database has pgwallet. The app makes a table `shop_item` there, for its orders.
"""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any

import psycopg
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, BeforeValidator

import pgwallet

AsyncConnection = psycopg.AsyncConnection[Any]
logger = logging.getLogger("shop")

STOCK = """
create table if not exists shop_item (
  item text primary key, price numeric(12, 2) not null, stock int not null check (stock >= 0)
)
"""

# By the first three letters of the SQLSTATE: malformed, not found, conflict, over a limit.
STATUS = {"PW0": 422, "PW1": 404, "PW2": 409, "PW3": 422}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    conninfo = os.environ.get("PGWALLET_DATABASE_URL", "")
    async with AsyncConnectionPool(conninfo, min_size=2, max_size=10, timeout=5) as pool:
        async with pool.connection() as conn:
            await conn.execute(STOCK)
        app.state.pool = pool
        yield


app = FastAPI(title="Shop", lifespan=lifespan)


async def transaction(request: Request) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction: committed after the function, rolled back by any error."""
    async with request.app.state.pool.connection() as conn:
        yield conn


def exact(value: object) -> object:
    """Refuses a JSON number with a fraction, which Python reads as a float."""
    if isinstance(value, float):
        raise ValueError('send an amount as a string, such as "12.34"')
    return value


# With scope="function" the commit comes before the response; without, the client would be told
# of a deposit that may still fail.
Transaction = Annotated[AsyncConnection, Depends(transaction, scope="function")]
Key = Annotated[str, Header(alias="Idempotency-Key")]
Amount = Annotated[Decimal, BeforeValidator(exact)]


class Owner(BaseModel):
    owner_id: str
    currency: str = "EUR"


class Movement(BaseModel):
    amount: Amount


class Split(BaseModel):
    pockets: dict[str, Decimal]
    remaining: Decimal


class NewPledge(BaseModel):
    wallet_id: int
    amount: Amount


class Account(BaseModel):
    """One wallet of a user's page."""

    wallet: pgwallet.Wallet
    pockets: list[pgwallet.Pocket]
    pledges: list[pgwallet.Escrow]
    movements: list[pgwallet.StatementRow]


class Order(BaseModel):
    wallet_id: int
    item: str


class Receipt(BaseModel):
    transaction_id: int
    balance: Decimal
    replayed: bool


@app.post("/wallets")
async def create_wallet(conn: Transaction, owner: Owner) -> pgwallet.Wallet:
    return await pgwallet.create_wallet(conn, owner.owner_id, owner.currency)


@app.get("/wallets/{wallet_id}/balance")
async def balance(conn: Transaction, wallet_id: int) -> dict[str, Decimal]:
    return {"balance": await pgwallet.balance(conn, wallet_id)}


@app.post("/wallets/{wallet_id}/deposits")
async def deposit(
    conn: Transaction, wallet_id: int, movement: Movement, key: Key
) -> pgwallet.Deposit:
    return await pgwallet.deposit(conn, wallet_id, movement.amount, idempotency_key=key)


@app.post("/wallets/{wallet_id}/salaries")
async def salary(request: Request, wallet_id: int, movement: Movement, key: Key) -> Split:
    """Deposits an amount and splits it over the wallet's pockets; both or neither."""

    async def pay(conn: AsyncConnection) -> Split:
        amount = movement.amount
        # Two keys made from the client's one: two calls cannot share a key.
        await pgwallet.deposit(conn, wallet_id, amount, idempotency_key=f"{key}:deposit")
        split = await pgwallet.allocate_deposit(
            conn, wallet_id, amount, idempotency_key=f"{key}:split"
        )
        return Split(
            pockets={share.name: share.amount for share in split.shares},
            remaining=split.remaining,
        )

    # Several calls in one transaction may meet a deadlock; this repeats all of them.
    return await pgwallet.run_transaction(request.app.state.pool, pay)


@app.post("/projects/{project_id}/pledges")
async def pledge(conn: Transaction, project_id: int, new: NewPledge, key: Key) -> pgwallet.Pledge:
    return await pgwallet.pledge(conn, new.wallet_id, project_id, new.amount, idempotency_key=key)


@app.get("/users/{owner_id}")
async def page(conn: Transaction, owner_id: str) -> list[Account]:
    """What a user sees: each wallet with its pockets, its pledges and what moved last."""
    return [
        Account(
            wallet=wallet,
            pockets=await pgwallet.list_pockets(conn, wallet.wallet_id),
            pledges=await pgwallet.list_escrows(conn, wallet.wallet_id),
            movements=await pgwallet.statement(conn, wallet.wallet_id, limit=10, newest_first=True),
        )
        for wallet in await pgwallet.list_wallets(conn, owner_id)
    ]


@app.post("/users/{owner_id}/pledges/{escrow_id}/cancellation")
async def cancel(conn: Transaction, owner_id: str, escrow_id: int, key: Key) -> pgwallet.Refund:
    """Gives a pledge back while its project is open, to the user whose it is."""
    escrow = await pgwallet.get_escrow(conn, escrow_id)
    wallets = await pgwallet.list_wallets(conn, owner_id)
    if escrow.wallet_id not in [wallet.wallet_id for wallet in wallets]:
        raise HTTPException(404, "this is none of your pledges")
    return await pgwallet.cancel_pledge(conn, escrow_id, idempotency_key=key)


@app.post("/orders")
async def order(request: Request, order: Order, key: Key) -> Receipt:
    """Pays for an item and takes it from the stock; both or neither, once for each key."""

    async def buy(conn: AsyncConnection) -> Receipt:
        row = await (
            await conn.execute("select price from shop_item where item = %s", [order.item])
        ).fetchone()
        if row is None:
            raise HTTPException(404, "we do not sell this")
        paid = await pgwallet.withdraw(
            conn, order.wallet_id, row[0], idempotency_key=key, metadata={"item": order.item}
        )
        if not paid.replayed:
            await conn.execute(
                "update shop_item set stock = stock - 1 where item = %s", [order.item]
            )
        return Receipt(
            transaction_id=paid.transaction_id, balance=paid.balance, replayed=paid.replayed
        )

    try:
        return await pgwallet.run_transaction(request.app.state.pool, buy)
    except psycopg.errors.CheckViolation as error:
        raise HTTPException(409, "sold out") from error


@app.exception_handler(pgwallet.PgWalletError)
async def refused(_: Request, error: pgwallet.PgWalletError) -> JSONResponse:
    """What the ledger refuses, as a problem (RFC 9457) with the ledger's own words."""
    status = STATUS.get(error.sqlstate[:3], 500)
    problem = {
        "status": status,
        "title": type(error).__name__,
        "code": error.sqlstate,
        "message": error.message,
        "detail": error.detail,
        "hint": error.hint,
    }
    return JSONResponse(problem, status, media_type="application/problem+json")


@app.exception_handler(psycopg.OperationalError)
async def unavailable(_: Request, error: psycopg.OperationalError) -> JSONResponse:
    """No connection, a lock held for too long: the same request with its key is safe to repeat."""
    logger.warning("answered with 503: %s", error)
    problem = {"status": 503, "title": "Try again", "code": error.sqlstate}
    return JSONResponse(
        problem, 503, headers={"Retry-After": "1"}, media_type="application/problem+json"
    )
