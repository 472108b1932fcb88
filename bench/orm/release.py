"""A project's locked escrows released, when it has succeeded.

The platform's wallet gets the commission and the fee of each; what is left for the project is
posted nowhere. Neither way looks at the status again once it holds the locks.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from bench.orm.models import EscrowContract, UserWallet, WalletTransaction
from bench.orm.money import (
    COMMISSION_RATE,
    MAX_ESCROWS_PER_BATCH,
    PAYMENT_FEE_RATE,
    RELEASE_ESCROW_BATCH_SIZE,
    cents,
)


def release_before(project_id: int) -> int:
    """Three queries an escrow, for all escrows. Returns how many were released."""
    with transaction.atomic():
        platform = UserWallet.objects.get(user=None)
        escrows = list(_locked(project_id))
        for ids in _chunks([escrow.pk for escrow in escrows]):
            for escrow in EscrowContract.objects.select_for_update().filter(pk__in=ids):
                taken = _taken(escrow)
                _commission(platform, escrow, taken).save()
                platform.balance += taken
                platform.save()
                _release(escrow, timezone.now())
                escrow.save()
    return len(escrows)


def release_after(project_id: int) -> int:
    """Four queries a hundred escrows, for the first 1,000. Returns how many were released."""
    with transaction.atomic():
        platform = UserWallet.objects.get(user=None)
        ids = list(_locked(project_id).values_list("pk", flat=True)[:MAX_ESCROWS_PER_BATCH])
        for chunk in _chunks(ids):
            escrows = list(EscrowContract.objects.select_for_update().filter(pk__in=chunk))
            now, commissions, total = timezone.now(), [], Decimal(0)
            for escrow in escrows:
                taken = _taken(escrow)
                commissions.append(_commission(platform, escrow, taken))
                total += taken
                _release(escrow, now)
            EscrowContract.objects.bulk_update(escrows, ["status", "released_at"], batch_size=100)
            WalletTransaction.objects.bulk_create(commissions)
            UserWallet.objects.filter(pk=platform.pk).update(balance=F("balance") + total)
    return len(ids)


def _locked(project_id: int) -> QuerySet[EscrowContract]:
    return EscrowContract.objects.filter(
        project=project_id, status=EscrowContract.Status.LOCKED
    ).order_by("pk")


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), RELEASE_ESCROW_BATCH_SIZE):
        yield ids[start : start + RELEASE_ESCROW_BATCH_SIZE]


def _taken(escrow: EscrowContract) -> Decimal:
    return cents(escrow.amount * COMMISSION_RATE) + cents(escrow.amount * PAYMENT_FEE_RATE)


def _commission(platform: UserWallet, escrow: EscrowContract, taken: Decimal) -> WalletTransaction:
    return WalletTransaction(
        wallet=platform,
        amount=taken,
        transaction_type=WalletTransaction.Type.COMMISSION,
        related_project=escrow.project,
        description=f"Commission on escrow {escrow.pk}",
    )


def _release(escrow: EscrowContract, now: datetime) -> None:
    escrow.status = EscrowContract.Status.RELEASED
    escrow.released_at = now
