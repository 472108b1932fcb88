"""What the rules draw: names of things rather than values, so that a run can be repeated.

An id is drawn as a number, of whichever thing of its kind comes out, or as the name of a wrong
one; an amount often as a part of what there is, so that it exactly empties a balance.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

PAST = datetime(2001, 1, 1, tzinfo=UTC)
FUTURE = datetime(2999, 1, 1, tzinfo=UTC)
LONG = "x" * 201


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what there is, and so many minor units more."""

    of: Fraction
    units: int

    def in_units(self, there_is: int) -> int:
        return int(self.of * there_is) + self.units


Amount = Part | Decimal | None
Id = int | str
Rates = tuple[Decimal | None, Decimal | None]


def mostly(good: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(15 * [good] + [rare]).flatmap(lambda chosen: chosen)


def decimals(*texts: str) -> st.SearchStrategy[Decimal]:
    return st.sampled_from([Decimal(text) for text in texts])


WRONG_IDS = ("null", "zero", "negative", "huge", "wallet", "pocket", "project", "escrow", "fee")
IDS = mostly(mostly(st.integers(0, 30), st.sampled_from(WRONG_IDS)), st.sampled_from(WRONG_IDS))
# Of an account nearly any id will do.
ACCOUNT_IDS = st.one_of(IDS, IDS, st.sampled_from(WRONG_IDS))

BAD_AMOUNTS = st.one_of(
    st.none(),
    decimals("NaN", "Infinity", "-Infinity", "0", "-0.00", "-1", "0.0001", "1E+15", "1E+40"),
)
# Of these some have too many decimals, depending on the currency.
AMOUNTS: st.SearchStrategy[Amount] = mostly(
    st.one_of(
        st.builds(Part, st.just(Fraction(0)), st.integers(1, 3)),
        st.builds(Part, st.just(Fraction(0)), st.integers(1, 30)),
        st.builds(Part, st.just(Fraction(0)), st.integers(1, 99999)),
        st.sampled_from([Part(Fraction(1), 0), Part(Fraction(1, 2), 1), Part(Fraction(1, 3), 1)]),
        st.sampled_from([Part(Fraction(1), 0), Part(Fraction(1), 1), Part(Fraction(2), 1)]),
        decimals("1", "10", "100.00", "1E+2", "500", "5000", "12.34", "0.01", "0.001", "12.3450"),
        decimals("999999999999999", "999999999999999.99", "100000", "100000.01"),
    ),
    BAD_AMOUNTS,
)
# Of the projects that are there from the start, 500 is the limit of a pledge.
PLEDGES = st.one_of(AMOUNTS, AMOUNTS, decimals("500", "501"))
FIXED_FEES = mostly(
    decimals("0", "1", "0.00", "3", "0.3", "0.001", "600") | st.none(),
    decimals("-0.01", "NaN", "Infinity", "1E+15"),
)
CREDITS = st.one_of(AMOUNTS, decimals("0", "0.000", "50", "1000"))
REASONS = mostly(st.just("court order 17"), st.sampled_from(["", " ", LONG, None]))
SOME_OR_ALL = st.one_of(st.none(), AMOUNTS, AMOUNTS)

KEYS = mostly(
    st.sampled_from([None, None, "fresh", "fresh", "fresh", "a", "b", "c"]),
    st.sampled_from(["", " \t\n", LONG]),
)
TIMES = st.sampled_from([None, None, None, datetime(2020, 2, 29, 12, tzinfo=UTC), FUTURE])
METADATA = st.sampled_from([None, None, None, {"order": 7}, "text", [1, None]])
BASES = mostly(st.sampled_from(["recorded", "effective"]), st.sampled_from(["", "Effective", None]))
EXPIRIES = mostly(st.sampled_from([None, FUTURE]), st.just(PAST))
ROUNDINGS = mostly(
    st.sampled_from(["half_up", "largest_remainder"]), st.sampled_from(["HALF_UP", "", None])
)

FLAGS = mostly(st.sampled_from([False, True]), st.none())
CURRENCIES = mostly(
    st.sampled_from(["EUR", "JPY", "KWD", "TOKEN"]), st.sampled_from(["ABC", "eur", None])
)
OWNERS = mostly(st.sampled_from(["ada", "bob"]), st.sampled_from(["", " ", LONG, None]))
NAMES = mostly(
    st.sampled_from(["rent", "food", "fun", "tax", "car", "gifts"]),
    st.sampled_from(["", " ", LONG, None]),
)
REFERENCES = mostly(
    st.sampled_from(["bridge", "tower", "well", "road"]), st.sampled_from(["", " ", LONG, None])
)
RATES = mostly(
    st.one_of(st.none(), decimals("0", "0.05", "0.0500", "0.029", "0.3333", "0.5", "1")),
    decimals("-0.01", "1.01", "NaN", "Infinity"),
)
# Halves of a single unit both round up: there the second rate gets what the first one left.
GOOD_RATES: st.SearchStrategy[Rates] = st.sampled_from(
    [
        (None, None),
        (None, Decimal("0.3333")),
        (Decimal("0.5"), Decimal("0.5")),
        (Decimal("0.05"), Decimal(0)),
    ]
)
PAIRS_OF_RATES: st.SearchStrategy[Rates] = st.one_of(GOOD_RATES, st.tuples(RATES, RATES))
# With and without what is not yet given to another pocket.
PERCENTAGES = mostly(
    st.one_of(
        st.just("rest"),
        st.just("more than the rest"),
        decimals("0", "0.0001", "0.01", "1", "12.5", "25.0", "33.3333", "33.3334", "50", "100"),
        st.integers(0, 40 * 10**4).map(lambda number: Decimal(number).scaleb(-4)),
    ),
    st.one_of(st.none(), decimals("-1", "100.0001", "1.00001", "NaN", "Infinity")),
)
SPLITS = st.sampled_from(
    [
        ["50", "50"],
        ["25", "25", "25", "25"],
        ["33.3333", "33.3333", "33.3334"],
        ["33.3333", "33.3333", "33.3333"],
        ["12.5"] * 8,
        ["0.01", "99.99"],
        ["70", "7.77", "7.77"],
        ["10"],
    ]
)
PLEDGED_TO = st.sampled_from(["open project", "open project", "project"])
CHANGED = st.sampled_from(["open escrow", "open escrow", "escrow"])
# In proportion to what was pledged, or to what could be: all of that, or a unit too much.
CHANGES_OF_PLEDGES = st.one_of(
    st.tuples(st.just("amount"), AMOUNTS),
    st.tuples(st.just("amount"), AMOUNTS),
    st.tuples(st.just("affordable"), st.sampled_from([Part(Fraction(1), 0), Part(Fraction(1), 1)])),
)
EXPLICIT_PROJECT_IDS = (1024 * 10**6, 1024 * (10**6 + 1))
PROJECT_IDS = st.sampled_from([None] * 5 + [*EXPLICIT_PROJECT_IDS, 1, 1025, "wallet", "project"])
OUTCOMES = mostly(st.sampled_from(["succeeded", "failed"]), st.sampled_from(["open", "", None]))
DISPUTE_OUTCOMES = mostly(st.sampled_from(["upheld", "rejected"]), st.sampled_from(["", None]))
REASONS = mostly(st.just("the card was stolen"), st.sampled_from(["", " ", LONG, None]))
STATUSES = mostly(
    st.sampled_from(
        [
            *(None, None, "locked", "disputed", "released", "refunded", "expired", "settled"),
            *("open", "failed"),
        ]
    ),
    st.sampled_from(["", "LOCKED"]),
)
LIMITS = mostly(st.sampled_from([100, 1, 2, 3]), st.sampled_from([0, -1, None]))

ELEMENTS = st.lists(st.tuples(IDS, AMOUNTS, KEYS), max_size=5)
ARRAYS = mostly(
    st.sampled_from(["with keys", "with keys", "without keys", "one wallet"]),
    st.sampled_from(["an id short", "a key short"]),
)
# What `repeating` knows to change.
CHANGES = st.sampled_from(
    ["nothing", "nothing", "zeros", "details", "details", "amount", "rounding", "function", "order"]
)
REPEATS = st.lists(st.tuples(st.integers(0, 99), CHANGES), min_size=1, max_size=5)
