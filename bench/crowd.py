"""Wallets, pockets and projects whose ids clients compute: no contender looks them up."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import LiteralString

import psycopg

import pgwallet

POCKETS = 5
WIDE_POCKETS = 100
PROJECTS = 100
BATCHES = 2
BALANCE = 1_000_000_000

# Owners whose wallets are in one slot: the ids of their wallets follow each other without gaps. Not
# in slot 0, as one in a thousand is: there a pledge draws its id under a lock.
OWNERS = """
  select w.wallet_id
  from (
    select o.n, o.owner_id
    from generate_series(1, 50000 + 1100 * %(wallets)s) as g (n)
    cross join lateral (select g.n, %(name)s || ' ' || g.n as owner_id) as o
    cross join lateral (select sha256(convert_to(o.owner_id, 'UTF8')) as digest) as d
    where (get_byte(d.digest, 0) * 256 + get_byte(d.digest, 1)) %% 1024 = 1
    order by o.n
    limit %(wallets)s
  ) as o
  cross join lateral pgwallet.create_wallet(o.owner_id) as w
"""


@dataclass(frozen=True)
class Ids:
    """Ids that follow each other at one distance."""

    first: int
    step: int
    count: int

    @classmethod
    def of(cls, ids: Sequence[int]) -> "Ids":
        steps = {b - a for a, b in pairwise(ids)}
        if len(steps) != 1:
            raise RuntimeError("the ids do not follow each other: is somebody else on this server?")
        return cls(ids[0], steps.pop(), len(ids))

    def __getitem__(self, place: int) -> int:
        return self.first + place * self.step


@dataclass(frozen=True)
class Crowd:
    wallets: Ids  # each with POCKETS pockets
    pockets: Ids
    wide_wallets: Ids  # each with WIDE_POCKETS pockets
    wide_pockets: Ids
    projects: Ids
    escrow_accounts: Ids
    external_account_id: int


def made(conn: psycopg.Connection, wallets: int, wide_wallets: int, batch: int) -> Crowd:
    """Makes so many of both kinds of wallets in a new ledger, their pockets, and the projects; also
    `batch`, a table with the arrays of BATCHES bulk calls for so many wallets each.
    """
    backers = _ids(conn, OWNERS, name="backer", wallets=wallets)
    savers = _ids(conn, OWNERS, name="saver", wallets=wide_wallets)
    pockets = _pockets(conn, backers, POCKETS)
    wide_pockets = _pockets(conn, savers, WIDE_POCKETS)
    projects = _ids(
        conn,
        "select p.project_id from generate_series(1, %(projects)s) as g (n) "
        "cross join lateral pgwallet.create_project('project ' || g.n) as p",
        projects=PROJECTS,
    )
    conn.execute(
        "create table batch as select b.n, b.wallet_ids, array_fill(10.00, array[%s]) as amounts "
        "from (select w.n %% %s as n, array_agg(w.wallet_id) as wallet_ids from ("
        "select g.n, c.wallet_id from generate_series(1, %s) as g (n) "
        "cross join lateral pgwallet.create_wallet('one of many ' || g.n) as c"
        ") as w group by 1) as b",
        [batch, BATCHES, batch * BATCHES],
    )
    funded = backers + savers
    pgwallet.deposit_many(conn, funded, [BALANCE] * len(funded))
    conn.execute("vacuum analyze")
    return Crowd(
        wallets=Ids.of(backers),
        pockets=Ids.of(pockets),
        wide_wallets=Ids.of(savers),
        wide_pockets=Ids.of(wide_pockets),
        projects=Ids.of(projects),
        escrow_accounts=Ids.of(
            _ids(
                conn, "select p.escrow_account_id from pgwallet.project as p order by p.project_id"
            )
        ),
        external_account_id=one(
            conn,
            "select c.external_account_id from pgwallet.currency as c where c.currency = 'EUR'",
        ),
    )


def _pockets(conn: psycopg.Connection, wallets: Sequence[int], pockets: int) -> list[int]:
    return _ids(
        conn,
        "select k.pocket_id from ("
        "select w.wallet_id, g.n from unnest(%(wallets)s) with ordinality as w (wallet_id, n) "
        "cross join generate_series(1, %(pockets)s) as g (n) order by w.n, g.n offset 0"
        ") as e cross join lateral "
        "pgwallet.create_pocket(e.wallet_id, 'pocket ' || e.n, %(percentage)s) as k",
        wallets=list(wallets),
        pockets=pockets,
        percentage=Decimal(100) / pockets,
    )


def _ids(conn: psycopg.Connection, query: LiteralString, **values: object) -> list[int]:
    return [row[0] for row in conn.execute(query, values)]


def one(conn: psycopg.Connection, query: LiteralString, **values: object) -> int:
    """The one number that a query gives."""
    return _ids(conn, query, **values)[0]
