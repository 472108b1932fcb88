"""Making a call once more, the same or a little different."""

from decimal import Decimal
from typing import Any

from tests.catalogue.calls import CALLS, KEYED
from tests.model.drawing import PAST


def _twins() -> dict[str, str]:
    """Keyed functions that take the same arguments: one can be called with a key of the other."""
    alike: dict[object, list[str]] = {}
    for name in KEYED:
        alike.setdefault(CALLS[name].arguments, []).append(name)
    return {
        name: names[place - 1]
        for names in alike.values()
        if len(names) > 1
        for place, name in enumerate(names)
    }


TWINS = _twins()
ROUNDINGS = {"half_up": "largest_remainder", "largest_remainder": "half_up"}


def changed(function: str, arguments: dict[str, Any], change: str) -> tuple[str, dict[str, Any]]:
    """The call with one change, as far as it applies; zeros and details make no other call."""
    new = dict(arguments)
    if change == "function":
        function = TWINS.get(function, function)
    elif change == "order":
        new.update({k: values[::-1] for k, values in new.items() if isinstance(values, list)})
    elif change == "rounding" and "rounding" in new:
        new["rounding"] = ROUNDINGS[new["rounding"]]
    elif change == "details" and "idempotency_key" in new:
        new.update(metadata="another", effective_at=PAST)
        if function == "pledge":
            new["expires_at"] = PAST
    elif change in ("zeros", "amount"):
        more = Decimal("0.000000") if change == "zeros" else Decimal(1)
        if new.get("amount") is not None:
            new["amount"] += more
        if "amounts" in new:
            new["amounts"] = [amount + more for amount in new["amounts"]]
    return function, new
