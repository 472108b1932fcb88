"""Every function that takes an idempotency key, called once, and what it moves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pgwallet
from tests.catalogue.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """`run` takes a connection or an async one; each key is of a transaction of its own."""

    run: Callable[[Any], Any]
    keys: list[str]
    moves: int


def every_call(world: World) -> list[Call]:
    def single(function: Callable[..., Any], moves: int, *args: Any) -> Call:
        key = function.__name__
        return Call(lambda conn: function(conn, *args, idempotency_key=key), [key], moves)

    def bulk(function: Callable[..., Any], moves: int, *args: Any) -> Call:
        keys = [f"{function.__name__} {place}" for place in (1, 2)]
        return Call(lambda conn: function(conn, *args, keys), keys, moves)

    return [
        single(pgwallet.deposit, 5, world.wallet, 5),
        single(pgwallet.withdraw, 5, world.wallet, 5),
        bulk(pgwallet.deposit_many, 3, [world.wallet, world.wallet], [1, 2]),
        single(pgwallet.allocate_deposit, 5, world.wallet, 10),  # half of it, to its pocket of 50 %
        bulk(pgwallet.allocate_deposits, 5, [world.wallet, world.wallet], [4, 6]),
        single(pgwallet.transfer_to_pocket, 3, world.pocket, 3),
        single(pgwallet.transfer_from_pocket, 4, world.pocket, 4),
        single(pgwallet.pledge, 7, world.wallet, world.open, 7),
        bulk(pgwallet.pledge_many, 5, world.open, [world.wallet, world.wallet], [2, 3]),
        single(pgwallet.release_escrow, 10, world.escrow, 10),
        single(pgwallet.refund_escrow, 4, world.failed_escrow, 4),
        single(pgwallet.payout, 6, world.open, 6),
    ]
