"""Puts pgwallet into Django's database: what the migrations run."""

import psycopg
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgwallet


def install(connection: BaseDatabaseWrapper) -> None:
    """Brings the database to the installed version of pgwallet; if it is there, does nothing.

    `pgwallet.migrate` works in one transaction on a connection of its own. What `connection` has
    not committed it does not see, hence `atomic = False` in the migrations.
    """
    owner, app = settings.PGWALLET_OWNER, settings.PGWALLET_APP
    with connection.cursor() as cursor:
        cursor.execute("select to_regnamespace('pgwallet') is null")
        if cursor.fetchone() == (True,):
            make = sql.SQL("create schema pgwallet authorization {}")
            cursor.execute(make.format(sql.Identifier(owner)))
        # The very database that Django is in: a test's is called otherwise.
        info = connection.connection.info
        as_owner = make_conninfo(
            info.dsn, password=info.password or None, options=f"{info.options} -c role={owner}"
        )
    pgwallet.migrate(as_owner)
    with psycopg.connect(as_owner) as conn:
        conn.execute("select pgwallet.grant_app(%s)", [app])
