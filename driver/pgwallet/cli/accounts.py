"""Commands for wallets and projects as accounts: freezing them, and credit."""

import pgwallet

from .commands import group, passing_on

account = group()

passing_on(
    account,
    "freeze",
    pgwallet.freeze_account,
    example="account freeze 508398 'court order 17'",
)
passing_on(
    account,
    "unfreeze",
    pgwallet.unfreeze_account,
    example="account unfreeze 508398 'order 17 was lifted'",
)
passing_on(
    account,
    "set-credit-limit",
    pgwallet.set_credit_limit,
    example="account set-credit-limit 508398 500.00",
)
