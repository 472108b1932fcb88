"""Any wallet, any rules, any amounts: all ways to allocate give what plain arithmetic says.

20,000 cases take a minute or two; PGWALLET_RULE_CASES says how many to draw.
"""

import random
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from itertools import groupby
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.conftest import Connect
from tests.effort import effort
from tests.ledger.calling import value
from tests.model.reference.money import EXPONENTS, SHARES

CASES = effort("PGWALLET_RULE_CASES", part=600, full=600)

pytestmark = [pytest.mark.sql, pytest.mark.timeout(60 + CASES // 10)]

LIMITS = (100, 2, 1)
MOST_POCKETS = 6
PATTERNS: tuple[list[str], ...] = (
    *(["50", "50"], ["25"] * 4, ["33.3333"] * 3, ["12.5"] * 6, ["0.01", "99.99"], ["100"]),
    *(["70", "7.77", "7.77"], ["10"], [], ["0.0001"] * 3, ["16.6667"] * 5),
)

# What each case gets of a function, in the order of its rows.
SHOWN = """
select (
  select array_agg(array[s.pocket_id, s.amount, s.balance])
  from pgwallet.{function}(u.wallet_id, u.amount, u.rounding) as s
)
from unnest(%s::bigint[], %s::numeric[], %s::text[]) with ordinality
  as u (wallet_id, amount, rounding, place)
order by u.place
"""


@dataclass(slots=True)
class Pocket:
    """Amounts are minor units. `room` is what it lacks of the target it stops at, or None."""

    pocket_id: int
    percentage: Decimal
    balance: int
    target: int | None
    stops: bool
    takes_rest: bool

    @property
    def room(self) -> int | None:
        return max(0, self.target - self.balance) if self.stops and self.target else None


@dataclass(slots=True)
class Case:
    wallet_id: int
    currency: str
    rounding: str
    pockets: list[Pocket]
    amounts: list[int]

    @property
    def has_rules(self) -> bool:
        return any(pocket.stops or pocket.takes_rest for pocket in self.pockets)

    def money(self, units: int) -> Decimal:
        return Decimal(units).scaleb(-EXPONENTS[self.currency])

    def allocate(self, amount: int, limit: int) -> list[list[Any]]:
        """The rows of an allocation: which pocket gets how much, and holds what then."""
        by_share = sorted(
            (pocket for pocket in self.pockets if pocket.percentage),
            key=lambda pocket: (-pocket.percentage, pocket.pocket_id),
        )[:limit]
        shares = SHARES[self.rounding](
            amount,
            [pocket.percentage for pocket in by_share],
            [pocket.room for pocket in by_share],
        )
        given = list(zip(by_share, shares, strict=True))
        for pocket in self.pockets:
            if pocket.takes_rest:
                left = amount - sum(shares)
                given.append((pocket, left if pocket.room is None else min(left, pocket.room)))
        rows: list[list[Any]] = []
        for pocket, share in given:
            if share:
                pocket.balance += share
                rows.append([pocket.pocket_id, self.money(share), self.money(pocket.balance)])
        return rows or [[None, 0, None]]


def drawn(draw: random.Random, number: int) -> Case:
    """A wallet that holds what is allocated, and pockets that may be close to their targets."""
    first = 10**9 + number * (MOST_POCKETS + 2)
    currency = draw.choice(list(EXPONENTS))
    largest = 10 ** (15 + EXPONENTS[currency]) - 1
    amounts = [
        draw.randint(1, draw.choice([3, 30, 300, 10**6, largest // 4]))
        for _ in range(draw.randint(1, 3))
    ]
    percentages = [Decimal(text) for text in draw.choice(PATTERNS)]
    if draw.random() < 0.3:
        percentages = [Decimal(draw.randint(0, 250000)).scaleb(-4) for _ in range(4)]
    percentages += [Decimal(0)] * draw.randint(0, MOST_POCKETS - len(percentages))
    draw.shuffle(percentages)
    pockets = []
    free = [place for place, percentage in enumerate(percentages) if not percentage]
    rest = draw.choice([None, *free[:1]])
    for place, percentage in enumerate(percentages):
        balance = draw.choice([0, draw.randint(0, max(amounts))])
        target = balance + draw.randint(-balance, max(amounts)) if draw.random() < 0.5 else None
        pockets.append(
            Pocket(
                pocket_id=(first + 1 + place) * 1024 + 1,
                percentage=percentage,
                balance=balance,
                target=target or None,
                stops=bool(target) and draw.random() < 0.7,
                takes_rest=place == rest,
            )
        )
    rounding = draw.choice(list(SHARES))
    return Case(first * 1024 + 1, currency, rounding, pockets, amounts)


def written(conn: psycopg.Connection, cases: list[Case]) -> None:
    """Straight into the tables, as the functions would have it; the sums come first."""
    with conn.cursor() as cursor:
        columns = "account_id, kind, currency, balance, has_rules, external_account_id"
        known = conn.execute("select currency, external_account_id from pgwallet.currency")
        outside: dict[str, int] = dict(known.fetchall())
        with cursor.copy(f"copy pgwallet.account ({columns}) from stdin".encode()) as copy:
            for case in cases:
                holds = case.money(sum(case.amounts))
                external = outside[case.currency]
                flags = (case.has_rules, external)
                copy.write_row((case.wallet_id, "wallet", case.currency, holds, *flags))
                for each in case.pockets:
                    holds = case.money(each.balance)
                    copy.write_row((each.pocket_id, "pocket", case.currency, holds, False, None))
        columns = "wallet_id, owner_id, currency, allocation_percentage"
        with cursor.copy(f"copy pgwallet.wallet ({columns}) from stdin".encode()) as copy:
            for case in cases:
                total = sum(pocket.percentage for pocket in case.pockets)
                copy.write_row((case.wallet_id, str(case.wallet_id), case.currency, total))
        columns = "pocket_id, wallet_id, name, allocation_percentage, target_amount"
        columns += ", stop_at_target, takes_rest"
        with cursor.copy(f"copy pgwallet.pocket ({columns}) from stdin".encode()) as copy:
            for case in cases:
                for each in case.pockets:
                    target = None if each.target is None else case.money(each.target)
                    shares = (each.percentage, target, each.stops, each.takes_rest)
                    copy.write_row((each.pocket_id, case.wallet_id, str(each.pocket_id), *shares))


def shown(conn: psycopg.Connection, function: str, cases: list[Case], turn: int) -> list[Any]:
    """What each case gets of the amount whose turn it is."""
    rows = conn.execute(
        SHOWN.format(function=function).encode(),
        [
            [case.wallet_id for case in cases],
            [case.money(case.amounts[turn]) for case in cases],
            [case.rounding for case in cases],
        ],
    ).fetchall()
    return [row[0] for row in rows]


def in_bulk(conn: psycopg.Connection, cases: list[Case], rounding: str) -> list[Any]:
    """What each case gets of each of its amounts, of all wallets in one call."""
    of = [case for case in cases if case.rounding == rounding]
    elements = [
        (case, amount) for turn in range(3) for case in of for amount in case.amounts[turn:][:1]
    ]
    rows = pgwallet.allocate_deposits(
        conn,
        [case.wallet_id for case, _ in elements],
        [case.money(amount) for case, amount in elements],
        rounding=rounding,
    )
    each = groupby(rows, key=lambda row: row.transaction_id)
    allocations = [[[r.pocket_id, r.amount, r.balance] for r in rows] for _, rows in each]
    return [
        (case.wallet_id, allocation)
        for (case, _), allocation in zip(elements, allocations, strict=True)
    ]


@pytest.mark.parametrize("limit", LIMITS)
def test_rules_give_what_plain_arithmetic_says(connect: Connect, limit: int) -> None:
    conn = connect()  # so many rows that are rolled back would stay in the way of other tests
    seed = random.randrange(2**32)
    draw = random.Random(seed)
    with localcontext(Context(prec=100)):
        cases = [drawn(draw, number) for number in range(CASES // len(LIMITS))]
        pgwallet.create_currency(conn, "TOKEN", EXPONENTS["TOKEN"], "Token")
        written(conn, cases)
        conn.execute("update pgwallet.settings set max_pockets_per_allocation = %s", [limit])
        # Else all tables are small, for all that the planner knows, and are read whole each time.
        conn.execute("analyze pgwallet.account, pgwallet.wallet, pgwallet.pocket")
        conn.execute("set client_min_messages = error; savepoint before")

        previewed = shown(conn, "preview_allocation", cases, 0)
        bulk = [*in_bulk(conn, cases, "half_up"), *in_bulk(conn, cases, "largest_remainder")]
        conn.execute("rollback to savepoint before")
        expected = []
        for turn in range(3):
            having = [case for case in cases if turn < len(case.amounts)]
            allocated = shown(conn, "allocate_deposit", having, turn)
            for case, got in zip(having, allocated, strict=True):
                wanted = case.allocate(case.amounts[turn], limit)
                assert got == wanted, f"seed {seed}, {turn}: {case}"
                expected.append((case.wallet_id, wanted))
            if turn == 0:
                wanted_first = [wanted for _, wanted in expected]
                assert previewed == wanted_first, f"seed {seed}"
        assert sorted(bulk, key=by_wallet) == sorted(expected, key=by_wallet), f"seed {seed}"
    assert sum(case.has_rules for case in cases) > len(cases) / 3
    negative = "select count(*) from pgwallet.account as a where a.balance < 0"
    assert value(conn, negative) == 0


def by_wallet(allocation: tuple[int, Any]) -> int:
    """Stable, so that allocations of one wallet stay in their order."""
    return allocation[0]
