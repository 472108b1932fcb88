"""What went wrong, as a message instead of a traceback."""

import psycopg

from pgwallet import PgWalletError
from pgwallet.deployment import DeploymentError
from pgwallet.embedded import EmbeddedServerError
from pgwallet.errors import refusal

from .database import explained

FAILURES = (PgWalletError, psycopg.Error, DeploymentError, EmbeddedServerError, OSError)


def told(error: Exception) -> str:
    """The text of one of the FAILURES, for people."""
    if isinstance(error, psycopg.Error) and not isinstance(error, PgWalletError):
        return str(refusal(error) or explained(error))
    if isinstance(error, OSError):
        # Python's own text begins with a number: [Errno 2].
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return str(error)
