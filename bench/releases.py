"""Releasing or refunding all escrows of a project, by procedure and by one bare statement."""

import time
from uuid import uuid4

import psycopg

import pgwallet
from bench.contest import Sample
from bench.crowd import Crowd, one

BATCH = 1_000
PLEDGED = 10_000  # escrows a call while filling

# The same rows as by the functions: what a pledge of 10 comes to is known beforehand.
FLOOR = """
  with recorded as (
    insert into pgwallet.transaction (kind, settled_count) values ('release', %(escrows)s)
    returning transaction_id
  ),

  released as (
    update pgwallet.escrow
    set
      released_amount = 10.00, commission_amount = 0.50, fee_amount = 0.29, net_amount = 9.21,
      status = 'released', settled_by = (select transaction_id from recorded)
    where project_id = %(project)s and status = 'locked'
    returning 1
  ),

  credited as (
    update pgwallet.account
    set balance = balance + 9.21 * (select count(*) from released)
    where account_id = %(project)s
    returning balance
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select r.transaction_id, p.escrow_account_id, d.account_id, d.each * n.escrows, d.balance
  from recorded as r
  cross join (select count(*) as escrows from released) as n
  cross join credited as c
  inner join pgwallet.project as p on p.project_id = %(project)s
  inner join pgwallet.currency as u on u.currency = p.currency
  cross join lateral (
    values
      (p.project_id, 9.21, c.balance),
      (u.commission_account_id, 0.50, null),
      (u.fee_account_id, 0.29, null)
  ) as d (account_id, each, balance)
"""

REFUND_FLOOR = """
  with recorded as (
    insert into pgwallet.transaction (kind) values ('refund') returning transaction_id
  ),

  refunded as (
    update pgwallet.escrow
    set
      refunded_amount = 10.00, status = 'refunded',
      settled_by = (select transaction_id from recorded)
    where project_id = %(project)s and status = 'locked'
    returning escrow_id, wallet_id
  ),

  credited as (
    update pgwallet.account
    set balance = balance + 10.00 * d.escrows
    from (select wallet_id, count(*) as escrows from refunded group by wallet_id) as d
    where account_id = d.wallet_id
    returning account_id, balance - 10.00 * d.escrows as before
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select
    r.transaction_id, p.escrow_account_id, d.wallet_id, 10.00,
    c.before + 10.00 * row_number() over (partition by d.wallet_id order by d.escrow_id)
  from recorded as r
  cross join refunded as d
  inner join credited as c on c.account_id = d.wallet_id
  inner join pgwallet.project as p on p.project_id = %(project)s
"""


class Releases:
    """Projects with so many escrows of 10 each, settled in one way or another."""

    def __init__(self, conn: psycopg.Connection, crowd: Crowd, escrows: int) -> None:
        self._conn = conn
        self._wallets = [crowd.wallets[n] for n in range(crowd.wallets.count)]
        self._escrows = escrows

    def by_procedure(self) -> float:
        """Escrows a second in committed batches of 1,000."""
        project_id = self.filled(self._escrows)
        return self._rate("call pgwallet.release_project(%(project)s, %(batch)s)", project_id)

    def by_driver(self) -> float:
        """The same through the driver, which makes the calls one by one."""
        project_id = self.filled(self._escrows)
        start = time.perf_counter()
        released = sum(
            batch.escrow_count for batch in pgwallet.release_project(self._conn, project_id, BATCH)
        )
        seconds = time.perf_counter() - start
        assert released == self._escrows
        return released / seconds

    def by_floor(self) -> float:
        """All in one statement."""
        return self._rate(FLOOR, self._closed(self._escrows))

    def refunded_by_procedure(self) -> float:
        """Escrows a second in committed batches of 1,000."""
        project_id = self.filled(self._escrows)
        return self._rate("call pgwallet.refund_project(%(project)s, %(batch)s)", project_id)

    def refunded_by_floor(self) -> float:
        """All in one statement."""
        return self._rate(REFUND_FLOOR, self._closed(self._escrows, "failed"))

    def of_large(self, escrows: int, batches: int) -> Sample:
        """The next so many batches of one project that has this many escrows."""
        project_id = self._closed(escrows)
        last = 0

        def sample() -> float:
            nonlocal last
            rate, last = self._batches(project_id, last, batches)
            return rate

        return sample

    def of_small(self, batches: int) -> Sample:
        """The same number of batches, which are all that a project has."""
        return lambda: self._batches(self._closed(batches * BATCH), 0, batches)[0]

    def _batches(self, project_id: int, last: int, batches: int) -> tuple[float, int]:
        start = time.perf_counter()
        for _ in range(batches):
            batch = pgwallet.release_escrows(self._conn, project_id, BATCH, last)
            assert batch.escrow_count == BATCH
            last = batch.last_escrow_id
        return batches * BATCH / (time.perf_counter() - start), last

    def _closed(self, escrows: int, outcome: str = "succeeded") -> int:
        project_id = self.filled(escrows)
        pgwallet.close_project(self._conn, project_id, outcome)
        return project_id

    def _rate(self, statement: str, project_id: int) -> float:
        start = time.perf_counter()
        self._conn.execute(
            statement.encode(),
            {"project": project_id, "batch": BATCH, "escrows": self._escrows},
        )
        seconds = time.perf_counter() - start
        left = one(
            self._conn,
            "select count(*) from pgwallet.escrow as e "
            "where e.project_id = %(project)s and e.status = 'locked'",
            project=project_id,
        )
        assert left == 0
        return self._escrows / seconds

    def filled(self, escrows: int) -> int:
        """A new project with so many locked escrows."""
        project_id = pgwallet.create_project(self._conn, f"project {uuid4()}").project_id
        for start in range(0, escrows, PLEDGED):
            count = min(PLEDGED, escrows - start)
            wallets = (self._wallets * (count // len(self._wallets) + 1))[:count]
            pgwallet.pledge_many(self._conn, project_id, wallets, [10] * count)
        self._conn.execute("vacuum analyze pgwallet.escrow, pgwallet.transaction, pgwallet.posting")
        self._conn.execute("checkpoint")
        return project_id
