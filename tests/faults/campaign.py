"""A project full of pledges, and what the ledger must hold of its release, batch by batch."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate

import psycopg

import pgwallet
from tests.ledger.calling import funded, project, value

BATCH_SIZE = 25
BATCHES = 24
COMMISSION_RATE, FEE_RATE = Decimal("0.05"), Decimal("0.029")

# How many escrows were released so far and their sum, after each batch.
Progress = list[tuple[int, Decimal]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a batch, or a whole release, came to."""

    net: Decimal
    commission: Decimal
    fee: Decimal

    def __add__(self, other: "Parts") -> "Parts":
        return Parts(self.net + other.net, self.commission + other.commission, self.fee + other.fee)

    @property
    def gross(self) -> Decimal:
        return self.net + self.commission + self.fee


@dataclass(frozen=True, slots=True)
class Campaign:
    """`batches` is what each batch of its escrows, in the order of their ids, comes to."""

    project_id: int
    escrow_ids: list[int]
    batches: list[Parts]

    @property
    def total(self) -> Parts:
        return sum(self.batches[1:], self.batches[0])

    def progress(self, batches: int) -> Progress:
        """What whoever releases this project is told of the first so many batches."""
        grosses = accumulate(parts.gross for parts in self.batches[:batches])
        return [
            (min(place * BATCH_SIZE, len(self.escrow_ids)), gross)
            for place, gross in enumerate(grosses, 1)
        ]

    @contextmanager
    def last_escrow_held(self, conn: psycopg.Connection) -> Iterator[None]:
        """Keeps a release from coming to its end: it waits for the escrow that `conn` has."""
        conn.execute(
            "select from pgwallet.escrow where escrow_id = %s for update", [self.escrow_ids[-1]]
        )
        try:
            yield
        finally:
            with suppress(psycopg.OperationalError):  # its server was killed
                conn.rollback()


def campaign_in(conn: psycopg.Connection, rng: random.Random) -> Campaign:
    """Whole batches and one escrow more, which a test may hold; committed."""
    amounts = [Decimal(rng.randint(1, 5000)) / 100 for _ in range(BATCHES * BATCH_SIZE + 1)]
    wallet_ids = [funded(conn, f"backer {n}", 50 * len(amounts)) for n in range(10)]
    project_id = project(conn, commission_rate=COMMISSION_RATE, fee_rate=FEE_RATE)
    rows = pgwallet.pledge_many(
        conn, project_id, [rng.choice(wallet_ids) for _ in amounts], amounts
    )
    conn.commit()
    parts = [_parts(amount) for amount in amounts]
    batches = [parts[start : start + BATCH_SIZE] for start in range(0, len(parts), BATCH_SIZE)]
    return Campaign(
        project_id,
        [row.escrow_id for row in rows],
        [sum(batch[1:], batch[0]) for batch in batches],
    )


def check_interrupted(conn: psycopg.Connection, campaign: Campaign, told: Progress) -> int:
    """Sees that a release ended between two batches; returns how many it did without a word."""
    assert pgwallet.check_ledger(conn) == []
    recorded = _recorded(conn, campaign.project_id)
    done = len(recorded)
    assert recorded == campaign.batches[:done]
    assert _released(conn, campaign) == campaign.escrow_ids[: done * BATCH_SIZE]

    assert told == campaign.progress(len(told)), "it told of what never was"
    assert len(told) <= done, "a batch that was told of is lost"
    assert 0 < done < len(campaign.batches), "the fault did not fall in the middle"
    return done - len(told)


def check_complete(conn: psycopg.Connection, campaign: Campaign, told: Progress) -> None:
    """Sees that the release is whole; `told` is what the last of its runs said."""
    assert pgwallet.check_ledger(conn) == []
    assert _recorded(conn, campaign.project_id) == campaign.batches
    assert _released(conn, campaign) == campaign.escrow_ids
    all_told = campaign.progress(len(campaign.batches))
    before = len(all_told) - len(told)
    count, amount = all_told[before - 1]
    assert [(count + c, amount + a) for c, a in told] == all_told[before:]

    total = campaign.total
    assert pgwallet.balance(conn, campaign.project_id) == total.net
    for kind, expected in (("commission", total.commission), ("fee", total.fee)):
        account = value(
            conn,
            f"select {kind}_account_id from pgwallet.currency where currency = 'EUR'",
        )
        assert pgwallet.balance(conn, account) == expected
    pledged = value(conn, "select sum(amount) from pgwallet.escrow")
    assert total.gross == pledged


def progress_in(notices: str) -> Progress:
    """What the procedure said after each batch, in its notices."""
    lines = re.findall(r"project \d+: (\d+) escrows released, ([\d.]+) in all", notices)
    return [(int(count), Decimal(amount)) for count, amount in lines]


def _recorded(conn: psycopg.Connection, project_id: int) -> list[Parts]:
    """What was posted out of the project's escrow account, transaction by transaction."""
    rows = conn.execute(
        """
        select
          sum(p.amount) filter (where a.kind = 'project' and a.account_id = j.project_id),
          sum(p.amount) filter (where a.kind = 'commission'),
          sum(p.amount) filter (where a.kind = 'fee')
        from pgwallet.project as j
        inner join pgwallet.posting as p on p.source_account_id = j.escrow_account_id
        inner join pgwallet.account as a on a.account_id = p.destination_account_id
        where j.project_id = %s
        group by p.transaction_id
        order by p.transaction_id
        """,
        [project_id],
    ).fetchall()
    return [Parts(*(amount or Decimal(0) for amount in row)) for row in rows]


def _released(conn: psycopg.Connection, campaign: Campaign) -> list[int]:
    rows = conn.execute(
        "select escrow_id from pgwallet.escrow where project_id = %s and status = 'released'"
        " order by escrow_id",
        [campaign.project_id],
    ).fetchall()
    return [row[0] for row in rows]


def _parts(amount: Decimal) -> Parts:
    cent = Decimal("0.01")
    commission = (amount * COMMISSION_RATE).quantize(cent, ROUND_HALF_UP)
    fee = (amount * FEE_RATE).quantize(cent, ROUND_HALF_UP)
    return Parts(amount - commission - fee, commission, fee)
