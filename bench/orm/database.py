"""Names the database that the baselines work on."""

from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from bench.orm.models import EscrowContract, UserWallet, WalletPocket, WalletTransaction

TABLES = (UserWallet, WalletPocket, WalletTransaction, EscrowContract)


def connect(conninfo: str) -> None:
    """Works on this database from now on; an empty one gets the tables and the platform's wallet.

    Each thread has its own connection, which `django.db.connection.close()` closes. Each process
    calls this for itself, not forked from one that is connected, and one process returns first.
    """
    parameters = conninfo_to_dict(conninfo)
    connection.close()
    connection.settings_dict.update(
        NAME=parameters.pop("dbname"),
        USER=parameters.pop("user", ""),
        PASSWORD=parameters.pop("password", ""),
        HOST=parameters.pop("host", ""),
        PORT=parameters.pop("port", ""),
        OPTIONS=parameters,
    )
    if UserWallet._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as schema:
            for table in TABLES:
                schema.create_model(table)
        UserWallet.objects.create(user=None)
