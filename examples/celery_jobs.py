"""pgwallet with Celery: jobs of a queue outside of the database, and those on a schedule.

    celery --app=examples.celery_jobs worker
    celery --app=examples.celery_jobs beat

PGWALLET_DATABASE_URL names the database, which has pgwallet; without it libpq's PGHOST,
PGDATABASE and so on count. CELERY_BROKER_URL names the broker.
"""

import os
from decimal import Decimal
from typing import Any

import psycopg
from celery import Celery
from celery.schedules import crontab

import pgwallet

CONNINFO = os.environ.get("PGWALLET_DATABASE_URL", "")

app = Celery("examples.celery_jobs")
app.conf.update(
    task_acks_late=True,  # a task of a worker that died is run again
    task_reject_on_worker_lost=True,
    # With Redis only after this time, in seconds: longer than any task takes.
    broker_transport_options={"visibility_timeout": 3600},
    beat_schedule={
        "expired": {
            "task": "examples.celery_jobs.refund_expired",
            "schedule": crontab(minute="*/5"),
        },
        "seal": {"task": "examples.celery_jobs.seal", "schedule": crontab()},
        "forgotten": {
            "task": "examples.celery_jobs.release_forgotten",
            "schedule": crontab(minute="0"),
        },
        "check": {
            "task": "examples.celery_jobs.check",
            "schedule": crontab(hour="3", minute="15"),
        },
    },
)

# What may succeed later: a lost connection, a deadlock, a lock timeout. Not what the ledger
# refuses: that needs somebody to look at it.
LATER: dict[str, Any] = {
    "autoretry_for": (psycopg.OperationalError,),
    "retry_backoff": True,
    "max_retries": 10,
}


def connect() -> psycopg.Connection:
    """A connection for one task. In autocommit each call of the ledger is a transaction."""
    return psycopg.connect(CONNINFO, autocommit=True)


@app.task(**LATER)
def release(project_id: int) -> None:
    """Releases a project in batches, each committed; another run goes on where one was killed."""
    with connect() as conn:
        for _ in pgwallet.release_project(conn, project_id):
            pass


@app.task(**LATER)
def pay_out(project_id: int, amount: str, month: str) -> None:
    with connect() as conn:
        # What it is for, not the task's id: a second task for the same month pays nothing.
        key = f"payout-{project_id}-{month}"
        pgwallet.payout(conn, project_id, Decimal(amount), idempotency_key=key)


@app.task(**LATER)
def release_forgotten() -> None:
    """Sends what nobody was told of, because a process died between its commit and `delay`."""
    with connect() as conn:
        forgotten = conn.execute(
            """
            select distinct e.project_id
            from pgwallet.escrow_summary as e
            where e.status = 'locked' and e.project_status = 'succeeded' and not e.expired
            """
        ).fetchall()
    for (project_id,) in forgotten:
        release.delay(project_id)


@app.task(**LATER)
def refund_expired() -> None:
    """Gives back the pledges that are past their expiry."""
    with connect() as conn:
        while pgwallet.refund_expired_escrows(conn, 1000).escrow_count:
            pass


@app.task(**LATER)
def seal() -> None:
    """Seals what was recorded since the last seal."""
    with connect() as conn:
        while (sealed := pgwallet.seal_ledger(conn)) and sealed.has_more:
            pass


@app.task(**LATER)
def check() -> None:
    """Checks the whole ledger. What it finds is an error of this task, and in the metrics."""
    with connect() as conn:
        violations = pgwallet.record_check(conn)
    if violations:
        raise RuntimeError(f"the ledger does not add up: {violations}")
