"""The application's own table."""

from django.db import models


class Order(models.Model):
    """What a customer pre-ordered. The money for it is locked in an escrow of the ledger."""

    customer = models.CharField(max_length=200)
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    escrow_id = models.BigIntegerField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
