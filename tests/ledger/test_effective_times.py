"""What happened when: a history that was moved over answers for its own month-ends."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import escrow_account, funded, project, refused
from tests.ledger.test_reading import accounts

pytestmark = pytest.mark.sql

# An account of a bank in 1993, as its last owner left it: in the order of a file, not of time.
MOVED_OVER = (
    ("1993-03-31", "-14.60", "monthly fee"),
    ("1993-01-13", "900.00", "opened with cash"),
    ("1993-06-30", "-14.60", "monthly fee"),
    ("1993-02-12", "20236.00", "salary"),
    ("1993-02-28", "-4800.00", "rent"),
    ("1993-03-31", "-973.50", "insurance"),
    ("1993-07-14", "20236.00", "salary"),
)
MONTH_ENDS = {
    "1992-12-31": "0.00",
    "1993-01-31": "900.00",
    "1993-02-28": "16336.00",
    "1993-03-31": "15347.90",
    "1993-06-30": "15333.30",
    "1993-07-31": "35569.30",
}
NOW = datetime(2100, 1, 1, tzinfo=UTC)
KINDS = ("wallet", "pocket", "project", "escrow", "commission", "fee", "external")


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def moved_over(conn: psycopg.Connection) -> int:
    """Through credit, since in the file's order the fee comes before the money."""
    wallet_id = funded(conn, "ada", 0)
    pgwallet.set_credit_limit(conn, wallet_id, 1000)
    for at, amount, text in MOVED_OVER:
        move = pgwallet.deposit if amount[0] != "-" else pgwallet.withdraw
        move(conn, wallet_id, abs(Decimal(amount)), None, {"text": text}, day(at))
    return wallet_id


@pytest.fixture
def story(conn: psycopg.Connection) -> dict[str, int]:
    """Each kind of account, with what was recorded at once, late, and before it happens."""
    wallet_id, film = funded(conn, "ada", 100), project(conn, "film")
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "rent").pocket_id
    for at in (None, day("2001-02-03"), day("2090-01-01"), day("2001-02-03"), day("2000-01-01")):
        pgwallet.deposit(conn, wallet_id, 30, effective_at=at)
        pgwallet.transfer_to_pocket(conn, pocket_id, 5, effective_at=at)
        pgwallet.transfer_from_pocket(conn, pocket_id, 1, effective_at=at)
        escrow_id = pgwallet.pledge(conn, wallet_id, film, 20, effective_at=at).escrow_id
        pgwallet.release_escrow(conn, escrow_id, effective_at=at)
        pgwallet.payout(conn, film, 1, effective_at=at)
        pgwallet.collect_earnings(conn, "EUR", "commission", Decimal("0.10"), effective_at=at)
        pgwallet.collect_earnings(conn, "EUR", "fee", Decimal("0.10"), effective_at=at)
    return {
        "wallet": wallet_id,
        "pocket": pocket_id,
        "project": film,
        "escrow": escrow_account(conn, wallet_id),
        **accounts(conn),
    }


@pytest.mark.parametrize(("at", "expected"), MONTH_ENDS.items(), ids=MONTH_ENDS)
def test_a_history_that_was_moved_over_answers_for_its_month_ends(
    conn: psycopg.Connection, moved_over: int, at: str, expected: str
) -> None:
    end = day(at) + timedelta(days=1, microseconds=-1)
    assert str(pgwallet.balance_at(conn, moved_over, end, "effective")) == expected
    assert str(pgwallet.balance_at(conn, moved_over, end)) == "0.00"
    (outside,) = [accounts(conn)["external"]]
    assert pgwallet.balance_at(conn, outside, end, "effective") == -Decimal(expected)


def test_a_statement_by_effective_times_is_the_one_of_the_bank(
    conn: psycopg.Connection, moved_over: int
) -> None:
    rows = pgwallet.statement(conn, moved_over, by="effective")
    total = Decimal(0)
    for row, (at, amount, text) in zip(rows, sorted(MOVED_OVER, key=lambda r: r[0]), strict=True):
        total += Decimal(amount)
        assert (row.effective_at, row.amount, row.balance) == (day(at), Decimal(amount), total)
        assert row.metadata == {"text": text}
    march = pgwallet.statement(
        conn, moved_over, from_=day("1993-03-01"), until=day("1993-04-01"), by="effective"
    )
    assert [str(row.balance) for row in march] == ["16321.40", "15347.90"]
    assert pgwallet.statement(conn, moved_over, until=day("1993-04-01")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_balance_by_effective_times_is_the_sum_of_what_had_happened(
    conn: psycopg.Connection, story: dict[str, int], kind: str
) -> None:
    whole = pgwallet.statement(conn, story[kind], limit=1000)
    times = {row.effective_at for row in whole}
    assert len(times) >= 4
    for at in {time + timedelta(microseconds=step) for time in times for step in (-1, 0)}:
        expected = sum((row.amount for row in whole if row.effective_at <= at), Decimal(0))
        assert pgwallet.balance_at(conn, story[kind], at, "effective") == expected
    assert pgwallet.balance_at(conn, story[kind], NOW, "effective") == pgwallet.balance(
        conn, story[kind]
    )


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_by_effective_times_comes_in_pages_and_bounds(
    conn: psycopg.Connection, story: dict[str, int], kind: str, newest_first: bool
) -> None:
    whole = sorted(
        pgwallet.statement(conn, story[kind], limit=1000),
        key=lambda row: (row.effective_at, row.posting_id),
        reverse=newest_first,
    )
    times = sorted({row.effective_at for row in whole})
    for from_, until in ((None, None), (times[1], None), (None, times[-1]), (times[1], times[2])):
        expected = [
            row.posting_id
            for row in whole
            if (from_ is None or row.effective_at >= from_)
            and (until is None or row.effective_at < until)
        ]
        seen, after = [], 0
        while page := pgwallet.statement(
            conn, story[kind], after, 3, newest_first, from_, until, "effective"
        ):
            assert len(page) <= 3
            assert page[0].posting_id not in seen
            for row in page:
                held = pgwallet.balance_at(conn, story[kind], row.effective_at, "effective")
                last = max(r.posting_id for r in whole if r.effective_at == row.effective_at)
                if kind not in ("wallet", "pocket", "project"):
                    assert row.balance is None
                elif row.posting_id == last:
                    assert row.balance == held
            seen += [row.posting_id for row in page]
            after = page[-1].posting_id
        assert seen == expected


def test_reading_on_by_effective_times_wants_a_posting_of_the_account(
    conn: psycopg.Connection, story: dict[str, int]
) -> None:
    """To begin anew would give a reader the same rows for ever."""
    (strange,) = pgwallet.statement(conn, story["external"], limit=1)
    for after in (strange.posting_id + 10**6, -5, 2**63 - 1, -(2**63)):
        for kind in KINDS:
            with refused(conn, "PW002") as said:
                pgwallet.statement(conn, story[kind], after, by="effective")
            assert str(after) in said[0].message
