"""Installs and upgrades what lives in the database, and tells what a database lacks.

db/migrations holds what keeps state, one file after the other; db/procedures holds the
functions, which are written anew as a whole whenever their text changed. One `migrate` is one
transaction, so that a database has the old or the new, never a mix, whatever is killed.

yoyo says which migrations there are, and its tables in the schema pgwallet are kept as it keeps
them, so that plain `yoyo apply` and `migrate` take over from each other. yoyo does not apply
them here: it commits each migration on its own and leaves its lock behind when it is killed.
"""

from .code import install_script, migrations_directory
from .comparing import Status, status
from .connecting import DeploymentError
from .drift import Drift
from .migrating import MigrationReport, migrate

__all__ = [
    "DeploymentError",
    "Drift",
    "MigrationReport",
    "Status",
    "install_script",
    "migrate",
    "migrations_directory",
    "status",
]
