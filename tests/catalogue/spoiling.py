"""Ways to spoil a good call, from what its arguments are: one at a time, and all in their order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.catalogue.call_of import KEY, KEYS, Arguments, CallOf, Spoil, doubled
from tests.catalogue.kinds import MONEY, Stage, Value, always
from tests.catalogue.signatures import Argument
from tests.catalogue.world import World

# A key that was used for something else before.
USED = "used"
# States are asked for in this order: currency, account, project, escrow, limit, funds.
STATES = (
    *("PW003", "PW209", "PW208", "PW207", "PW204", "PW205", "PW202", "PW206"),
    *("PW301", "PW302", "PW210", "PW201"),
)

Change = Callable[[World, Arguments], Arguments]


@dataclass(frozen=True, slots=True)
class Fault:
    """A change of a good call, after which the code refuses it; `rank` is when it is found."""

    code: str
    what: str
    change: Change
    rank: tuple[int, int] = (0, 0)


def good_call(call: CallOf, world: World) -> Arguments:
    """With two elements, so that the second can be spoilt while the first is good."""
    return doubled(call.good(world, 10))


def faults(call: CallOf) -> Iterator[Fault]:
    """All that can be wrong with one argument or with the state of things."""
    for argument in call.arguments:
        kind = call.kind(argument)
        for value in kind.wrong:
            yield Fault(kind.code, argument.name, put(argument, value))
        if kind.refuses_null and not argument.takes_null:
            yield Fault(kind.code, f"{argument.name} null", put(argument, *always(None)))
        if kind in MONEY:
            for amount in ("0.001", "10.005"):
                yield Fault(kind.code, f"{argument.name} decimals", put(argument, *always(amount)))
        if argument.is_array:
            yield from _lengths(argument, kind.example)
    yield from _decimals_of_yen(call)
    for code, spoil in call.refused:
        yield Fault(code, f"state {code}", _changed_by(spoil))


def ladder(call: CallOf) -> list[Fault]:
    """One fault of each kind, in the order in which they are found."""
    steps = []
    for place, argument in enumerate(call.arguments):
        kind = call.kind(argument)
        if kind.wrong:
            rank = (kind.stage, place if kind.stage == Stage.LOOKUP else 0)
            steps.append(Fault(kind.code, argument.name, put(argument, kind.wrong[0]), rank))
        if kind in MONEY:
            rank = (Stage.DECIMALS, 0)
            change = _with_more_decimals(argument)
            steps.append(Fault(kind.code, f"{argument.name} decimals", change, rank))
        if argument.is_array:
            *_, longer = _lengths(argument, kind.example)
            steps.append(Fault(longer.code, longer.what, longer.change, (Stage.ARGUMENT, 0)))
        if argument.name in (KEY, KEYS) and call.is_keyed:
            used = put(argument, *always(USED))
            steps.append(Fault("PW203", "a used key", used, (Stage.KEY, 0)))
    for code, spoil in call.refused:
        if code in STATES:
            rank = (Stage.STATE, STATES.index(code))
            steps.append(Fault(code, f"state {code}", _changed_by(spoil), rank))
    return sorted(steps, key=lambda fault: fault.rank)


def spoilt(call: CallOf, world: World, fault: Fault) -> Iterator[Arguments]:
    """Good calls with this fault, and with the first of all that would be found later.

    What a call asks for may depend on its key, so a later fault of the key is in one of them only:
    another has a new key, and one has none.
    """
    later = {each.rank: each for each in reversed(ladder(call)) if each.rank > fault.rank}
    used = later.pop((Stage.KEY, 0), None)
    arguments = good_call(call, world)
    for rank in sorted(later, reverse=True):
        arguments = later[rank].change(world, arguments)
    yield fault.change(world, arguments)
    if call.is_keyed and fault.rank != (Stage.KEY, 0):
        yield fault.change(world, call.keyed(arguments, "new"))
    if used:
        yield fault.change(world, used.change(world, arguments))


def other_calls(call: CallOf, world: World, arguments: Arguments) -> Iterator[Arguments]:
    """Calls that are not this one to its key, each by another value of one argument."""
    for argument in call.arguments:
        kind = call.kind(argument)
        if kind.other is not None:
            value = kind.other(world, _last(arguments.get(argument.name)))
            yield put(argument, *always(value))(world, arguments)
            if argument.takes_null:
                yield {**arguments, argument.name: None}


def same_calls(call: CallOf, world: World, arguments: Arguments) -> Iterator[Arguments]:
    """Calls that are the same to its key, though one argument is another."""
    for argument in call.arguments:
        if value := call.kind(argument).same:
            yield put(argument, *always(value))(world, arguments)


def put(argument: Argument, value: Value) -> Change:
    """Sets the argument; of an array, the last element."""

    def change(world: World, arguments: Arguments) -> Arguments:
        new = value(world)
        if argument.is_array:
            count = max(len(each) for each in arguments.values() if isinstance(each, list))
            elements = arguments.get(argument.name) or [None] * count
            new = _of_one_type([*elements[:-1], new])
        return {**arguments, argument.name: new}

    return change


def _lengths(argument: Argument, example: Any) -> Iterator[Fault]:
    """An array that is not as long as the others; the last is the one that is longer."""

    def resized(size: int) -> Change:
        def change(world: World, arguments: Arguments) -> Arguments:
            elements = arguments.get(argument.name) or [example or "one"] * 2
            return {**arguments, argument.name: (elements * 2)[:size]}

        return change

    if not argument.takes_null:
        nothing: Change = lambda world, arguments: {**arguments, argument.name: None}  # noqa: E731
        yield Fault("PW002", f"no {argument.name}", nothing)
    for size in (0, 1, 3):
        yield Fault("PW002", f"{size} {argument.name}", resized(size))


def _decimals_of_yen(call: CallOf) -> Iterator[Fault]:
    """What is in yen takes no tenths; the first id says in which currency an amount is."""
    of: dict[str, Spoil] = {
        "p_wallet_id": lambda w: {"p_wallet_id": w.yen_wallet, "p_amount": "0.1"},
        "p_pocket_id": lambda w: {"p_pocket_id": w.yen_pocket, "p_amount": "0.1"},
        "p_project_id": lambda w: {"p_project_id": w.yen_project, "p_amount": "0.1"},
    }
    names = [argument.name for argument in call.arguments]
    if names and names[0] in of and "p_amount" in names:
        yield Fault("PW001", "tenths in yen", _changed_by(of[names[0]]))


def _with_more_decimals(argument: Argument) -> Change:
    """Of an array, each element: so the first one has what the last one cannot be asked for."""

    def more(amount: Any) -> str:
        return str(Decimal(10 if amount is None else amount) + Decimal("0.001"))

    def change(world: World, arguments: Arguments) -> Arguments:
        amount = arguments.get(argument.name)
        changed = [more(each) for each in amount] if isinstance(amount, list) else more(amount)
        return {**arguments, argument.name: changed}

    return change


def _changed_by(spoil: Spoil) -> Change:
    return lambda world, arguments: {**arguments, **spoil(world)}


def _last(value: Any) -> Any:
    return value[-1] if isinstance(value, list) else value


def _of_one_type(elements: list[Any]) -> list[Any]:
    """As psycopg takes an array: of texts, if one element is a text."""
    if not any(isinstance(element, str) for element in elements):
        return elements
    return [None if element is None else str(element) for element in elements]
