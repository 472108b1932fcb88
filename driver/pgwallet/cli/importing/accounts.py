"""The wallets and projects that the lines of an import name, looked up once each.

Whatever the planner believes of the ledger's tables, each is found through an index: that is what
`lateral` with `offset 0` is for. After many rows came or went it can be very wrong.
"""

import psycopg

from pgwallet import CurrencyMismatch
from pgwallet._connection import Connection
from pgwallet.errors import refusal


def find_accounts(conn: Connection, create_wallets: bool) -> None:
    """Fills import_wallet and import_project, and gives the staged lines the ids they lack."""
    conn.execute(
        """
        create temporary table import_wallet (
          wallet_id bigint, owner_id text, currency text, balance numeric,
          is_new boolean not null default false
        ) on commit drop
        """
    )
    conn.execute(
        """
        create temporary table import_project (
          project_id bigint, reference text, currency text, status text, max_pledge numeric
        ) on commit drop
        """
    )
    _find_wallets(conn)
    if create_wallets:
        _create_wallets(conn)
    _find_projects(conn)
    conn.execute("analyze pg_temp.import_wallet")
    conn.execute("analyze pg_temp.import_project")
    conn.execute(
        """
        update pg_temp.import_line as l
        set wallet_id = w.wallet_id
        from pg_temp.import_wallet as w
        where w.owner_id = l.owner_id and w.currency = l.currency
        """
    )
    conn.execute(
        """
        update pg_temp.import_line as l
        set project_id = p.project_id
        from pg_temp.import_project as p
        where p.reference = l.reference
        """
    )


def _find_wallets(conn: Connection) -> None:
    conn.execute(
        """
        insert into pg_temp.import_wallet (wallet_id, owner_id, currency, balance)
        select f.*
        from (
          select distinct l.wallet_id
          from pg_temp.import_line as l
          where l.problem is null and l.wallet_id is not null
        ) as n
        cross join lateral (
          select w.wallet_id, w.owner_id, w.currency, w.balance
          from pgwallet.wallet_summary as w
          where w.wallet_id = n.wallet_id
          offset 0
        ) as f
        """
    )
    conn.execute(
        """
        insert into pg_temp.import_wallet (wallet_id, owner_id, currency, balance)
        select f.*
        from (
          select distinct l.owner_id, l.currency
          from pg_temp.import_line as l
          where l.problem is null and l.owner_id is not null
        ) as n
        cross join lateral (
          select w.wallet_id, w.owner_id, w.currency, w.balance
          from pgwallet.wallet_summary as w
          where w.owner_id = n.owner_id and w.currency = n.currency
          offset 0
        ) as f
        """
    )


def _find_projects(conn: Connection) -> None:
    conn.execute(
        """
        insert into pg_temp.import_project (project_id, reference, currency, status, max_pledge)
        select f.*
        from (
          select distinct l.project_id
          from pg_temp.import_line as l
          where l.problem is null and l.project_id is not null
        ) as n
        cross join lateral (
          select p.project_id, p.reference, p.currency, p.status, p.max_pledge
          from pgwallet.project_summary as p
          where p.project_id = n.project_id
          offset 0
        ) as f
        """
    )
    conn.execute(
        """
        insert into pg_temp.import_project (project_id, reference, currency, status, max_pledge)
        select f.*
        from (
          select distinct l.reference
          from pg_temp.import_line as l
          where l.problem is null and l.reference is not null
        ) as n
        cross join lateral (
          select p.project_id, p.reference, p.currency, p.status, p.max_pledge
          from pgwallet.project_summary as p
          where p.reference = n.reference
          offset 0
        ) as f
        """
    )


def _create_wallets(conn: Connection) -> None:
    """Opens the wallets that are missing, currency by currency: only the ledger knows them all."""
    conn.execute("analyze pg_temp.import_wallet")
    conn.execute(
        """
        create temporary table import_owner on commit drop as
        select distinct l.owner_id, l.currency
        from pg_temp.import_line as l
        where l.problem is null and l.owner_id is not null
          and not exists (
            select
            from pg_temp.import_wallet as w
            where w.owner_id = l.owner_id and w.currency = l.currency
          )
        """
    )
    currencies = conn.execute(
        "select distinct o.currency from pg_temp.import_owner as o order by o.currency"
    ).fetchall()
    for (currency,) in currencies:
        try:
            with conn.transaction():
                # In one order, so that two imports do not wait for each other.
                conn.execute(
                    """
                    insert into pg_temp.import_wallet
                    select w.wallet_id, w.owner_id, w.currency, w.balance, true
                    from (
                      select o.owner_id
                      from pg_temp.import_owner as o
                      where o.currency = %(currency)s
                      order by o.owner_id
                      offset 0
                    ) as n
                    cross join lateral pgwallet.create_wallet(n.owner_id, %(currency)s) as w
                    """,
                    {"currency": currency},
                )
        except psycopg.Error as error:
            if not isinstance(refusal(error), CurrencyMismatch):
                raise
            conn.execute(
                """
                update pg_temp.import_line as l
                set problem = format('currency %%s is unknown', l.currency)
                where l.problem is null and l.owner_id is not null and l.currency = %(currency)s
                """,
                {"currency": currency},
            )
