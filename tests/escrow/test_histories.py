"""Random histories of releases, refunds and refunded releases are what plain arithmetic makes them.

20,000 of them by PGWALLET_HISTORIES=20000; fewer by default. Each is an escrow of its own: parts of
it in any order while its project is open, what is then left by a batch, and more refunds after it.
In four currencies with 0, 2, 3 and 18 decimals, at ten pairs of rates, with the fixed fee and
without.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from random import Random

import psycopg
import pytest

import pgwallet
from tests.conftest import Connect
from tests.effort import effort
from tests.ledger.calling import by_hand, funded, project

pytestmark = pytest.mark.sql

HISTORIES = effort("PGWALLET_HISTORIES", part=400, full=1000)
EXPONENTS = {"JPY": 0, "EUR": 2, "KWD": 3, "GEMS": 18}
RATES = [
    *(("0", "0"), ("0.05", "0.029"), ("0.5", "0.5"), ("0.25", "0.25"), ("1", "0"), ("0", "1")),
    *(("0.3333", "0.6667"), ("0.0001", "0.9999"), ("0.1", "0.0333"), ("0.77", "0.011")),
]

# One round trip for all of them. A refusal is an outcome like another.
RUN = """
create function pg_temp.run(p_escrows bigint[], p_acts text[], p_amounts numeric[])
returns table (place bigint, code text, commission numeric, fee numeric, net numeric, status text)
language plpgsql as $$
declare
  v_step record;
begin
  for v_step in
    select u.* from unnest(p_escrows, p_acts, p_amounts) with ordinality
      as u (escrow_id, act, amount, place)
  loop
    place := v_step.place;
    code := 'ok';
    begin
      case v_step.act
        when 'release' then
          select r.commission_amount, r.fee_amount, r.net_amount, r.status
          into commission, fee, net, status
          from pgwallet.release_escrow(v_step.escrow_id, v_step.amount) as r;
        when 'refund' then
          select 0, 0, r.refunded_amount, r.status into commission, fee, net, status
          from pgwallet.refund_escrow(v_step.escrow_id, v_step.amount) as r;
        else
          select r.commission_amount, r.fee_amount, r.net_amount, r.status
          into commission, fee, net, status
          from pgwallet.refund_release(v_step.escrow_id, v_step.amount, v_step.act = 'kept') as r;
      end case;
    exception when others then
      code := sqlstate;
    end;
    return next;
  end loop;
