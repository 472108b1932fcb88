"""Holds functions of a cluster against the text that this version writes for them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg

from pgwallet.deployment import Drift

MIGRATE = "pgwallet cluster migrate"

_PIECE = re.compile(
    r"^create or replace (?:function|procedure) (?P<name>\w+\.\w+)\b"
    r".*?(?=^create or replace |\Z)",
    re.MULTILINE | re.DOTALL,
)
_BODY = re.compile(r"^as \$(function|procedure)\$(.*?)\$\1\$;", re.MULTILINE | re.DOTALL)

_FUNCTIONS = """
select
  format('%%s.%%s', n.nspname, p.proname), p.oid::regprocedure::text, p.prosrc, l.lanname::text,
  p.prosecdef, case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else '' end,
  coalesce(p.proconfig, '{}')
from pg_proc as p
inner join pg_namespace as n on n.oid = p.pronamespace
inner join pg_language as l on l.oid = p.prolang
where n.nspname = any (%s) and not exists (
  select from pg_depend as d
  where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
)
order by 2
"""

_PINNED = "search_path=pg_catalog, pg_temp"


@dataclass(frozen=True, slots=True)
class _Written:
    """A function without its arguments, which its callers would miss at once.

    Without a body in standard SQL either: the catalog has what was read when it was made.
    """

    body: str | None
    language: str
    is_definer: bool
    volatility: str
    is_pinned: bool


def compare(conn: psycopg.Connection, script: str, schemas: Iterable[str]) -> Iterator[Drift]:
    """What somebody has changed by hand, or another version has written."""
    wanted = dict(_written_by(script))
    found = set()
    for name, signature, body, language, is_definer, volatility, settings in conn.execute(
        _FUNCTIONS, [list(schemas)]
    ):
        found.add(name)
        if name not in wanted:
            yield Drift("function", signature, "unknown", remedy=MIGRATE)
            continue
        there = _Written(
            body if wanted[name].body is not None else None,
            language,
            is_definer,
            volatility,
            _PINNED in settings,
        )
        if wanted[name] != there or set(settings) - {_PINNED}:
            yield Drift("function", signature, "edited", "not as this version has it", MIGRATE)
    for name in wanted:
        if name not in found:
            yield Drift("function", name, "missing", remedy=MIGRATE)


def _written_by(script: str) -> Iterator[tuple[str, _Written]]:
    for piece in _PIECE.finditer(script):
        body = _BODY.search(piece[0])
        head = (piece[0][: body.start()] if body else piece[0].partition("\nbegin")[0]).split()
        yield (
            piece["name"],
            _Written(
                body[2] if body else None,
                head[head.index("language") + 1],
                "definer" in head,
                next((word for word in ("immutable", "stable") if word in head), ""),
                "search_path" in head,
            ),
        )
