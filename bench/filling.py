"""Fills a ledger with as many postings as a measurement needs, in seconds a million.

The rows are those that the functions would have written, but a whole round of all wallets at a
time: wallets deposit 10, pledge 5, deposit 10, pledge 5 and get the last pledge back.
"""

from collections.abc import Callable
from itertools import cycle

import psycopg

POSTINGS_A_WALLET = 50
PROJECTS = 1000
ROUNDS = ("deposit", "pledge", "deposit", "pledge to refund", "refund")
CHANGES = {"deposit": 10, "pledge": -5, "pledge to refund": -5, "refund": 5}

DEPOSIT = """
  with t as materialized (
    select nextval('pgwallet.transaction_id_seq') as transaction_id, b.wallet_id
    from backer as b
    order by b.n
  ),

  recorded as (
    insert into pgwallet.transaction (transaction_id, kind)
    select t.transaction_id, 'deposit' from t
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select t.transaction_id, c.external_account_id, t.wallet_id, 10.00, %(balance)s::numeric(15, 2)
  from t
  inner join pgwallet.currency as c on c.currency = 'EUR'
"""

PLEDGE = """
  with t as materialized (
    select
      nextval('pgwallet.transaction_id_seq') as transaction_id,
      nextval('pgwallet.id_seq') * 1024 + mod(b.wallet_id, 1024) as escrow_id,
      b.wallet_id, c.project_id, c.escrow_account_id
    from backer as b
    inner join campaign as c on c.n = mod(b.n + %(round)s, %(projects)s)
    order by b.n
  ),

  recorded as (
    insert into pgwallet.transaction (transaction_id, kind, escrow_id)
    select t.transaction_id, 'pledge', t.escrow_id from t
  ),

  locked as (
    insert into pgwallet.escrow (
      escrow_id, project_id, wallet_id, amount, refunded_amount, status
    )
    select
      t.escrow_id, t.project_id, t.wallet_id, 5.00,
      case when %(refunded)s then 5.00 else 0 end,
      (case when %(refunded)s then 'refunded' else 'locked' end)::pgwallet.escrow_status
    from t
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, source_balance
  )
  select t.transaction_id, t.wallet_id, t.escrow_account_id, 5.00, %(balance)s::numeric(15, 2)
  from t
"""

# Of the round before this one, which pledged to the same projects.
REFUND = """
  with t as materialized (
    select
      nextval('pgwallet.transaction_id_seq') as transaction_id, b.wallet_id, c.escrow_account_id
    from backer as b
    inner join campaign as c on c.n = mod(b.n + %(round)s - 1, %(projects)s)
    order by b.n
  ),

  recorded as (
    insert into pgwallet.transaction (transaction_id, kind)
    select t.transaction_id, 'refund' from t
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select t.transaction_id, t.escrow_account_id, t.wallet_id, 5.00, %(balance)s::numeric(15, 2)
  from t
"""

STATEMENTS = {"deposit": DEPOSIT, "pledge": PLEDGE, "pledge to refund": PLEDGE, "refund": REFUND}


def fill(conn: psycopg.Connection, postings: int, told: Callable[[int], object]) -> None:
    """Adds at least this many postings to an empty ledger; `told` hears how many there are so far.

    The connection is on autocommit and the ledger's owner's. It keeps two temporary tables:
    `backer` (n, wallet_id) and `campaign` (n, project_id, escrow_account_id).
    """
    wallets = max(1, postings // POSTINGS_A_WALLET)
    conn.execute(
        "create temp table backer as select g.n, w.wallet_id from generate_series(1, %s) as g (n) "
        "cross join lateral pgwallet.create_wallet('backer ' || g.n) as w",
        [wallets],
    )
    conn.execute(
        "create temp table opened as select g.n, p.project_id from generate_series(0, %s) as g (n) "
        "cross join lateral pgwallet.create_project('campaign ' || g.n) as p",
        [PROJECTS - 1],
    )
    conn.execute(
        "create temp table campaign as select o.n, o.project_id, p.escrow_account_id "
        "from opened as o inner join pgwallet.project as p on p.project_id = o.project_id"
    )
    conn.execute("analyze backer, campaign")
    balance = done = 0
    for number, kind in enumerate(cycle(ROUNDS)):
        balance += CHANGES[kind]
        values = {
            "balance": balance,
            "round": number,
            "projects": PROJECTS,
            "refunded": kind == "pledge to refund",
        }
        conn.execute(STATEMENTS[kind], values)
        done += wallets
        told(done)
        if done >= postings and kind != "pledge to refund":
            break
    conn.execute(
        "update pgwallet.account as a set balance = %s::numeric(15, 2) where a.kind = 'wallet'",
        [balance],
    )
    conn.execute("vacuum analyze")
