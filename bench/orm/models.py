"""The four tables of the service that pgwallet replaced."""

from django.db import models


def money(**options: object) -> models.DecimalField:
    return models.DecimalField(max_digits=12, decimal_places=2, **options)


class UserWallet(models.Model):
    # Null for the platform's own wallet.
    user = models.BigIntegerField(unique=True, null=True)
    balance = money(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)


class WalletPocket(models.Model):
    class PocketType(models.TextChoices):
        DONATION = "DONATION"
        INVESTMENT_RESERVE = "INVESTMENT_RESERVE"

    wallet = models.ForeignKey(UserWallet, models.PROTECT, related_name="pockets")
    name = models.CharField(max_length=100)
    pocket_type = models.CharField(max_length=20, choices=PocketType.choices)
    allocation_percentage = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    target_amount = money(default=0)
    current_amount = money(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["wallet", "name"], name="pocket_name_in_wallet"),
        )


class WalletTransaction(models.Model):
    class Type(models.TextChoices):
        DEPOSIT = "DEPOSIT"
        PLEDGE_DONATION = "PLEDGE_DONATION"
        PLEDGE_EQUITY = "PLEDGE_EQUITY"
        REFUND = "REFUND"
        RELEASE = "RELEASE"
        COMMISSION = "COMMISSION"
        POCKET_TRANSFER = "POCKET_TRANSFER"

    wallet = models.ForeignKey(UserWallet, models.PROTECT)
    amount = money()
    transaction_type = models.CharField(max_length=20, choices=Type.choices)
    # Indexed as the foreign key that it was there; likewise in EscrowContract.
    related_project = models.BigIntegerField(null=True, db_index=True)
    description = models.TextField(blank=True)
    idempotency_key = models.UUIDField(unique=True, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="transaction_amount_positive"
            ),
        )


class EscrowContract(models.Model):
    class Status(models.TextChoices):
        LOCKED = "LOCKED"
        RELEASED = "RELEASED"
        REFUNDED = "REFUNDED"

    user = models.BigIntegerField(db_index=True)
    project = models.BigIntegerField(db_index=True)
    amount = money()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.LOCKED)
    pledge_transaction = models.OneToOneField(WalletTransaction, models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="escrow_amount_positive"),
        )
