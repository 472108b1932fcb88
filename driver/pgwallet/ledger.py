"""Reading the ledger: balances now and then, statements, and the check that all is sound."""

from datetime import datetime
from decimal import Decimal

from ._call import Call, database_function, each, one
from ._parameters import as_count, as_id, as_time
from .results import StatementRow, Violation


@database_function
def balance(account_id: int) -> Call[Decimal]:
    """What an account holds.

    Returns major units of the account's currency. A wallet, pocket or project id is also its
    account's id.
    Raises AccountNotFound.
    Calls pgwallet.balance.
    """
    return Call(
        "select balance from pgwallet.balance(p_account_id => %s::bigint) as balance",
        (as_id("account_id", account_id),),
        one(Decimal),
    )


@database_function
def balance_at(account_id: int, at: datetime) -> Call[Decimal]:
    """What an account held at a time, by when postings were recorded.

    `at` is an aware datetime. Returns major units of the account's currency.
    Raises InvalidArgument, AccountNotFound.
    Calls pgwallet.balance_at.
    """
    return Call(
        """
        select balance
        from pgwallet.balance_at(p_account_id => %s::bigint, p_at => %s::timestamptz) as balance
        """,
        (as_id("account_id", account_id), as_time("at", at)),
        one(Decimal),
    )


@database_function
def statement(
    account_id: int, after_posting_id: int = 0, limit: int = 100
) -> Call[list[StatementRow]]:
    """The postings of an account, oldest first.

    Returns up to `limit` rows with an id above `after_posting_id`; amounts are in major units,
    negative for money that left. Pass the last row's `posting_id` for the next page.
    Raises InvalidArgument, AccountNotFound.
    Calls pgwallet.statement.
    """
    return Call(
        """
        select posting_id, transaction_id, kind, amount, balance, counterpart_id, created_at,
               effective_at, metadata
        from pgwallet.statement(
          p_account_id => %s::bigint, p_after_posting_id => %s::bigint, p_limit => %s::int)
        """,
        (
            as_id("account_id", account_id),
            as_id("after_posting_id", after_posting_id),
            as_count("limit", limit),
        ),
        each(StatementRow),
    )


@database_function
def check_ledger(since_transaction_id: int = 0) -> Call[list[Violation]]:
    """Look for broken invariants.

    Returns a `Violation` for each, and an empty list when the ledger is sound. A
    `since_transaction_id` above 0 saves time by looking only at what came after it.
    Calls pgwallet.check_ledger.
    """
    return Call(
        """
        select invariant, subject, detail
        from pgwallet.check_ledger(p_since_transaction_id => %s::bigint)
        """,
        (as_id("since_transaction_id", since_transaction_id),),
        each(Violation),
    )
