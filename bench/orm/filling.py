"""Fills the tables of the baselines with what a measurement needs."""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import TypeVar

from django.db import connection
from django.db.models import Max, Model

from bench.orm.database import TABLES
from bench.orm.models import EscrowContract, UserWallet, WalletPocket, WalletTransaction

BATCH_SIZE = 1000
Row = TypeVar("Row", bound=Model)


def add_wallets(wallets: int, pockets: int, balance: Decimal) -> list[UserWallet]:
    """Wallets of new users, each with pockets of equal percentages, cut off to two decimals."""
    added = _add_wallets(wallets, balance)
    if pockets:
        percentage = (Decimal(100) / pockets).quantize(Decimal("0.01"), ROUND_DOWN)
        _add(
            WalletPocket,
            (
                WalletPocket(
                    wallet=wallet,
                    name=f"pocket {number}",
                    pocket_type=WalletPocket.PocketType.DONATION,
                    allocation_percentage=percentage,
                )
                for wallet in added
                for number in range(1, pockets + 1)
            ),
        )
    _analyze()
    return added


def add_escrows(project_id: int, escrows: int, amount: Decimal) -> None:
    """Locked escrows of a project, each of a new user whose wallet the pledge has emptied."""
    # In parts, so that memory does not grow with the number of escrows.
    for start in range(0, escrows, BATCH_SIZE):
        wallets = _add_wallets(min(BATCH_SIZE, escrows - start), Decimal(0))
        pledges = _add(
            WalletTransaction,
            (
                WalletTransaction(
                    wallet=wallet,
                    amount=amount,
                    transaction_type=WalletTransaction.Type.PLEDGE_DONATION,
                    related_project=project_id,
                    description=f"Pledge to project {project_id}",
                )
                for wallet in wallets
            ),
        )
        _add(
            EscrowContract,
            (
                EscrowContract(
                    user=pledge.wallet.user,
                    project=project_id,
                    amount=amount,
                    pledge_transaction=pledge,
                )
                for pledge in pledges
            ),
        )
    _analyze()


def _add_wallets(wallets: int, balance: Decimal) -> list[UserWallet]:
    last = UserWallet.objects.aggregate(last=Max("user"))["last"] or 0
    users = range(last + 1, last + 1 + wallets)
    return _add(UserWallet, (UserWallet(user=user, balance=balance) for user in users))


def _add(table: type[Row], rows: Iterable[Row]) -> list[Row]:
    added: list[Row] = table.objects.bulk_create(rows, batch_size=BATCH_SIZE)
    return added


def _analyze() -> None:
    names = ", ".join(table._meta.db_table for table in TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"vacuum analyze {names}")
