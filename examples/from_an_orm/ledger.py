"""What pgwallet holds already, read from its tables; only its functions write."""

from .old import Connection


def exponent(new: Connection, currency: str) -> int | None:
    """The decimals of a currency, None when the ledger does not know it."""
    row = new.execute(
        "select c.exponent from pgwallet.currency as c where c.currency = %s", [currency]
    ).fetchone()
    return None if row is None else int(row[0])


def posted(new: Connection, keys: list[str]) -> set[str]:
    """Which of these idempotency keys have been used."""
    rows = new.execute(
        """
        select t.idempotency_key
        from pgwallet.transaction as t
        where t.idempotency_key = any (%s)
        """,
        [keys],
    )
    return {key for (key,) in rows}


def last_transaction_id(new: Connection) -> int:
    row = new.execute("select coalesce(max(t.transaction_id), 0) from pgwallet.transaction as t")
    return int(row.fetchall()[0][0])


def analyze(new: Connection) -> None:
    """Has the tables counted: a connection keeps the plans it made while they were empty."""
    new.execute(
        """
        analyze pgwallet.account, pgwallet.wallet, pgwallet.pocket, pgwallet.project,
          pgwallet.escrow, pgwallet.transaction, pgwallet.posting
        """
    )
