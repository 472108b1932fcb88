"""Ways back: pledges changed and cancelled, releases refunded, disputes."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pgwallet.errors import (
    EscrowAmountExceeded,
    EscrowNotLocked,
    InvalidArgument,
    PledgeLimitExceeded,
    ProjectClosed,
)
from pgwallet.results import Dispute, Pledge, Refund, ReleaseRefund, ResolvedDispute

from .books import Books, check_funds, check_key, check_leaving, check_text
from .escrow import refund, to_settle
from .money import check_amount, minor_units, money, part
from .records import Escrow


def change_pledge(
    books: Books,
    escrow_id: int | None,
    amount: Decimal | None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Pledge:
    check_amount(amount)
    assert amount is not None
    check_key(idempotency_key)
    escrow = books.find_escrow(escrow_id)
    wallet, project = escrow.wallet, escrow.project
    units = minor_units(amount, wallet.currency)

    def do() -> Pledge:
        more = units - escrow.amount
        if more > 0:
            check_leaving(wallet, project.account)
        _check_open(escrow)
        if escrow.status in ("disputed", "expired") or escrow.has_expired(datetime.now(UTC)):
            raise EscrowNotLocked(f"escrow {escrow_id} is disputed or has expired")
        if units < escrow.released + escrow.refunded:
            raise EscrowAmountExceeded(f"more of {escrow_id} is settled than {units}")
        if units > minor_units(project.shown.max_pledge, wallet.currency):
            raise PledgeLimitExceeded(f"{units} is too much")
        if more > 0:
            check_funds(wallet, more, wallet.credit)
        transaction = books.record("pledge_change", metadata, effective_at, escrow_id)
        escrow.amount = units
        if more:
            escrow.took(transaction)
        books.move(transaction, wallet, project.escrow_account, max(more, 0))
        books.move(transaction, project.escrow_account, wallet, max(-more, 0))
        return Pledge(
            escrow_id=escrow.escrow_id,
            wallet_id=wallet.account_id,
            project_id=project.account.account_id,
            amount=money(units, wallet.currency),
            status=escrow.status,
            balance=money(wallet.balance, wallet.currency),
            transaction_id=transaction.transaction_id,
            replayed=False,
        )

    return books.once(idempotency_key, ("change_pledge", escrow_id, units), do)


def cancel_pledge(
    books: Books,
    escrow_id: int | None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Refund:
    check_key(idempotency_key)
    escrow = books.find_escrow(escrow_id)
    currency = escrow.wallet.currency

    def do() -> Refund:
        _check_open(escrow)
        x = to_settle(escrow, None)
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

    return books.once(idempotency_key, ("cancel_pledge", escrow_id), do)


def refund_release(
    books: Books,
    escrow_id: int | None,
    amount: Decimal | None,
    keep_fees: bool = False,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> ReleaseRefund:
    if amount is not None:
        check_amount(amount)
    check_key(idempotency_key)
    escrow = books.find_escrow(escrow_id)
    wallet, project = escrow.wallet, escrow.project
    currency = wallet.currency
    units = None if amount is None else minor_units(amount, currency)

    def do() -> ReleaseRefund:
        if not escrow.released or (units or 0) > escrow.released:
            raise EscrowAmountExceeded(f"{escrow.released} was released of {escrow_id}")
        x = units or escrow.released
        commission, fee = (0, 0) if keep_fees else given_back(escrow, x)
        net = x - commission - fee
        if net:
            check_funds(project.account, net, project.account.credit)
        transaction = books.record("release_refund", metadata, effective_at, escrow_id)
        escrow.released -= x
        escrow.refunded += x
        escrow.commission -= commission
        escrow.fee -= fee
        escrow.net -= net
        for account, part_of_x in (
            (project.account, net),
            (books.platform("commission", currency), commission),
            (books.platform("fee", currency), fee),
        ):
            books.move(transaction, account, wallet, part_of_x)
        return ReleaseRefund(
            escrow_id=escrow.escrow_id,
            refunded_amount=money(x, currency),
            commission_amount=money(commission, currency),
            fee_amount=money(fee, currency),
            net_amount=money(net, currency),
            status=escrow.status,
            balance=money(wallet.balance, currency),
            wallet_id=wallet.account_id,
            project_id=project.account.account_id,
            transaction_id=transaction.transaction_id,
            replayed=False,
        )

    return books.once(idempotency_key, ("refund_release", escrow_id, units, keep_fees), do)


def given_back(escrow: Escrow, x: int) -> tuple[int, int]:
    """What commission and fee took beyond what one release of the rest would have taken."""
    project = escrow.project.shown
    rest = escrow.released - x
    due_commission = part(rest, rest, 0, project.commission_rate)
    fixed = minor_units(project.fee_fixed, project.currency)
    due_fee = part(rest - due_commission, rest, -fixed, project.fee_rate)
    commission = max(0, min(x, escrow.commission - due_commission))
    return commission, max(0, min(x - commission, escrow.fee - due_fee))


def dispute_escrow(books: Books, escrow_id: int | None, reason: str | None) -> Dispute:
    check_text("reason", reason)
    escrow = books.find_escrow(escrow_id)
    if escrow.status not in ("locked", "disputed"):
        raise EscrowNotLocked(f"escrow {escrow_id} is {escrow.status}")
    if not escrow.disputed:
        escrow.disputed = True
        before, after = {"status": "locked"}, {"status": "disputed"}
        books.note("dispute_escrow", escrow.escrow_id, reason, before, after)
    return Dispute(
        escrow_id=escrow.escrow_id,
        status=escrow.status,
        wallet_id=escrow.wallet.account_id,
        project_id=escrow.project.account.account_id,
        disputed_amount=money(escrow.left, escrow.wallet.currency),
    )


def resolve_dispute(books: Books, escrow_id: int | None, outcome: str | None) -> ResolvedDispute:
    if outcome not in ("upheld", "rejected"):
        raise InvalidArgument(f"{outcome} is no outcome")
    escrow = books.find_escrow(escrow_id)
    if escrow.status != "disputed":
        raise EscrowNotLocked(f"escrow {escrow_id} is not disputed")
    escrow.disputed = False
    x, transaction_id = 0, None
    if outcome == "upheld":
        x = escrow.left
        transaction = books.record("refund", escrow_id=escrow_id)
        transaction_id = transaction.transaction_id
        refund(books, transaction, escrow, x)
    after = {"status": escrow.status, "outcome": outcome}
    books.note("resolve_dispute", escrow.escrow_id, None, {"status": "disputed"}, after)
    currency = escrow.wallet.currency
    return ResolvedDispute(
        escrow_id=escrow.escrow_id,
        status=escrow.status,
        refunded_amount=money(x, currency),
        balance=money(escrow.wallet.balance, currency),
        wallet_id=escrow.wallet.account_id,
        transaction_id=transaction_id,
        replayed=False,
    )


def _check_open(escrow: Escrow) -> None:
    if escrow.project.shown.status != "open":
        raise ProjectClosed(f"project {escrow.project.account.account_id} is closed")
