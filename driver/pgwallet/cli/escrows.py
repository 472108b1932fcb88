"""Commands for pledges and the escrows they make."""

import pgwallet

from .commands import group, passing_on

pledging = group()
escrow = group()

passing_on(
    pledging,
    "pledge",
    pgwallet.pledge,
    more="It stays locked until it is released or refunded.",
    example="pledge 508398 510976 20 --expires-at 2027-01-31T12:00:00Z",
)
passing_on(
    escrow,
    "release",
    pgwallet.release_escrow,
    more="The project gets it less commission and fee.",
    example="escrow release 511470 --amount 5.00",
)
passing_on(escrow, "refund", pgwallet.refund_escrow, example="escrow refund 511470")
passing_on(
    escrow,
    "refund-expired",
    pgwallet.refund_expired_escrows,
    more="They may be of any project. When it settled as many as the limit, there may be more.",
    example="escrow refund-expired --limit 1000",
)
