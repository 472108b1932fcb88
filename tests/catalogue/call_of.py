"""What the catalogue says of one function, and what follows from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pgwallet.cluster.routing import Route
from tests.catalogue.kinds import KINDS, Kind
from tests.catalogue.routes import ROUTES
from tests.catalogue.signatures import SIGNATURES, Argument, Signature
from tests.catalogue.world import World

Arguments = dict[str, Any]
Spoil = Callable[[World], Arguments]

KEY, KEYS = "p_idempotency_key", "p_idempotency_keys"
# All of the amount, for `moves`.
IN, OUT = Decimal(1), Decimal(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOf:
    """`good` makes arguments with which so much is posted; arrays have one element each.

    Of that amount, `moves` says which part each account of the world gains. `refused` are codes
    beyond those of malformed arguments, each with what to change in a good call. `kinds` are those
    of arguments that are not what their name says. A `whole` call moves 10, once: all there is in
    something of the world, or what it lacks of what the call sets. An `alone` call wants a
    transaction that has not written yet.

    `states` says what a good call answers while something it deals with is in a state of
    `states.STATES`: the code that refuses it, or LEFT_OUT. Where it says nothing, the call goes on.
    """

    name: str
    given_to: frozenset[str]
    good: Callable[[World, Any], Arguments]
    moves: Mapping[str, Decimal] = field(default_factory=dict)
    refused: Sequence[tuple[str, Spoil]] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    whole: bool = False
    alone: bool = False
    states: Mapping[str, str] = field(default_factory=dict)

    @property
    def signature(self) -> Signature:
        return SIGNATURES[self.name]

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return self.signature.arguments

    @property
    def route(self) -> Route:
        """Where the router of a cluster sends it."""
        return ROUTES[self.name]

    @property
    def is_keyed(self) -> bool:
        """Whether it may have a key, unlike what is asked about one."""
        return any(each.name in (KEY, KEYS) and each.takes_null for each in self.arguments)

    @property
    def is_bulk(self) -> bool:
        """Whether it takes arrays, an element for each of several calls."""
        return any(argument.is_array for argument in self.arguments)

    @property
    def takes_amount(self) -> bool:
        """Whether the caller says how much, once or for each element."""
        return any(each.name in ("p_amount", "p_amounts") for each in self.arguments)

    def takes(self, argument: str) -> bool:
        return any(each.name == argument for each in self.arguments)

    def kind(self, argument: Argument) -> Kind:
        """Of an array, what each element is."""
        return self.kinds.get(argument.name) or KINDS.get(argument.name) or Kind()

    @property
    def changes_something(self) -> bool:
        """Whether it is more than reading: that is for auditors, too, or for the owner alone."""
        return bool(self.given_to) and "auditor" not in self.given_to

    def effect(self, account: str) -> Decimal:
        return self.moves.get(account, Decimal(0))

    def keyed(self, arguments: Arguments, key: str) -> Arguments:
        """The same call with a key; one of several elements has several."""
        if not self.is_bulk:
            return {**arguments, KEY: key}
        count = max(len(value) for value in arguments.values() if isinstance(value, list))
        keys = [key] if count == 1 else [f"{key} {place}" for place in range(1, count + 1)]
        return {**arguments, KEYS: keys}

    def with_everything(self, arguments: Arguments) -> Arguments:
        """The same call with a value for each argument, but for a key."""
        examples = {
            argument.name: [kind.example] if argument.is_array else kind.example
            for argument in self.arguments
            if (kind := self.kind(argument)).example is not None
        }
        return {**examples, **arguments}

    def with_amount(self, arguments: Arguments, amount: object) -> Arguments:
        """The same call with another amount, as the function takes it, if it takes one."""
        if self.whole:
            return arguments
        if not self.is_bulk:
            return {**arguments, "p_amount": amount}
        return {**arguments, "p_amounts": [amount] * len(arguments["p_amounts"])}


def doubled(arguments: Arguments) -> Arguments:
    """The same with each element of an array twice."""
    return {
        name: value * 2 if isinstance(value, list) else value for name, value in arguments.items()
    }


def without_prefix(arguments: Arguments) -> Arguments:
    """By the names that the driver has for them."""
    return {name.removeprefix("p_"): value for name, value in arguments.items()}
