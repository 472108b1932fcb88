"""A read model in another database: what came into each account, what left it, and how often.

    python examples/read_model.py LEDGER MODEL            what there is
    python examples/read_model.py LEDGER MODEL --follow   and what comes, until it is stopped

LEDGER and MODEL are connection strings. Kill it whenever you like: totals and the number of the
last posting in them are committed together, so the next run goes on exactly where this one ended.
"""

import sys
from collections import defaultdict
from decimal import Decimal

import psycopg

import pgwallet

TABLES = """
create table if not exists turnover (
  account_id bigint primary key,
  currency text not null,
  received numeric not null,
  paid numeric not null,
  movements bigint not null
);
create table if not exists feed_position (
  only_row boolean primary key default true check (only_row),
  posting_id bigint not null
);
insert into feed_position (posting_id) values (0) on conflict do nothing;
"""
ADD = """
insert into turnover as t (account_id, currency, received, paid, movements)
values (%s, %s, %s, %s, %s)
on conflict (account_id) do update set
  received = t.received + excluded.received,
  paid = t.paid + excluded.paid,
  movements = t.movements + excluded.movements
"""
MOVE_ON = "update feed_position set posting_id = %s where posting_id = %s"


# --8<-- [start:keep]
def keep(ledger: str, model: str, follow: bool) -> None:
    """Brings the model up to date, and keeps it there."""
    with (
        psycopg.connect(ledger, autocommit=True) as source,
        psycopg.connect(model, autocommit=True) as conn,
    ):
        conn.execute(TABLES)
        ((after,),) = conn.execute("select posting_id from feed_position").fetchall()
        for batch in pgwallet.feed(source, after, follow):
            with conn.transaction():
                add(conn, batch)
                # Only from where this one began: a second one that runs by mistake stops here.
                if conn.execute(MOVE_ON, [batch[-1].posting_id, after]).rowcount != 1:
                    raise SystemExit("another program keeps this model")
            after = batch[-1].posting_id


# --8<-- [end:keep]


def add(conn: psycopg.Connection, batch: list[pgwallet.FeedRow]) -> None:
    """Adds what a batch moved to the totals."""
    received: defaultdict[int, Decimal] = defaultdict(Decimal)
    paid: defaultdict[int, Decimal] = defaultdict(Decimal)
    movements: defaultdict[int, int] = defaultdict(int)
    currencies: dict[int, str] = {}
    for row in batch:
        received[row.destination_account_id] += row.amount
        paid[row.source_account_id] += row.amount
        for account_id in (row.source_account_id, row.destination_account_id):
            movements[account_id] += 1
            currencies[account_id] = row.currency
    with conn.cursor() as cursor:
        cursor.executemany(
            ADD,
            [
                (each, currencies[each], received[each], paid[each], movements[each])
                for each in sorted(movements)
            ],
        )


if __name__ == "__main__":
    keep(sys.argv[1], sys.argv[2], follow="--follow" in sys.argv)
