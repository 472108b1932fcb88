"""Gives all shards what they have in common, when one of them was a ledger before."""

import logging
from collections.abc import Iterable
from contextlib import ExitStack

import psycopg
from psycopg import sql

from pgwallet.deployment import DeploymentError
from pgwallet.deployment.connecting import connect

from .file import ClusterFile
from .members import kind_of, member, reached

logger = logging.getLogger("pgwallet")

_AT_ONCE = 1000

_CURRENCIES = """
select
  c.currency, c.exponent::integer, c.name,
  array[c.external_account_id, c.commission_account_id, c.fee_account_id], c.max_pledge
from pgwallet.currency as c
order by c.currency
"""

# Rows as text from database to database: a number of JSON would be rounded on its way through here.
_PROJECTS = """
select jsonb_agg(to_jsonb(p) order by p.project_id)::text, max(p.project_id), count(*)
from (
  select p.* from pgwallet.project as p
  where p.project_id > %s and p.project_id < 1::bigint << 45
  order by p.project_id limit %s
) as p
"""

_GIVE_SETTINGS = """
select from pgwallet_remote.change_settings(%s, %s::jsonb, p_caller => null) as r
where r.error is null or pgwallet_router._raise(r.error)
"""
_GIVE_CURRENCY = """
select from pgwallet_remote.take_over_currency(%s, %s, %s, %s, %s, %s) as r
where r.error is null or pgwallet_router._raise(r.error)
"""

_Currency = tuple[str, int, str, list[int], object]


def check_currencies(cluster: ClusterFile) -> None:
    """Refuses a ledger whose currencies cannot be those of the other shards, which are made.

    Of another build its accounts may have other ids.
    """
    for shard in cluster.shards[1:]:
        with connect(cluster.shards[0].conninfo) as conn, connect(shard.conninfo) as other:
            if not kind_of(conn).is_ledger:
                continue
            known = {row[0]: row[1:4] for row in _currencies(other)}
            for currency, *terms, _ in _currencies(conn):
                if currency in known and list(known[currency]) != terms:
                    raise DeploymentError(
                        f"currency {currency} has other accounts, decimals or another name there "
                        f"than on shard {shard.number}; empty databases get theirs from this "
                        "version: adopt with the version that made the ledger, then migrate"
                    )


def _currencies(conn: psycopg.Connection) -> list[_Currency]:
    return conn.execute(_CURRENCIES).fetchall()


def give_what_all_have(cluster: ClusterFile) -> None:
    """Settings, currencies and projects of shard 0; again, only what has come since."""
    with ExitStack() as stack:
        first = stack.enter_context(reached("shard 0", cluster.shards[0].conninfo))
        _give_terms(cluster, first)
        others = [
            stack.enter_context(reached(f"shard {shard.number}", shard.conninfo))
            for shard in cluster.shards[1:]
        ]
        last, count = 0, 0
        while True:
            page = first.execute(_PROJECTS, [last, _AT_ONCE]).fetchone()
            if page is None or page[0] is None:
                break
            give_projects(others, page[0])
            last, count = page[1], count + page[2]
        logger.info("all shards have the settings, currencies and %s projects of shard 0", count)


def _give_terms(cluster: ClusterFile, first: psycopg.Connection) -> None:
    """By a router: a shard lets nobody else change alone what all have alike."""
    settings = first.execute("select to_jsonb(s)::text from pgwallet.settings as s").fetchall()
    with member("router 0", cluster.routers[0]) as router, router.transaction():
        # Whom routers have a user name on shards for.
        router.execute(sql.SQL("set local role {}").format(sql.Identifier(cluster.owner)))
        for shard in cluster.shards[1:]:
            for row in settings:
                router.execute(_GIVE_SETTINGS, [shard.number, *row])
            for currency in _currencies(first):
                router.execute(_GIVE_CURRENCY, [shard.number, *currency])


def give_projects(others: Iterable[psycopg.Connection], projects: str) -> None:
    """Makes projects, an array of rows of a shard that has them, where they are not."""
    for other in others:
        other.execute("select pgwallet_shard.take_over_projects(%s::jsonb)", [projects])
