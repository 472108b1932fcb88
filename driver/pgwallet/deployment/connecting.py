"""A connection for deployments, and what its errors mean there."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

OLDEST_SERVER = 15


class DeploymentError(RuntimeError):
    """The database cannot be migrated as it is; the message says what to do. Nothing changed."""


@contextmanager
def connect(conninfo: str) -> Iterator[psycopg.Connection]:
    # The files are UTF-8, whatever the environment says. Autocommit leaves transactions to us.
    with psycopg.connect(
        conninfo, autocommit=True, client_encoding="utf8", prepare_threshold=None
    ) as conn:
        if conn.info.server_version < OLDEST_SERVER * 10_000:
            raise DeploymentError(
                f"pgwallet needs PostgreSQL {OLDEST_SERVER} or later, this server is "
                f"{conn.info.parameter_status('server_version')}; use another server"
            )
        yield conn


@contextmanager
def explain_errors() -> Iterator[None]:
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise DeploymentError(
            f"{error.diag.message_primary}: connect as the owner of the schema pgwallet, "
            "or take its role on with options='-c role=NAME' in the connection string"
        ) from error
    except errors.DependentObjectsStillExist as error:
        raise DeploymentError(
            f"{error.diag.message_primary} ({error.diag.message_detail}): pgwallet no longer has "
            "this function, so drop what depends on it, then run migrate again"
        ) from error


def exists(conn: psycopg.Connection, relation: str) -> bool:
    return conn.execute("select to_regclass(%s)", [relation]).fetchone() != (None,)
