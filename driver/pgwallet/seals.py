"""Seals: what the history was up to a point, so that no later change of it goes unnoticed."""

from ._call import Count
from ._function import database_function
from .results import NewSeal, Seal, WrongSeal


@database_function
def seal_ledger(limit: Count = 100000) -> NewSeal | None:
    """Seal what was recorded since the last seal.

    Returns the `NewSeal`, or None where nothing was. It covers up to `limit` ids of a table; call
    it again while `has_more`. Keep its `digest` where nobody who can change the database can
    change it. It waits for transactions that are still writing, so it wants a transaction of its
    own that has written nothing, at the level read committed: psycopg.errors.ActiveSqlTransaction.
    Raises InvalidArgument.
    Calls pgwallet.seal_ledger.
    """


@database_function
def check_seals(since_seal_id: int = 0, until_seal_id: int | None = None) -> WrongSeal | None:
    """Compute seals again, and name the first that does not fit what the tables hold.

    Returns a `WrongSeal`, or None where all fit. After `since_seal_id`, which is trusted, up to
    `until_seal_id`, which has to be there; without it to the end, and what was recorded since the
    last one must not say that it is older.
    Calls pgwallet.check_seals.
    """


@database_function
def list_seals(
    after_seal_id: int = 0, limit: Count = 100, newest_first: bool = False
) -> list[Seal]:
    """Seals with their digests, oldest or newest first.

    Returns up to `limit` `Seal`s; pass the last one's `seal_id` as `after_seal_id` for the next
    page, in either order.
    Raises InvalidArgument.
    Calls pgwallet.list_seals.
    """
