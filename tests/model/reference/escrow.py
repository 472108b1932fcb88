"""Escrow: pledging, releasing and refunding."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from pgwallet.errors import (
    CurrencyMismatch,
    EscrowAmountExceeded,
    EscrowNotLocked,
    InvalidArgument,
    PledgeLimitExceeded,
    ProjectClosed,
    ProjectNotClosed,
)
from pgwallet.results import (
    ExpiredBatch,
    Pledge,
    PledgeRow,
    Refund,
    RefundBatch,
    Release,
    ReleaseBatch,
)

from .books import SLOTS, Books, check_all_funds, check_key, check_leaving, check_limit, elements
from .money import check_amount, minor_units, money, part
from .records import Account, Escrow, ProjectRecord, Transaction


def pledge(
    books: Books,
    wallet_id: int | None,
    project_id: int | None,
    amount: Decimal,
    expires_at: datetime | None = None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Pledge:
    check_amount(amount)
    check_key(idempotency_key)
    request = ("pledge", wallet_id, project_id, amount)
    # A repeated call may well come after the expiry.
    if (
        expires_at is not None
        and expires_at <= datetime.now(UTC)
        and not books.would_replay(idempotency_key, request)
    ):
        raise InvalidArgument("expires_at is in the past")
    wallet = books.find("wallet", wallet_id)
    project = _find_project(books, project_id)
    units = minor_units(amount, wallet.currency)

    def do() -> Pledge:
        check_pledges(project, [(wallet, units)])
        transaction = books.record("pledge", metadata, effective_at)
        escrow = _lock(books, transaction, wallet, project, units, expires_at)
        return Pledge(
            escrow_id=escrow.escrow_id,
            wallet_id=wallet.account_id,
            project_id=project.account.account_id,
            amount=money(units, wallet.currency),
            status="locked",
            balance=money(wallet.balance, wallet.currency),
            transaction_id=transaction.transaction_id,
            replayed=False,
        )

    return books.once(idempotency_key, request, do)


def pledge_many(
    books: Books,
    project_id: int | None,
    wallet_ids: list[int | None],
    amounts: list[Decimal | None],
    idempotency_keys: list[str | None] | None = None,
) -> list[PledgeRow]:
    all_of = elements(wallet_ids, amounts, idempotency_keys)
    project = _find_project(books, project_id)
    payments = all_of.in_wallets(books)
    requests = [("pledge_many", project_id, w.account_id, units) for w, units in payments]
    new = books.new_elements(all_of.keys, requests)
    if new:
        check_pledges(project, [payments[place] for place in new])

    def do(wallet: Account, units: int) -> PledgeRow:
        transaction = books.record("pledge")
        escrow = _lock(books, transaction, wallet, project, units, None)
        return PledgeRow(
            wallet_id=wallet.account_id,
            escrow_id=escrow.escrow_id,
            amount=money(units, wallet.currency),
            balance=money(wallet.balance, wallet.currency),
            transaction_id=transaction.transaction_id,
            replayed=False,
        )

    return [
        books.once(key, request, partial(do, *payment))
        for key, request, payment in zip(all_of.keys, requests, payments, strict=True)
    ]


def release_escrow(
    books: Books,
    escrow_id: int | None,
    amount: Decimal | None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Release:
    if amount is not None:
        check_amount(amount)
    check_key(idempotency_key)
    escrow = books.find_escrow(escrow_id)
    currency = escrow.wallet.currency
    units = None if amount is None else minor_units(amount, currency)

    def do() -> Release:
        if escrow.project.shown.status == "failed":
            raise ProjectNotClosed("the project has failed")
        if escrow.status == "locked" and escrow.has_expired(datetime.now(UTC)):
            raise EscrowNotLocked(f"escrow {escrow_id} has expired")
        x = to_settle(escrow, units)
        commission, fee, net = _release(escrow, x)
        transaction = books.record("release", metadata, effective_at, escrow_id)
        escrow.took(transaction)
        _post_release(books, transaction, escrow.project, commission, fee, net)
        return Release(
            escrow_id=escrow.escrow_id,
            released_amount=money(x, currency),
            commission_amount=money(commission, currency),
            fee_amount=money(fee, currency),
            net_amount=money(net, currency),
            status=escrow.status,
            project_id=escrow.project.account.account_id,
            transaction_id=transaction.transaction_id,
            replayed=False,
        )

    return books.once(idempotency_key, ("release_escrow", escrow_id, units), do)


def refund_escrow(
    books: Books,
    escrow_id: int | None,
    amount: Decimal | None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Refund:
    if amount is not None:
        check_amount(amount)
    check_key(idempotency_key)
    escrow = books.find_escrow(escrow_id)
    currency = escrow.wallet.currency
    units = None if amount is None else minor_units(amount, currency)

    def do() -> Refund:
        x = to_settle(escrow, units)
        transaction = books.record("refund", metadata, effective_at, escrow_id)
        refund(books, transaction, escrow, x, escrow.has_expired(datetime.now(UTC)))
        return Refund(
            escrow_id=escrow.escrow_id,
            refunded_amount=money(x, currency),
            status=escrow.status,
            balance=money(escrow.wallet.balance, currency),
            wallet_id=escrow.wallet.account_id,
            transaction_id=transaction.transaction_id,
            replayed=False,
        )

    return books.once(idempotency_key, ("refund_escrow", escrow_id, units), do)


def release_escrows(
    books: Books, project_id: int | None, limit: int | None, after_escrow_id: int = 0
) -> ReleaseBatch:
    check_limit(limit)
    project = _find_project(books, project_id)
    if project.shown.status != "succeeded":
        raise ProjectNotClosed(f"project {project_id} has not succeeded")
    now = datetime.now(UTC)
    locked = _locked(books, project, after_escrow_id)
    batch = [escrow for escrow in locked if not escrow.has_expired(now)][:limit]
    parts = [(escrow.left, *_release(escrow, escrow.left)) for escrow in batch]
    gross, commission, fee, net = (sum(column) for column in zip((0, 0, 0, 0), *parts, strict=True))
    transaction_id = None
    if batch:
        transaction = books.record("release")
        transaction_id = transaction.transaction_id
        for escrow in batch:
            escrow.took(transaction)
        _post_release(books, transaction, project, commission, fee, net)
    currency = project.account.currency
    return ReleaseBatch(
        escrow_count=len(batch),
        gross_amount=money(gross, currency),
        commission_amount=money(commission, currency),
        fee_amount=money(fee, currency),
        net_amount=money(net, currency),
        last_escrow_id=batch[-1].escrow_id if batch else after_escrow_id,
        transaction_id=transaction_id,
        replayed=False,
    )


def refund_escrows(
    books: Books, project_id: int | None, limit: int | None, after_escrow_id: int = 0
) -> RefundBatch:
    check_limit(limit)
    project = _find_project(books, project_id)
    if project.shown.status != "failed":
        raise ProjectNotClosed(f"project {project_id} has not failed")
    batch = _locked(books, project, after_escrow_id)[:limit]
    amount, transaction_id = _refund_all(books, batch)
    return RefundBatch(
        escrow_count=len(batch),
        refunded_amount=money(amount, project.account.currency),
        last_escrow_id=batch[-1].escrow_id if batch else after_escrow_id,
        transaction_id=transaction_id,
        replayed=False,
    )


def refund_expired_escrows(books: Books, limit: int | None) -> ExpiredBatch:
    check_limit(limit)
    now = datetime.now(UTC)
    locked = [escrow for escrow in books.escrows.values() if escrow.status == "locked"]
    batch = [escrow for escrow in locked if escrow.has_expired(now)][:limit]
    amount, transaction_id = _refund_all(books, batch, expired=True)
    currencies = {escrow.wallet.currency for escrow in batch}
    currency = currencies.pop() if len(currencies) == 1 else None
    # Amounts of several currencies cannot be added up; those of none are nothing.
    refunded = None if batch else Decimal(0)
    if currency is not None:
        refunded = money(amount, currency)
    return ExpiredBatch(
        escrow_count=len(batch),
        refunded_amount=refunded,
        last_escrow_id=batch[-1].escrow_id if batch else 0,
        transaction_id=transaction_id,
        replayed=False,
        currency=currency,
    )


def _find_project(books: Books, project_id: int | None) -> ProjectRecord:
    return books.projects[books.find("project", project_id).account_id]


def check_pledges(project: ProjectRecord, pledges: list[tuple[Account, int]]) -> None:
    if any(wallet.currency != project.account.currency for wallet, _ in pledges):
        raise CurrencyMismatch("a wallet is in another currency than the project")
    check_leaving(*(wallet for wallet, _ in pledges), project.account)
    if project.shown.status != "open":
        raise ProjectClosed(f"project {project.account.account_id} is closed")
    most = minor_units(project.shown.max_pledge, project.account.currency)
    if any(units > most for _, units in pledges):
        raise PledgeLimitExceeded(f"a pledge is above {most}")
    check_all_funds(pledges, on_credit=True)


def _lock(
    books: Books,
    transaction: Transaction,
    wallet: Account,
    project: ProjectRecord,
    units: int,
    expires_at: datetime | None,
) -> Escrow:
    escrow_id = books.new_id(wallet.account_id % SLOTS)
    escrow = Escrow(escrow_id, project, wallet, units, expires_at)
    books.escrows[escrow_id] = escrow
    transaction.escrow_id = escrow_id
    books.move(transaction, wallet, project.escrow_account, units)
    return escrow


def to_settle(escrow: Escrow, units: int | None) -> int:
    if escrow.status != "locked":
        raise EscrowNotLocked(f"escrow {escrow.escrow_id} is {escrow.status}")
    if units is not None and units > escrow.left:
        raise EscrowAmountExceeded(f"escrow {escrow.escrow_id} holds {escrow.left}, not {units}")
    return units or escrow.left


def _release(escrow: Escrow, x: int) -> tuple[int, int, int]:
    """The commission, fee and net of releasing x now."""
    project = escrow.project.shown
    released = escrow.released + x
    commission = part(x, released, escrow.commission, project.commission_rate)
    fixed = minor_units(project.fee_fixed, project.currency)
    fee = part(x - commission, released, escrow.fee - fixed, project.fee_rate)
    net = x - commission - fee
    escrow.released = released
    escrow.commission += commission
    escrow.fee += fee
    escrow.net += net
    return commission, fee, net


def _post_release(
    books: Books,
    transaction: Transaction,
    project: ProjectRecord,
    commission: int,
    fee: int,
    net: int,
) -> None:
    currency = project.account.currency
    for account, units in (
        (project.account, net),
        (books.platform("commission", currency), commission),
        (books.platform("fee", currency), fee),
    ):
        books.move(transaction, project.escrow_account, account, units)


def refund(
    books: Books, transaction: Transaction, escrow: Escrow, x: int, expired: bool = False
) -> None:
    escrow.refunded += x
    escrow.went_back_expired = expired and escrow.refunded == escrow.amount
    escrow.took(transaction)
    books.move(transaction, escrow.project.escrow_account, escrow.wallet, x)


def _refund_all(books: Books, batch: list[Escrow], expired: bool = False) -> tuple[int, int | None]:
    if not batch:
        return 0, None
    transaction = books.record("refund")
    amount = sum(escrow.left for escrow in batch)
    for escrow in batch:
        refund(books, transaction, escrow, escrow.left, expired)
    return amount, transaction.transaction_id


def _locked(books: Books, project: ProjectRecord, after_escrow_id: int) -> list[Escrow]:
    """By id, which is the order in which they were made."""
    return [
        escrow
        for escrow in books.escrows.values()
        if escrow.project is project
        and escrow.status == "locked"
        and escrow.escrow_id > after_escrow_id
    ]
