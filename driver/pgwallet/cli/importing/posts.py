"""The lines of an import that were found good: what they come to, and moving the money."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, islice
from typing import Any, LiteralString

import psycopg

import pgwallet
from pgwallet import PgWalletError
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

    So deposits of the file fund the rest, whatever their order. Raises Refused.
    """
    overtaken: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    with conn.cursor("import_outstanding") as cursor:
        cursor.itersize = CHUNK
        cursor.execute(
            """
            select
              e.kind, e.project_id,
              e.kind <> 'withdrawal' and num_nonnulls(e.effective_at, e.expires_at, e.metadata) = 0
                as is_plain,
              e.line, e.wallet_id, e.amount, e.idempotency_key, e.currency
            from pg_temp.import_entry as e
            where not e.replayed
            order by e.kind, e.project_id, is_plain, e.line
            """
        )
        for (kind, project_id, is_plain), entries in groupby(cursor, key=lambda entry: entry[:3]):
            while chunk := list(islice(entries, CHUNK)):
                replayed = _post_chunk(conn, kind, project_id, is_plain, chunk)
                # Another import of the same lines was faster by a moment.
                for entry, was_replayed in zip(chunk, replayed, strict=True):
                    if was_replayed:
                        overtaken[kind, entry[-1]].append(entry[5])
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
    conn: Connection, kind: str, project_id: int | None, is_plain: bool, chunk: list[Any]
) -> list[bool]:
    """Lines of a kind, pledges to one project; returns for each whether it was replayed."""
    _, _, _, lines, wallet_ids, amounts, keys, _ = zip(*chunk, strict=True)
    rows: list[Any]
    try:
        if not is_plain:
            return [replayed for (replayed,) in conn.execute(_ONE_BY_ONE[kind], [list(lines)])]
        if project_id is None:
            rows = pgwallet.deposit_many(conn, wallet_ids, amounts, keys)
        else:
            rows = pgwallet.pledge_many(conn, project_id, wallet_ids, amounts, keys)
    except (psycopg.Error, PgWalletError) as error:
        refused = refusal(error) if isinstance(error, psycopg.Error) else error
        if refused is None:
            raise
        target = "" if project_id is None else f" to project {project_id}"
        where = f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"
        raise Refused(f"{kind}s{target} in {where} were refused: {refused}") from error
    return [row.replayed for row in rows]


def _one_by_one(call: LiteralString) -> LiteralString:
    """Calls in the order of lines, within the server, for what the bulk functions do not take."""
    return f"""
    select c.replayed
    from (
      select e.* from pg_temp.import_entry as e where e.line = any(%s) order by e.line offset 0
    ) as e
    cross join lateral pgwallet.{call} as c
    order by e.line
    """


_ONE_BY_ONE = {
    "deposit": _one_by_one(
        "deposit(e.wallet_id, e.amount, e.idempotency_key, e.metadata, e.effective_at)"
    ),
    "pledge": _one_by_one(
        "pledge(e.wallet_id, e.project_id, e.amount, e.expires_at, e.idempotency_key, "
        "e.metadata, e.effective_at)"
    ),
    "withdrawal": _one_by_one(
        "withdraw(e.wallet_id, e.amount, e.idempotency_key, e.metadata, e.effective_at)"
    ),
}
