"""How the tests name and call the driver's functions."""

import inspect
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import pgwallet
from pgwallet._call import Call, P
from pgwallet._function import DatabaseFunction

R_co = TypeVar("R_co", covariant=True)

# By name, what takes a connection first; not release_project and the like, which are no calls, and
# not what routers have and a ledger has not.
CALLS: dict[str, Call[..., Any]] = {
    name: vars(function)["call"]
    for name in pgwallet.__all__
    if hasattr(function := getattr(pgwallet, name), "call") and name != "shard_of"
}


class CallIt(Protocol):
    """Calls a function of the driver on the connection of the test."""

    def __call__(
        self, function: DatabaseFunction[P, R_co], *args: P.args, **kwargs: P.kwargs
    ) -> R_co: ...


def wallet_with_pockets(call: CallIt, owner_id: str, *percentages: str) -> tuple[int, list[int]]:
    wallet_id = call(pgwallet.create_wallet, owner_id).wallet_id
    pockets = [
        call(pgwallet.create_pocket, wallet_id, f"pocket {number}", Decimal(percentage))
        for number, percentage in enumerate(percentages)
    ]
    call(pgwallet.deposit, wallet_id, 100)
    return wallet_id, [pocket.pocket_id for pocket in pockets]


def arguments_of(name: str) -> list[inspect.Parameter]:
    """What a function takes after the connection."""
    _, *arguments = inspect.signature(getattr(pgwallet, name)).parameters.values()
    return arguments


def sent(name: str, /, **arguments: object) -> dict[str, Any]:
    """What a function would send, with None for every other argument."""
    others = dict.fromkeys(argument.name for argument in arguments_of(name))
    return CALLS[name].arguments(**(others | arguments))
