"""Commands for currencies, which the owner of the schema adds."""

from dataclasses import dataclass
from typing import LiteralString

from psycopg.rows import class_row

import pgwallet

from .commands import Session, group, on_database, passing_on

currency = group()

passing_on(
    currency,
    "create",
    pgwallet.create_currency,
    example="currency create POINTS 0 'Loyalty points'",
    more="It stays for good: neither its code nor its decimals can change.",
)

_METRICS = (
    *("currency", "wallet_amount", "locked_amount", "disputed_amount"),
    *("ready_amount", "earned_amount"),
)


@on_database(currency, "metrics", calls="currency_metrics")
def metrics(session: Session) -> None:
    """Show what is where in each currency, in the whole ledger.

    JSON and CSV have more columns: what moved since the ledger began, and what waits, since when.

    \b
    Example:  pgwallet currency metrics --json
    """
    rows = pgwallet.currency_metrics(session.conn)
    session.show_rows(pgwallet.CurrencyMetrics, rows, in_table=_METRICS)


_LISTED: LiteralString = """
select c.currency, c.exponent as decimals, c.name
from pgwallet.currency as c
order by c.currency
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A currency as people know it."""

    currency: str
    decimals: int
    name: str


@on_database(currency, "list")
def list_currencies(session: Session) -> None:
    """List all currencies, those of ISO 4217 too.

    \b
    Example:  pgwallet currency list --csv
    """
    with session.conn.cursor(row_factory=class_row(Listed)) as cursor:
        session.show_rows(Listed, cursor.execute(_LISTED).fetchall())
