"""What a call needs of any connection: types loaded alike, notices logged, refusals translated."""

import logging
import re
import threading
from collections import Counter
from typing import Any, TypeVar

import psycopg
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import JsonbLoader
from psycopg.types.numeric import NumericLoader

from .errors import in_lines, refusal

Connection = psycopg.Connection[Any]
AsyncConnection = psycopg.AsyncConnection[Any]
C = TypeVar("C", psycopg.Cursor[Any], psycopg.AsyncCursor[Any])

logger = logging.getLogger("pgwallet")
_LEVELS = {"WARNING": logging.WARNING, "NOTICE": logging.INFO, "INFO": logging.INFO}

# A connection may load these types its own way: Django reads jsonb as text, others numeric
# as float. Results keep their types on any connection.
_LOADERS = (
    ("numeric", NumericLoader),
    ("timestamptz", TimestamptzLoader),
    ("jsonb", JsonbLoader),
)


def not_a_connection(conn: object) -> TypeError:
    return TypeError(
        "the first argument must be a psycopg.Connection or psycopg.AsyncConnection, "
        f"not {type(conn).__module__}.{type(conn).__qualname__}"
    )


def with_own_loaders(cursor: C) -> C:
    for type_name, loader in _LOADERS:
        cursor.adapters.register_loader(type_name, loader)
    return cursor


# How many calls are under way on a connection: tasks may share one, and take turns on it, but
# each notice is logged once.
_under_way: Counter[Connection | AsyncConnection] = Counter()
_under_way_lock = threading.Lock()


class Translated:
    """Meanwhile the server's notices are logged and the ledger's refusals become exceptions."""

    __slots__ = ("_conn",)

    def __init__(self, conn: Connection | AsyncConnection) -> None:
        self._conn = conn

    def __enter__(self) -> None:
        conn = self._conn
        with _under_way_lock:
            _under_way[conn] += 1
            if _under_way[conn] == 1:
                conn.add_notice_handler(_log)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        conn = self._conn
        with _under_way_lock:
            _under_way[conn] -= 1
            if _under_way[conn] == 0:
                del _under_way[conn]
                conn.remove_notice_handler(_log)
        if isinstance(error, psycopg.Error) and (refused := refusal(error)) is not None:
            raise refused from error


# What PL/Proxy writes before a notice of a shard, and before its detail and its hint.
_OF_A_SHARD = re.compile(r"[\w.]+\(\d+\): \[[^]]*\] REMOTE [A-Z]+: |Remote (?:detail|hint): ")


def _log(notice: psycopg.errors.Diagnostic) -> None:
    level = _LEVELS.get(notice.severity_nonlocalized or "", logging.DEBUG)
    said = (notice.message_primary or "", notice.message_detail, notice.message_hint)
    message, detail, hint = (text and _as_the_shard_said(text) for text in said)
    logger.log(level, "%s", in_lines(message or "", detail, hint))


def _as_the_shard_said(text: str) -> str:
    found = _OF_A_SHARD.match(text)
    return text[found.end() :] if found else text
