"""Releasing and refunding escrows one by one, by the call and by one bare statement."""

import pgwallet
from bench.crowd import Crowd, Ids, one
from bench.pgbench import FEW, Runs
from bench.server import Bench

A_SECOND = 1_500  # escrows of a sample for each second that it may take

# What a pledge of 10 comes to is known beforehand.
FLOORS = {
    "release_escrow": """
      with recorded as (
        insert into pgwallet.transaction (kind, escrow_id) values ('release', :escrow)
        returning transaction_id
      ), released as (
        update pgwallet.escrow as e
        set
          released_amount = 10.00, commission_amount = 0.50, fee_amount = 0.29, net_amount = 9.21,
          status = 'released', settled_by = r.transaction_id
        from recorded as r
        where e.escrow_id = :escrow
        returning r.transaction_id
      ), credited as (
        update pgwallet.account set balance = balance + 9.21 where account_id = {project}
        returning balance
      )
      insert into pgwallet.posting (
        transaction_id, source_account_id, destination_account_id, amount, destination_balance
      )
      select r.transaction_id, {escrow_account}, d.account_id, d.amount, d.balance
      from released as r
      cross join credited as c
      cross join lateral (
        values ({project}, 9.21, c.balance), ({commission}, 0.50, null), ({fee}, 0.29, null)
      ) as d (account_id, amount, balance)
      returning transaction_id, destination_account_id, amount, 'released', false;
    """,
    "refund_escrow": """
      with recorded as (
        insert into pgwallet.transaction (kind, escrow_id) values ('refund', :escrow)
        returning transaction_id
      ), refunded as (
        update pgwallet.escrow as e
        set refunded_amount = 10.00, status = 'refunded', settled_by = r.transaction_id
        from recorded as r
        where e.escrow_id = :escrow
        returning r.transaction_id
      ), credited as (
        update pgwallet.account set balance = balance + 10.00 where account_id = :wallet
        returning account_id, balance
      )
      insert into pgwallet.posting (
        transaction_id, source_account_id, destination_account_id, amount, destination_balance
      )
      select r.transaction_id, {escrow_account}, c.account_id, 10.00, c.balance
      from refunded as r cross join credited as c
      returning
        transaction_id, destination_account_id, amount, 'refunded', destination_balance, false;
    """,
}


class Settling:
    """New escrows of 10 for each sample, all of one open project, settled by one client."""

    def __init__(self, bench: Bench, crowd: Crowd, name: str, seconds: int) -> None:
        self._bench = bench
        self._crowd = crowd
        self._name = name
        self._count = seconds * A_SECOND or FEW

    def by_call(self) -> float:
        return self._rate(f"select * from pgwallet.{self._name}(:escrow);\n")

    def by_floor(self) -> float:
        currency = "from pgwallet.currency as c where c.currency = 'EUR'"
        return self._rate(
            FLOORS[self._name].format(
                project=self._crowd.projects[0],
                escrow_account=self._crowd.escrow_accounts[0],
                commission=one(self._bench.conn, f"select c.commission_account_id {currency}"),
                fee=one(self._bench.conn, f"select c.fee_account_id {currency}"),
            )
        )

    def _rate(self, statement: str) -> float:
        escrows, wallets = self._pledged(), self._crowd.wallets
        script = (
            # A client keeps its variables from one run of its script to the next.
            f"\\set escrow :escrow + {escrows.step}\n"
            f"\\set n (:escrow - {escrows.first}) / {escrows.step} % {wallets.count}\n"
            f"\\set wallet {wallets.first} + :n * {wallets.step}\n"
        )
        runs = Runs(
            self._bench,
            self._bench.conninfo,
            script + statement,
            clients=1,
            transactions=self._count,
            variables={"escrow": escrows.first - escrows.step},
        )
        return runs()

    def _pledged(self) -> Ids:
        """New escrows, the next wallet's each."""
        wallets = self._crowd.wallets
        pledges = pgwallet.pledge_many(
            self._bench.conn,
            self._crowd.projects[0],
            [wallets[n % wallets.count] for n in range(self._count)],
            [10] * self._count,
        )
        self._bench.rest()
        return Ids.of([pledge.escrow_id for pledge in pledges])