end $$
"""


def half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


@dataclass(slots=True)
class History:
    """Whole units of the currency, as docs/concepts/escrow.md has the arithmetic."""

    escrow_id: int
    amount: int
    rates: tuple[Fraction, Fraction]
    fixed: int
    released: int = 0
    refunded: int = 0
    commission: int = 0
    fee: int = 0
    net: int = 0
    outcomes: list[tuple[str, int, int, int]] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.amount - self.released - self.refunded

    def due(self, released: int, commission: int) -> tuple[int, int]:
        return (
            half_up(released * self.rates[0]) - commission,
            half_up(released * self.rates[1]) + self.fixed,
        )

    def release(self, x: int) -> tuple[str, int, int, int]:
        if not self.left:
            return ("PW202", 0, 0, 0)
        if x > self.left:
            return ("PW206", 0, 0, 0)
        commission, fee = self.due(self.released + x, self.commission)
        commission = max(0, min(x, commission))
        fee = max(0, min(x - commission, fee - self.fee))
        self.book(x, commission, fee)
        return ("ok", commission, fee, x - commission - fee)

    def refund(self, x: int) -> tuple[str, int, int, int]:
        if not self.left:
            return ("PW202", 0, 0, 0)
        if x > self.left:
            return ("PW206", 0, 0, 0)
        self.refunded += x
        return ("ok", 0, 0, x)

    def take_back(self, x: int, kept: bool) -> tuple[str, int, int, int]:
        if not self.released or x > self.released:
            return ("PW206", 0, 0, 0)
        commission = fee = 0
        if not kept:
            rest = self.released - x
            due_commission, due_fee = self.due(rest, 0)
            due_fee = min(rest - due_commission, due_fee)
            commission = max(0, min(x, self.commission - due_commission))
            fee = max(0, min(x - commission, self.fee - due_fee))
        self.refunded += x
        self.book(-x, -commission, -fee)
        return ("ok", commission, fee, x - commission - fee)

    def book(self, x: int, commission: int, fee: int) -> None:
        self.released += x
        self.commission += commission
        self.fee += fee
        self.net += x - commission - fee

    def act(self, what: str, x: int) -> tuple[str, int, int, int]:
        if what == "release":
            return self.release(x)
        return self.refund(x) if what == "refund" else self.take_back(x, what == "kept")

    @property
    def status(self) -> str:
        if self.left:
            return "locked"
        if not self.refunded:
            return "released"
        return "settled" if self.released else "refunded"


def histories(
    conn: psycopg.Connection, currency: str, number: int, chance: Random
) -> Iterator[tuple[int, list[History]]]:
    """A project for each pair of rates, every other one with a fixed fee; it may owe anything."""
    unit = Decimal(1).scaleb(-EXPONENTS[currency])
    for place, rates in enumerate(RATES):
        fixed = chance.choice([1, 3, 30]) if place % 2 else 0
        project_id = project(
            conn,
            f"{currency} {place}",
            currency=currency,
            commission_rate=Decimal(rates[0]),
            fee_rate=Decimal(rates[1]),
            fee_fixed=fixed * unit,
        )
        limited = "update pgwallet.account set credit_limit = 1e12 where account_id = %s"
        by_hand(conn, limited, [project_id])
        amounts = [
            chance.choice([chance.randint(1, 9), chance.randint(1, 5000)]) for _ in range(number)
        ]
        wallet_id = funded(conn, f"{currency} {place}", sum(amounts) * unit, currency)
        rows = pgwallet.pledge_many(
            conn, project_id, [wallet_id] * number, [amount * unit for amount in amounts]
        )
        both = (Fraction(rates[0]), Fraction(rates[1]))
        yield (
            project_id,
            [
                History(row.escrow_id, amount, both, fixed)
                for row, amount in zip(rows, amounts, strict=True)
            ],
        )


def run(
    conn: psycopg.Connection, its: list[History], acts: list[str], unit: Decimal, chance: Random
) -> int:
    """A few random acts on each; the ledger's answers are those of the arithmetic."""
    steps = []
    for history in its:
        for _ in range(chance.randint(0, 4)):
            act = chance.choice(acts)
            there = history.left if act in ("release", "refund") else history.released
            x = chance.choice([1, there, chance.randint(1, max(1, there)), there + 1]) or 1
            steps.append((history, act, x, history.act(act, x), history.status))
    rows = conn.execute(
        "select code, commission, fee, net, status from pg_temp.run(%s, %s, %s) order by place",
        [
            [history.escrow_id for history, *_ in steps],
            [act for _, act, *_ in steps],
            [x * unit for _, _, x, *_ in steps],
        ],
    ).fetchall()
    for (history, act, x, expected, status), row in zip(steps, rows, strict=True):
        code, *parts, shown = row
        if code != "ok":
            assert expected[0] == code, (history, act, x)
            continue
        found = ("ok", *(int(part / unit) for part in parts))
        assert (found, shown) == (expected, status), (history, act, x)
    return len(steps)


@pytest.mark.timeout(300 + HISTORIES // 10)
def test_random_histories_are_exact(connect: Connect) -> None:
    conn = connect()  # so many rows that are rolled back would stay in the way of other tests
    chance = Random(HISTORIES)
    pgwallet.create_currency(conn, "GEMS", EXPONENTS["GEMS"], "Gems")
    conn.execute(RUN)
    number = max(1, HISTORIES // (len(EXPONENTS) * len(RATES)))
    calls = 0
    known: dict[int, tuple[History, Decimal]] = {}
    for currency, exponent in EXPONENTS.items():
        unit = Decimal(1).scaleb(-exponent)
        for project_id, its in histories(conn, currency, number, chance):
            calls += run(conn, its, ["release", "release", "refund", "back", "kept"], unit, chance)
            pgwallet.close_project(conn, project_id, "succeeded")
            batch = pgwallet.release_escrows(conn, project_id, number)
            left = [history.release(history.left) for history in its if history.left]
            assert batch.escrow_count == len(left)
            assert batch.commission_amount == sum(each[1] for each in left) * unit
            assert batch.fee_amount == sum(each[2] for each in left) * unit
            calls += run(conn, its, ["back", "back", "kept", "refund"], unit, chance)
            known |= {history.escrow_id: (history, unit) for history in its}
    # The end of each history: what the escrow says, and what its postings make of it.
    for row in conn.execute(
        "select escrow_id, status::text, released_amount, refunded_amount, commission_amount, "
        "fee_amount, net_amount from pgwallet.escrow"
    ).fetchall():
        history, unit = known.pop(row[0])
        figures = (history.released, history.refunded, history.commission)
        assert row[1] == history.status
        assert [each / unit for each in row[2:]] == [*figures, history.fee, history.net]
    assert not known
    assert pgwallet.check_ledger(conn) == []
    print(f"{number * len(EXPONENTS) * len(RATES)} histories, {calls} calls")
