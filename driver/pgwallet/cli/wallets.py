"""Commands for wallets, and for money that comes in or leaves."""

import pgwallet

from .commands import group, passing_on

money_in_and_out = group()
wallet = group()

passing_on(wallet, "create", pgwallet.create_wallet, example="wallet create ada --currency EUR")
passing_on(
    money_in_and_out,
    "deposit",
    pgwallet.deposit,
    example="deposit 508398 100.01 --idempotency-key salary-1",
)
passing_on(
    money_in_and_out,
    "withdraw",
    pgwallet.withdraw,
    example="""withdraw 508398 20 --metadata '{"to": "DE89 3704 0044"}'""",
)
