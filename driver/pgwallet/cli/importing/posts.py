"""The lines of an import that were found good: what they come to, and moving the money."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, LiteralString

import psycopg

from pgwallet._connection import Connection
from pgwallet.errors import refusal

# Elements of one deposit_many or pledge_many: larger chunks are no faster, but need more memory.
CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported of a kind in a currency; `replayed` lines had been before.

    New wallets stand beside the deposits, without which none is opened.
    """

    kind: str
    currency: str
    imported: int
    replayed: int
    amount: Decimal
    amount_replayed: Decimal
    wallets_opened: int


class Refused(Exception):
    """The ledger refused a chunk of lines that had passed the checks."""


def outstanding(conn: Connection) -> list[Imported]:
    """What there is to import, with how many lines were imported before."""
    rows = conn.execute(
        """
        select
          e.kind, e.currency,
          count(*) filter (where not e.replayed), count(*) filter (where e.replayed),
          round(
            coalesce(sum(e.amount) filter (where not e.replayed), 0), max(scale(e.balance))
          ),
          round(coalesce(sum(e.amount) filter (where e.replayed), 0), max(scale(e.balance))),
          case e.kind
            when 'deposit' then (
              select count(*) from pg_temp.import_wallet as w
              where w.currency = e.currency and w.is_new
            )
            else 0
          end
        from pg_temp.import_entry as e
        group by e.kind, e.currency
        order by e.kind, e.currency
        """
    )
    return [Imported(*row) for row in rows]


def post(conn: Connection, advance: Callable[[int], None]) -> list[Imported]:
    """Moves the money of what is outstanding: deposits, pledges by project, then withdrawals.

    So deposits of the file fund the rest, whatever their order. Chunks go from wallet to wallet:
    however many lines a wallet has, most are in one chunk, which changes its balance once, and two
    imports at once lock wallets in one order. Raises Refused.
    """
    overtaken: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    with conn.cursor("import_outstanding") as cursor:
        cursor.itersize = CHUNK
        cursor.execute(
            """
            select e.kind, e.project_id, e.line, e.currency, e.amount
            from pg_temp.import_entry as e
            where not e.replayed
            order by e.kind, e.project_id, e.wallet_id, e.line
            """
        )
        for (kind, project_id), entries in groupby(cursor, key=lambda entry: entry[:2]):
            while chunk := sorted(islice(entries, CHUNK), key=itemgetter(2)):
                replayed = _post_chunk(conn, kind, project_id, chunk)
                # Another import of the same lines was faster by a moment.
                for entry, was_replayed in zip(chunk, replayed, strict=True):
                    if was_replayed:
                        overtaken[kind, entry[3]].append(entry[4])
                advance(len(chunk))
    totals = []
    for total in outstanding(conn):
        amounts = overtaken[total.kind, total.currency]
        totals.append(
            Imported(
                total.kind,
                total.currency,
                total.imported - len(amounts),
                total.replayed + len(amounts),
                total.amount - sum(amounts),
                total.amount_replayed + sum(amounts),
                total.wallets_opened,
            )
        )
    return totals


def _post_chunk(
    conn: Connection, kind: str, project_id: int | None, chunk: list[Any]
) -> list[bool]:
    """Lines of a kind in their order, pledges to one project; returns which were replayed."""
    lines = [line for _, _, line, *_ in chunk]
    try:
        rows = conn.execute(POSTED[kind], {"lines": lines, "project_id": project_id}).fetchall()
    except psycopg.Error as error:
        refused = refusal(error)
        if refused is None:
            raise
        target = "" if project_id is None else f" to project {project_id}"
        where = f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"
        raise Refused(f"{kind}s{target} in {where} were refused: {refused}") from error
    return [replayed for (replayed,) in rows]


def _many(call: LiteralString) -> LiteralString:
    """One call for all of these lines; what they hold never leaves the server."""
    return f"""
    select c.replayed
    from (
      select
        array_agg(e.wallet_id order by e.line) as wallet_ids,
        array_agg(e.amount order by e.line) as amounts,
        array_agg(e.idempotency_key order by e.line) as idempotency_keys,
        array_agg(e.expires_at order by e.line) as expires_at,
        array_agg(e.metadata order by e.line) as metadata,
        array_agg(e.effective_at order by e.line) as effective_at
      from pg_temp.import_entry as e
      where e.line = any(%(lines)s)
    ) as e
    cross join lateral pgwallet.{call} as c
    """


# What posts the lines of each kind.
POSTED = {
    "deposit": _many(
        "deposit_many(e.wallet_ids, e.amounts, e.idempotency_keys, e.metadata, e.effective_at)"
    ),
    "pledge": _many(
        "pledge_many(%(project_id)s, e.wallet_ids, e.amounts, e.idempotency_keys, e.expires_at, "
        "e.metadata, e.effective_at)"
    ),
    # No function takes many.
    "withdrawal": """
    select c.replayed
    from (
      select e.* from pg_temp.import_entry as e where e.line = any(%(lines)s)
      order by e.line offset 0
    ) as e
    cross join lateral pgwallet.withdraw(
      e.wallet_id, e.amount, e.idempotency_key, e.metadata, e.effective_at
    ) as c
    order by e.line
    """,
}
