"""Placing an order: a row of the application and money of the ledger, together or not at all."""

import logging
from decimal import Decimal
from functools import partial

from django.db import transaction

import pgwallet

from .ledger import ledger
from .models import Order

logger = logging.getLogger(__name__)


def place_order(customer: str, project_id: int, amount: Decimal, key: str) -> tuple[Order, bool]:
    """Locks the money and saves the order. The same key again returns the same order, and False.

    Raises what `pgwallet.pledge` raises; then nothing was saved.
    """
    with ledger() as conn:
        wallet = pgwallet.create_wallet(conn, customer)
        pledge = pgwallet.pledge(
            conn,
            wallet.wallet_id,
            project_id,
            amount,
            idempotency_key=f"order/{customer}/{key}",
        )
        # A second request with the key waits in pledge until this one has committed.
        order, created = Order.objects.get_or_create(
            escrow_id=pledge.escrow_id, defaults={"customer": customer, "amount": pledge.amount}
        )
        if created:
            transaction.on_commit(partial(send_receipt, order.pk))
    return order, created


def send_receipt(order_id: int) -> None:
    logger.info("receipt for order %d", order_id)
