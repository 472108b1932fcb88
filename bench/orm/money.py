"""The settings of the replaced service, and how it rounds."""

from decimal import ROUND_HALF_UP, Decimal

COMMISSION_RATE = Decimal("0.05")
PAYMENT_FEE_RATE = Decimal("0.029")
MAX_PLEDGE_AMOUNT = Decimal("100000.00")
MAX_ESCROWS_PER_BATCH = 1000
RELEASE_ESCROW_BATCH_SIZE = 100
MAX_POCKETS_PER_ALLOCATION = 100


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
