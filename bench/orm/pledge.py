"""Money into a wallet, and from a wallet into a project's escrow."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from bench.orm.models import EscrowContract, UserWallet, WalletTransaction
from bench.orm.money import MAX_PLEDGE_AMOUNT


def deposit(wallet_id: int, amount: Decimal) -> None:
    with transaction.atomic():
        wallet = UserWallet.objects.select_for_update().get(pk=wallet_id)
        wallet.balance += amount
        wallet.save()
        WalletTransaction.objects.create(
            wallet=wallet,
            amount=amount,
            transaction_type=WalletTransaction.Type.DEPOSIT,
            description="Deposit",
        )


def pledge(
    user_id: int, project_id: int, amount: Decimal, idempotency_key: UUID | None = None
) -> int:
    """Returns the escrow's id. A key that was used before is an error, as it was there."""
    if amount > MAX_PLEDGE_AMOUNT:
        raise ValueError(f"a pledge of {amount} is above {MAX_PLEDGE_AMOUNT}")
    with transaction.atomic():
        wallet, _ = UserWallet.objects.select_for_update().get_or_create(user=user_id)
        if (
            idempotency_key is not None
            and WalletTransaction.objects.filter(idempotency_key=idempotency_key).exists()
        ):
            raise ValueError(f"the key {idempotency_key} was used before")
        if wallet.balance < amount:
            raise ValueError(f"a balance of {wallet.balance} is below {amount}")
        wallet.balance -= amount
        wallet.save()
        pledged = WalletTransaction.objects.create(
            wallet=wallet,
            amount=amount,
            transaction_type=WalletTransaction.Type.PLEDGE_DONATION,
            related_project=project_id,
            description=f"Pledge to project {project_id}",
            idempotency_key=idempotency_key,
        )
        escrow = EscrowContract.objects.create(
            user=user_id, project=project_id, amount=amount, pledge_transaction=pledged
        )
    escrow_id: int = escrow.pk
    return escrow_id
