"""Commands that read the ledger."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import typer

import pgwallet
from pgwallet import Event, StatementRow, Violation

from .commands import NOT_LOOKED, Session, either_or, found, group, on_database, passing_on
from .escrows import LISTED
from .output import money
from .parameters import AccountId, At, Basis, By, Page, time
from .records import Form
from .sealing import Digests, SinceSealId, wrong_digests, wrong_seals

reading = group()
transaction = group()

_STATEMENT = ("posting_id", "created_at", "kind", "counterpart_id", "amount", "balance")

_EVENTS = ("event_id", "created_at", "changed_by", "kind", "subject_id", "before", "after")


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds, as programs read it."""

    account_id: int
    balance: Decimal


@on_database(reading)
def balance(
    session: Session, account_id: AccountId, at: At = None, by: By = Basis.RECORDED
) -> None:
    """Show what an account holds, or held at a time.

    \b
    Example:  pgwallet balance 508398 --at 2026-12-31T23:59:59Z
    """
    if at is None:
        held = pgwallet.balance(session.conn, account_id)
    else:
        held = pgwallet.balance_at(session.conn, account_id, at, by)
    currency = session.currency_of(account_id)
    session.say(money(held, currency))
    if session.form is not Form.TABLE:
        session.show(Balance(account_id, held), currency)


@on_database(reading)
def statement(
    session: Session,
    account_id: AccountId,
    after_posting_id: Annotated[
        int, typer.Option(metavar="ID", help="The last posting already seen.")
    ] = 0,
    limit: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="Postings to show at most.")
    ] = 100,
    newest_first: Annotated[
        bool, typer.Option("--newest-first", help="Begin with the last posting.")
    ] = False,
    from_: Annotated[
        datetime | None,
        typer.Option("--from", parser=time, metavar="TIME", help="Only what came then or later."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=time, metavar="TIME", help="Only what came before then."),
    ] = None,
    by: By = Basis.RECORDED,
) -> None:
    """Show the postings of an account, from either end.

    JSON and CSV have more columns: the transaction, its escrow and metadata, and when it happened
    outside.

    \b
    Example:  pgwallet statement 508398 --newest-first --from 2026-12-01T00:00:00Z
    """
    rows = pgwallet.statement(
        session.conn, account_id, after_posting_id, limit, newest_first, from_, until, by
    )
    session.show_rows(StatementRow, rows, session.currency_of(account_id), _STATEMENT)
    if len(rows) == limit:
        session.say(f"There may be more: --after-posting-id {rows[-1].posting_id}")


@on_database(reading, calls="list_events")
def events(
    session: Session,
    subject_id: Annotated[
        int | None,
        typer.Option(metavar="ID", help="Only those of this wallet, pocket, project or escrow."),
    ] = None,
    after_event_id: Annotated[
        int, typer.Option(metavar="ID", help="The last event already seen.")
    ] = 0,
    limit: Page = 100,
) -> None:
    """Show what changed without moving money, and by whom.

    JSON and CSV have more columns: the reason, and what changed, before and after.

    \b
    Example:  pgwallet events --subject-id 508398
    """
    rows = pgwallet.list_events(session.conn, subject_id, after_event_id, limit)
    session.show_rows(Event, rows, in_table=_EVENTS)
    if len(rows) == limit:
        session.say(f"There may be more: --after-event-id {rows[-1].event_id}")


@on_database(reading, calls="ledger_metrics")
def metrics(session: Session) -> None:
    """Show when all was last checked and sealed.

    What is in it: pgwallet currency metrics

    \b
    Example:  pgwallet metrics --json
    """
    session.show(pgwallet.ledger_metrics(session.conn))


passing_on(
    transaction,
    "reverse",
    pgwallet.reverse_transaction,
    example="""transaction reverse 4711 --metadata '{"why": "bounced"}'""",
)


@on_database(transaction, "show", calls="get_transaction")
def show(
    session: Session,
    transaction_id: Annotated[
        int | None, typer.Argument(metavar="[TRANSACTION_ID]", help="Id that a call returned.")
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key that it used, without its id.")
    ] = None,
) -> None:
    """Show what one call did, by its id or by its key.

    \b
    Example:  pgwallet transaction show --idempotency-key salary-1
    """
    either_or("TRANSACTION_ID", transaction_id, "--idempotency-key", idempotency_key)
    if idempotency_key is None:
        session.show(pgwallet.get_transaction(session.conn, transaction_id or 0))
    else:
        by_key = pgwallet.find_transaction(session.conn, idempotency_key)
        session.show(found(f"a transaction with the key {idempotency_key!r}", by_key))


@on_database(transaction, "escrows", calls="list_settled_escrows")
def escrows(
    session: Session,
    transaction_id: Annotated[
        int, typer.Argument(metavar="TRANSACTION_ID", help="Id that a call returned.")
    ],
    after_escrow_id: Annotated[
        int, typer.Option(metavar="ID", help="The last pledge already seen.")
    ] = 0,
    limit: Page = 100,
) -> None:
    """Show the pledges of which a call, such as a batch, took the last.

    \b
    Example:  pgwallet transaction escrows 7351
    """
    rows = pgwallet.list_settled_escrows(session.conn, transaction_id, after_escrow_id, limit)
    session.show_rows(pgwallet.Escrow, rows, in_table=LISTED)
    if len(rows) == limit:
        session.say(f"There may be more: --after-escrow-id {rows[-1].escrow_id}")


@on_database(reading, calls="check_ledger", fails_with=NOT_LOOKED)
def check(
    session: Session,
    since_transaction_id: Annotated[
        int, typer.Option(metavar="ID", help="Look only at what came after it.")
    ] = 0,
    since_seal_id: SinceSealId = 0,
    digest: Digests = None,
) -> None:
    """Look for broken invariants and seals that do not fit.

    Exit codes: 0 sound, 1 something is wrong, 3 it could not look or not to the end: the server was
    not reached, the role may not, it was cancelled.

    On a standby server, or where the connection may not write, nothing is written down.

    \b
    Example:  pgwallet check
    """
    read_only = session.conn.execute("show transaction_read_only").fetchone() == ("on",)
    if read_only:
        violations = pgwallet.check_ledger(session.conn, since_transaction_id)
        violations += wrong_seals(session.conn, since_seal_id)
    else:
        violations = pgwallet.record_check(session.conn, since_transaction_id, since_seal_id)
    violations += wrong_digests(session.conn, digest or [])
    if violations or session.form is not Form.TABLE:
        session.show_rows(Violation, violations)
    if violations:
        raise typer.Exit(1)
    session.say("The ledger is sound: check_ledger found nothing.")
