"""Projects: opening, closing and paying out."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pgwallet.errors import InvalidArgument, ProjectClosed
from pgwallet.results import Collection, Payout, Project

from .books import SLOTS, Books, check_funds, check_key, check_leaving, check_text
from .money import check_amount, exponent_of, minor_units, money
from .records import ProjectRecord


def create_project(
    books: Books,
    reference: str | None,
    currency: str | None,
    commission_rate: Decimal | None = None,
    fee_rate: Decimal | None = None,
    max_pledge: Decimal | None = None,
    project_id: int | None = None,
    fee_fixed: Decimal | None = None,
) -> Project:
    if max_pledge is not None:
        check_amount(max_pledge)
    if fee_fixed is not None and fee_fixed != 0:
        check_amount(fee_fixed)
    check_text("reference", reference)
    settings = books.settings
    commission = settings.commission_rate if commission_rate is None else commission_rate
    fee = settings.fee_rate if fee_rate is None else fee_rate
    for rate in (commission, fee):
        if not rate.is_finite() or not 0 <= rate <= 1:
            raise InvalidArgument(f"{rate} is not a rate")
    if commission + fee > 1:
        raise InvalidArgument("the rates sum above 1")
    if project_id is not None and project_id % SLOTS:
        raise InvalidArgument(f"{project_id} is not of slot 0")
    exponent_of(currency)
    assert reference is not None
    assert currency is not None
    most = minor_units(settings.max_pledge if max_pledge is None else max_pledge, currency)
    fixed = minor_units(settings.fee_fixed if fee_fixed is None else fee_fixed, currency)

    arguments = (currency, commission_rate, fee_rate, max_pledge, project_id, fee_fixed)
    for project in books.projects.values():
        if project.shown.reference == reference:
            if project.arguments != arguments:
                raise InvalidArgument(f"project {reference} exists with other arguments")
            return project.shown
    if project_id in books.accounts:
        raise InvalidArgument(f"project_id {project_id} is in use")
    account = books.open("project", currency, project_id)
    shown = Project(
        project_id=account.account_id,
        reference=reference,
        currency=currency,
        status="open",
        commission_rate=commission,
        fee_rate=fee,
        fee_fixed=money(fixed, currency),
        max_pledge=money(most, currency),
    )
    books.projects[account.account_id] = ProjectRecord(
        account, books.open("escrow", currency), shown, arguments
    )
    books.note("create_project", account.account_id, None, None)
    return shown


def close_project(books: Books, project_id: int | None, outcome: str | None) -> Project:
    if outcome not in ("succeeded", "failed"):
        raise InvalidArgument(f"outcome {outcome} is unknown")
    project = books.projects[books.find("project", project_id).account_id]
    if project.shown.status not in ("open", outcome):
        raise ProjectClosed(f"project {project_id} has {project.shown.status}")
    if project.shown.status == "open":
        project.closed_at = datetime.now(UTC)
        books.note(
            "close_project",
            project.account.account_id,
            None,
            {"status": "open"},
            {"status": outcome},
        )
    project.shown = replace(project.shown, status=outcome)
    return project.shown


def payout(
    books: Books,
    project_id: int | None,
    amount: Decimal,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Payout:
    check_amount(amount)
    check_key(idempotency_key)
    project = books.find("project", project_id)
    units = minor_units(amount, project.currency)

    def do() -> Payout:
        check_leaving(project)
        check_funds(project, units, project.credit)
        transaction = books.record("payout", metadata, effective_at)
        books.move(transaction, project, books.platform("external", project.currency), units)
        balance = money(project.balance, project.currency)
        return Payout(balance, transaction.transaction_id, False)

    return books.once(idempotency_key, ("payout", project_id, units), do)


def collect_earnings(
    books: Books,
    currency: str | None,
    account: str | None,
    amount: Decimal,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Collection:
    check_amount(amount)
    if account not in ("commission", "fee"):
        raise InvalidArgument(f"{account} is nothing that the platform earns")
    check_key(idempotency_key)
    exponent_of(currency)
    assert currency is not None
    units = minor_units(amount, currency)

    def do() -> Collection:
        earned = books.platform(account, currency)
        check_funds(earned, units)
        transaction = books.record("collection", metadata, effective_at)
        books.move(transaction, earned, books.platform("external", currency), units)
        balance = money(earned.balance, currency)
        return Collection(currency, balance, transaction.transaction_id, False)

    request = ("collect_earnings", currency, account, units)
    return books.once(idempotency_key, request, do)
