"""What holds for a wallet or a project as an account: a freeze, and credit."""

from decimal import Decimal

from ._function import database_function
from .results import CreditLimit, Freeze


@database_function
def freeze_account(account_id: int, reason: str) -> Freeze:
    """Let nothing leave a wallet or a project any more.

    What comes in goes on, as does what moves between a wallet and its pockets. A project takes no
    pledges meanwhile. An account that is frozen already stays as it is. `reason` is kept as an
    event. Returns the `Freeze`.
    Raises InvalidArgument, AccountNotFound.
    Calls pgwallet.freeze_account.
    """


@database_function
def unfreeze_account(account_id: int, reason: str) -> Freeze:
    """Let money leave a frozen wallet or project again.

    `reason` is kept as an event, unless the account was not frozen. Returns the `Freeze`.
    Raises InvalidArgument, AccountNotFound.
    Calls pgwallet.unfreeze_account.
    """


@database_function
def set_credit_limit(account_id: int, credit_limit: Decimal | int) -> CreditLimit:
    """Set how far below 0 a wallet or project may go.

    `credit_limit` is in major units, 0 for no credit. Money may then leave on credit, but credit
    never fills a pocket. Returns the `CreditLimit` with the balance.
    Raises InvalidAmount, AccountNotFound, InsufficientFunds (it owes more than that already),
    AccountClosed.
    Calls pgwallet.set_credit_limit.
    """
