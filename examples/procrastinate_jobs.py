"""pgwallet with procrastinate: jobs that are deferred in the ledger's own transaction.

    python -m procrastinate --app=examples.procrastinate_jobs.app schema --apply  # once
    python -m procrastinate --app=examples.procrastinate_jobs.app worker

PGWALLET_DATABASE_URL names the database, which has pgwallet; without it libpq's PGHOST,
PGDATABASE and so on count.
"""

import os
from decimal import Decimal
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, RetryStrategy

import pgwallet

AsyncConnection = psycopg.AsyncConnection[Any]
CONNINFO = os.environ.get("PGWALLET_DATABASE_URL", "")

app = App(connector=PsycopgConnector(conninfo=CONNINFO))

# What may succeed later: a lost connection, a deadlock, a lock timeout. Not what the ledger
# refuses: that needs somebody to look at it.
LATER = RetryStrategy(
    max_attempts=10, exponential_wait=2, retry_exceptions=[psycopg.OperationalError]
)


async def connect() -> AsyncConnection:
    """A connection for one job. In autocommit each call of the ledger is a transaction."""
    return await psycopg.AsyncConnection.connect(CONNINFO, autocommit=True)


@app.task(retry=LATER)
async def send_receipt(escrow_id: int, amount: str) -> None:
    print(f"receipt: {amount} EUR are locked")


@app.task(retry=LATER)
async def release(project_id: int) -> None:
    """Releases a project in batches, each committed; another run goes on where one was killed."""
    async with await connect() as conn:
        async for batch in pgwallet.release_project(conn, project_id, batch_size=500):
            print(f"released: {batch.escrow_count} pledges, {batch.gross_amount} EUR")


@app.periodic(cron="0 * * * *")
@app.task(retry=LATER, queueing_lock="refund_expired")
async def refund_expired(timestamp: int) -> None:
    """Gives back the pledges that are past their expiry, every hour."""
    async with await connect() as conn:
        while (await pgwallet.refund_expired_escrows(conn, limit=500)).escrow_count:
            pass


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="retry_stalled_jobs")
async def retry_stalled_jobs(timestamp: int) -> None:
    """Puts the jobs of workers that were killed back into the queue."""
    for job in await app.job_manager.get_stalled_jobs():
        await app.job_manager.retry_job(job)


async def pledge(
    conn: AsyncConnection, wallet_id: int, project_id: int, amount: Decimal, key: str
) -> None:
    """Locks money and defers the receipt: both are committed, or neither."""
    done = await pgwallet.pledge(conn, wallet_id, project_id, amount, idempotency_key=key)
    if not done.replayed:
        await send_receipt.configure(connection=conn).defer_async(
            escrow_id=done.escrow_id, amount=str(done.amount)
        )


async def succeed(conn: AsyncConnection, project_id: int) -> None:
    """Closes a project and defers its release: both are committed, or neither."""
    await pgwallet.close_project(conn, project_id, "succeeded")
    await release.configure(connection=conn, lock=f"project {project_id}").defer_async(
        project_id=project_id
    )
