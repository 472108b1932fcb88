"""pgwallet on the connection that Django's models use."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

T = TypeVar("T")

# Serialization failure, deadlock, lock not available: the same work may succeed the next time.
PASSING = {"40001", "40P01", "55P03"}

# For async views that only call the ledger; asgi.py opens it. Its transactions are its own.
async_pool = AsyncConnectionPool(f"dbname={settings.DATABASES['default']['NAME']}", open=False)


@contextmanager
def ledger(*, durable: bool = False) -> Iterator[psycopg.Connection]:
    """`transaction.atomic()` that hands out the psycopg connection underneath.

    What models save and what the ledger moves in it is committed or rolled back together.
    """
    # A broken connection is Django's to notice, so its errors become Django's own.
    with transaction.atomic(durable=durable), connection.wrap_database_errors:
        conn = connection.connection
        yield conn
        # A commit would roll back without a word, and then run what waits for on_commit.
        if conn.info.transaction_status == TransactionStatus.INERROR:
            raise transaction.TransactionManagementError(
                "an error was caught inside the block: let it pass, or put a block around the call"
            )


def run_atomic(work: Callable[[psycopg.Connection], T], attempts: int = 5) -> T:
    """Runs `work(conn)` in `ledger()`, and all of it again when it met another one's way.

    It returns once that is committed, so it refuses to run inside another atomic block.
    """
    attempt = 1
    while True:
        try:
            with ledger(durable=True) as conn:
                return work(conn)
        except OperationalError as error:
            passing = getattr(error.__cause__, "sqlstate", None) in PASSING
            if not passing or attempt >= attempts:
                raise
        time.sleep(random.uniform(0, 0.05 * 2**attempt))
        attempt += 1
