"""How the tests name and call the driver's functions."""

import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import pgwallet
from pgwallet._call import Call, DatabaseFunction, P

R_co = TypeVar("R_co", covariant=True)

# By name, what takes a connection first; not release_project and the like, which are no calls.
BUILDERS: dict[str, Callable[..., Call[Any]]] = {
    name: inspect.unwrap(function)
    for name in pgwallet.__all__
    if hasattr(function := getattr(pgwallet, name), "__wrapped__")
}


class CallIt(Protocol):
    """Calls a function of the driver on the connection of the test."""

    def __call__(
        self, function: DatabaseFunction[P, R_co], *args: P.args, **kwargs: P.kwargs
    ) -> R_co: ...


def described(name: str, /, **arguments: object) -> Call[Any]:
    """The call that a function would make, with None for every other argument."""
    build = BUILDERS[name]
    return build(**(dict.fromkeys(inspect.signature(build).parameters) | arguments))
