"""Lists in pages, and one thing by its id or by the caller's own name for it."""

from datetime import UTC, datetime
from typing import Any

from pgwallet.errors import InvalidArgument
from pgwallet.results import Escrow as EscrowRow
from pgwallet.results import Pocket as PocketRow
from pgwallet.results import Project, ProjectState, Wallet
from pgwallet.results import Transaction as TransactionRow

from .books import Books, check_key, check_limit, check_text
from .money import money
from .pockets import shown_pocket
from .reading import NO_TIME
from .records import Escrow, ProjectRecord, Transaction
from .wallets import shown_wallet

STATUSES = ("locked", "disputed", "released", "refunded", "expired", "settled")


def list_wallets(books: Books, owner_id: str | None) -> list[Wallet]:
    check_text("owner_id", owner_id)
    wallets = [each for each in books.wallets.values() if each.owner_id == owner_id]
    return [
        shown_wallet(each) for each in sorted(wallets, key=lambda wallet: wallet.account.currency)
    ]


def list_pockets(books: Books, wallet_id: int | None) -> list[PocketRow]:
    wallet = books.find("wallet", wallet_id)
    return [
        shown_pocket(pocket)
        for pocket in books.pockets.values()
        if pocket.wallet is wallet and not pocket.account.closed
    ]


def list_escrows(
    books: Books,
    wallet_id: int | None = None,
    project_id: int | None = None,
    status: str | None = None,
    after_escrow_id: int | None = 0,
    limit: int | None = 100,
) -> list[EscrowRow]:
    if status is not None and status not in STATUSES:
        raise InvalidArgument(f"{status} is no status")
    check_limit(limit)
    wallet = None if wallet_id is None else books.find("wallet", wallet_id)
    project = None if project_id is None else books.find("project", project_id)
    found = [
        escrow
        for escrow in books.escrows.values()
        if wallet in (None, escrow.wallet)
        and project in (None, escrow.project.account)
        and status in (None, escrow.status)
        and escrow.escrow_id > (after_escrow_id or 0)
    ]
    return [_escrow(escrow) for escrow in found[:limit]]


def list_settled_escrows(
    books: Books,
    transaction_id: int | None,
    after_escrow_id: int | None = 0,
    limit: int | None = 100,
) -> list[EscrowRow]:
    check_limit(limit)
    if transaction_id not in books.transactions:
        raise InvalidArgument(f"there is no transaction {transaction_id}")
    settled = [
        escrow
        for escrow in books.escrows.values()
        if escrow.settled_by == transaction_id and escrow.escrow_id > (after_escrow_id or 0)
    ]
    return [_escrow(escrow) for escrow in settled[:limit]]


def get_escrow(books: Books, escrow_id: int | None) -> EscrowRow:
    return _escrow(books.find_escrow(escrow_id))


def get_project(books: Books, project_id: int | None) -> ProjectState:
    return _project(books, books.projects[books.find("project", project_id).account_id])


def find_project(books: Books, reference: str | None) -> ProjectState | None:
    check_text("reference", reference)
    for project in books.projects.values():
        if project.shown.reference == reference:
            return _project(books, project)
    return None


def list_projects(
    books: Books, status: str | None = None, after_project_id: int = 0, limit: int | None = 100
) -> list[Project]:
    if status not in (None, "open", "succeeded", "failed"):
        raise InvalidArgument(f"{status} is no status")
    check_limit(limit)
    # In the ledger an id that was asked for is below those that it draws.
    ordered = sorted(books.projects.values(), key=_place)
    after = books.projects.get(after_project_id)
    return [
        project.shown
        for project in ordered
        if status in (None, project.shown.status)
        and (after is None or _place(project) > _place(after))
    ][:limit]


def get_transaction(books: Books, transaction_id: int | None) -> TransactionRow:
    if transaction_id not in books.transactions:
        raise InvalidArgument(f"there is no transaction {transaction_id}")
    return _transaction(books, books.transactions[transaction_id])


def find_transaction(books: Books, idempotency_key: str | None) -> TransactionRow | None:
    check_text("idempotency_key", idempotency_key)
    check_key(idempotency_key)
    for transaction in books.transactions.values():
        if transaction.key == idempotency_key:
            return _transaction(books, transaction)
    return None


def _place(project: ProjectRecord) -> tuple[bool, int]:
    *_, asked_for, _ = project.arguments
    return asked_for is None, project.account.account_id


def _escrow(escrow: Escrow) -> EscrowRow:
    currency = escrow.wallet.currency
    return EscrowRow(
        escrow_id=escrow.escrow_id,
        wallet_id=escrow.wallet.account_id,
        project_id=escrow.project.account.account_id,
        reference=escrow.project.shown.reference,
        status=escrow.status,
        expired=escrow.status == "locked" and escrow.has_expired(datetime.now(UTC)),
        created_at=NO_TIME,
        expires_at=escrow.expires_at,
        currency=currency,
        amount=money(escrow.amount, currency),
        locked_amount=money(escrow.left, currency),
        released_amount=money(escrow.released, currency),
        refunded_amount=money(escrow.refunded, currency),
        commission_amount=money(escrow.commission, currency),
        fee_amount=money(escrow.fee, currency),
        net_amount=money(escrow.net, currency),
        settled_by=escrow.settled_by,
    )


def _project(books: Books, project: ProjectRecord) -> ProjectState:
    currency, escrows = project.account.currency, books.escrows.values()
    its = [escrow for escrow in escrows if escrow.project is project]

    def total(name: str) -> Any:
        return money(sum(getattr(escrow, name) for escrow in its), currency)

    shown = project.shown
    return ProjectState(
        project_id=shown.project_id,
        reference=shown.reference,
        currency=currency,
        status=shown.status,
        commission_rate=shown.commission_rate,
        fee_rate=shown.fee_rate,
        fee_fixed=shown.fee_fixed,
        max_pledge=shown.max_pledge,
        created_at=NO_TIME,
        closed_at=None if shown.status == "open" else NO_TIME,
        escrow_count=len(its),
        locked_count=sum(escrow.status == "locked" for escrow in its),
        disputed_count=sum(escrow.status == "disputed" for escrow in its),
        pledged_amount=total("amount"),
        locked_amount=total("left"),
        disputed_amount=money(sum(each.left for each in its if each.disputed), currency),
        released_amount=total("released"),
        refunded_amount=total("refunded"),
        commission_amount=total("commission"),
        fee_amount=total("fee"),
        net_amount=total("net"),
        balance=money(project.account.balance, currency),
        credit_limit=money(project.account.credit, currency),
        frozen_at=NO_TIME if project.account.frozen else None,
    )


def _transaction(books: Books, transaction: Transaction) -> TransactionRow:
    moved = [each for each in books.movements if each.transaction is transaction]
    currencies = {each.source.currency for each in moved}
    currency = currencies.pop() if len(currencies) == 1 else None
    return TransactionRow(
        transaction_id=transaction.transaction_id,
        kind=transaction.kind,
        escrow_id=transaction.escrow_id,
        idempotency_key=transaction.key,
        metadata=transaction.metadata,
        created_at=NO_TIME,
        effective_at=transaction.effective_at or NO_TIME,
        posting_count=len(moved),
        currency=currency,
        amount=money(sum(each.amount for each in moved), currency) if currency else None,
        reversed_transaction_id=transaction.reversed_id,
        reversed_by=transaction.reversal_id,
    )
