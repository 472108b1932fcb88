"""The digests of seals in plain Python, from docs/concepts/seals.md alone.

Nothing here is shared with pgwallet: it reads the tables and computes what was to be sealed.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAGE = 1000


def _number(value: int | Decimal | None) -> str:
    return "-" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def _time(value: datetime | None) -> str:
    if value is None:
        return "-"
    micros = (value - EPOCH) // timedelta(microseconds=1)
    sign = "-" if micros < 0 else ""
    return f"{sign}{abs(micros) // 1_000_000}.{abs(micros) % 1_000_000:06}"


def _text(value: str | None) -> str:
    return "-" if value is None else f"{len(value)}:{value}"


def _document(value: str | None) -> str:
    return "-" if value is None else sha256(value.encode()).hexdigest()


def _metadata(row: Row) -> str:
    erased = row["metadata_digest"]
    return _document(row["metadata"]) if erased is None else bytes(erased).hex()


def _transaction(row: Row) -> list[str]:
    return [
        _number(row["transaction_id"]),
        _time(row["created_at"]),
        _number(row["escrow_id"]),
        _number(row["reversed_transaction_id"]),
        _time(row["effective_at"]),
        _number(row["settled_count"]),
        _text(row["kind"]),
        _text(row["idempotency_key"]),
        _text(row["request"]),
        _metadata(row),
    ]


def _posting(row: Row) -> list[str]:
    return [
        _number(row["posting_id"]),
        _number(row["transaction_id"]),
        _number(row["source_account_id"]),
        _number(row["destination_account_id"]),
        _time(row["created_at"]),
        _number(row["amount"]),
        _number(row["source_balance"]),
        _number(row["destination_balance"]),
    ]


def _event(row: Row) -> list[str]:
    return [
        _number(row["event_id"]),
        _number(row["subject_id"]),
        _time(row["created_at"]),
        _text(row["changed_by"]),
        _text(row["kind"]),
        _text(row["reason"]),
        _document(row["before"]),
        _document(row["after"]),
    ]


PARTS: dict[str, Callable[[Row], list[str]]] = {
    "transaction": _transaction,
    "posting": _posting,
    "event": _event,
}
# JSON as the text that the database shows; nothing else is changed on the way.
READ = {
    "transaction": "select t.*, t.metadata::text from pgwallet.transaction as t",
    "posting": "select p.* from pgwallet.posting as p",
    "event": "select e.*, e.before::text, e.after::text from pgwallet.event as e",
}


def _pages(name: str, rows: Iterable[Row]) -> Iterator[str]:
    in_order = sorted(rows, key=lambda row: row[f"{name}_id"])
    for _, page in groupby(in_order, key=lambda row: row[f"{name}_id"] // PAGE):
        text = "".join(" ".join(PARTS[name](row)) + "\n" for row in page)
        yield sha256(text.encode()).hexdigest()


def digests(conn: psycopg.Connection) -> list[str]:
    """What the digest of each seal has to be, by the rows that are there now."""
    with conn.cursor(row_factory=dict_row) as cursor:
        seals = cursor.execute(
            "select seal_id, sealed_at, transaction_id, posting_id, event_id "
            "from pgwallet.seal order by seal_id"
        ).fetchall()
        rows = {name: cursor.execute(sql.encode()).fetchall() for name, sql in READ.items()}
    before: Row = {}
    found: list[str] = []
    for seal in seals:
        first = ["seal", _number(seal["seal_id"]), _time(seal["sealed_at"])]
        first += [_number(seal[f"{name}_id"]) for name in PARTS]
        lines = [" ".join([*first, found[-1] if found else "-"])]
        for name in PARTS:
            key = f"{name}_id"
            after = before.get(key, -1)
            lines += _pages(name, [row for row in rows[name] if after < row[key] <= seal[key]])
        found.append(sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest())
        before = seal
    return found


def wrong_owners(conn: psycopg.Connection) -> list[int]:
    """The wallets that are not those of the owner whom the event of their creation digests."""
    with conn.cursor(row_factory=dict_row) as cursor:
        wallets = cursor.execute(
            "select wallet_id, owner_id, owner_salt from pgwallet.wallet order by wallet_id"
        ).fetchall()
        events = cursor.execute(
            "select subject_id, kind, after from pgwallet.event order by event_id"
        ).fetchall()
    erased = {event["subject_id"] for event in events if event["kind"] == "erase_owner"}
    told = {event["subject_id"]: event for event in reversed(events)}
    return [wallet["wallet_id"] for wallet in wallets if not _is_of_owner(wallet, told, erased)]


def _is_of_owner(wallet: Row, told: dict[int, Row], erased: set[int]) -> bool:
    wallet_id, owner, salt = wallet["wallet_id"], wallet["owner_id"], wallet["owner_salt"]
    if salt is None:
        return wallet_id in erased and owner.startswith("erased-")
    digest = sha256(salt.bytes + owner.encode()).hexdigest()
    first = told[wallet_id]
    return (first["kind"], first["after"].get("owner_digest")) == ("create_wallet", digest)
