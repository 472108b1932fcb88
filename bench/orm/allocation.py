"""A deposit split over a wallet's pockets by percentage.

Both ways compare each share with the balance before any of them was taken, as that service did.
"""

import logging
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from bench.orm.models import UserWallet, WalletPocket, WalletTransaction
from bench.orm.money import MAX_POCKETS_PER_ALLOCATION, cents

logger = logging.getLogger(__name__)


def allocate_before(wallet_id: int, amount: Decimal) -> int:
    """A loop of four queries a pocket. Returns how many pockets received money."""
    allocated = 0
    with transaction.atomic():
        wallet = UserWallet.objects.get(pk=wallet_id)
        balance = wallet.balance
        for listed in wallet.pockets.filter(allocation_percentage__gt=0):
            pocket = WalletPocket.objects.select_for_update().get(pk=listed.pk)
            share = _share(pocket, amount, balance)
            if share > 0:
                _transaction(wallet, pocket, share).save()
                wallet.balance -= share
                wallet.save()
                pocket.current_amount += share
                pocket.save()
                allocated += 1
    return allocated


def allocate_after(wallet_id: int, amount: Decimal) -> int:
    """Eight queries, however many pockets. Returns how many pockets received money."""
    with transaction.atomic():
        wallet = UserWallet.objects.select_for_update().get(pk=wallet_id)
        pockets = wallet.pockets.filter(allocation_percentage__gt=0)
        by_percentage = pockets.order_by("-allocation_percentage").values_list("pk", flat=True)
        ids = list(by_percentage[:MAX_POCKETS_PER_ALLOCATION])
        if not pockets.exists():
            return 0
        if (all_pockets := pockets.count()) > MAX_POCKETS_PER_ALLOCATION:
            logger.warning("%d pockets take no part", all_pockets - MAX_POCKETS_PER_ALLOCATION)
        allocated, transactions, total = [], [], Decimal(0)
        for pocket in WalletPocket.objects.select_for_update().filter(pk__in=ids):
            share = _share(pocket, amount, wallet.balance)
            if share > 0:
                transactions.append(_transaction(wallet, pocket, share))
                pocket.current_amount += share
                allocated.append(pocket)
                total += share
        WalletTransaction.objects.bulk_create(transactions)
        WalletPocket.objects.bulk_update(allocated, ["current_amount"], batch_size=100)
        UserWallet.objects.filter(pk=wallet.pk).update(balance=F("balance") - total)
    return len(allocated)


def _share(pocket: WalletPocket, amount: Decimal, balance: Decimal) -> Decimal:
    share = cents(amount * pocket.allocation_percentage / 100)
    if share > balance:
        raise ValueError(f"a balance of {balance} is below {share}")
    return share


def _transaction(wallet: UserWallet, pocket: WalletPocket, share: Decimal) -> WalletTransaction:
    return WalletTransaction(
        wallet=wallet,
        amount=share,
        transaction_type=WalletTransaction.Type.POCKET_TRANSFER,
        description=f"Allocation to {pocket.name}",
    )
