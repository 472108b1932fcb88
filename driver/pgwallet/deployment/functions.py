"""Holds the functions of a database against the text of those in this package."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import psycopg

from .describing import Description, Properties
from .drift import Drift

_FUNCTION = re.compile(
    r"^create or replace (?:function|procedure) pgwallet\.(?P<name>\w+)\b"
    r".*?(?=^create or replace |\Z)",
    re.MULTILINE | re.DOTALL,
)
_BODY = re.compile(r"\bas \$(function|procedure)\$(.*?)\$\1\$;", re.DOTALL)
_COMMENT = re.compile(
    r"^comment on (?:function|procedure) [^']*?\sis(?:\s|--[^\n]*\n)+('.*?');$",
    re.MULTILINE | re.DOTALL,
)

_TEXTS = """
select p.oid::regprocedure::text, p.proname::text, p.prosrc, obj_description(p.oid, 'pg_proc')
from pg_proc as p
inner join pg_namespace as n on n.oid = p.pronamespace
where n.nspname = 'pgwallet'
"""


@dataclass(frozen=True, slots=True)
class _Text:
    """What a file says of its function; no body where that is standard SQL."""

    body: str | None
    comment: str | None


def compare_functions(
    conn: psycopg.Connection, script: str, expected: Description, described: Description
) -> Iterator[Drift]:
    """`script` is the text of all files, from the first `create or replace` on."""
    wanted = texts_in(script)
    known = {properties["short_name"]: name for name, properties in expected["function"].items()}
    there = described["function"]
    texts = {name: (short, _Text(*rest)) for name, short, *rest in conn.execute(_TEXTS)}
    of_package = set()
    for short in wanted:
        # One that was written since `make schema` goes by its name alone.
        name = known.get(short) or next((n for n in there if texts[n][0] == short), short)
        of_package.add(name)
        if name not in there:
            yield Drift("function", _shown(name), "missing")
            continue
        parts = [
            *_other_properties(expected["function"].get(name, there[name]), there[name]),
            *_other_texts(wanted[short], texts[name][1]),
        ]
        if parts:
            yield Drift("function", name, "edited", f"another {', '.join(parts)}")
    for name in there:
        if name not in of_package:
            yield Drift("function", name, "unknown")


@cache
def texts_in(script: str) -> Mapping[str, _Text]:
    """What each function's file says of it, by its name."""
    found = {}
    for piece in _FUNCTION.finditer(script):
        body, comment = _BODY.search(piece[0]), _COMMENT.search(piece[0])
        found[piece["name"]] = _Text(body and body[2], comment and _unquoted(comment[1]))
    return found


def _unquoted(literals: str) -> str:
    """SQL takes literals on lines of their own for one."""
    return re.sub(r"'\s*\n\s*'", "", literals)[1:-1].replace("''", "'")


def _other_properties(wanted: Properties, there: Properties) -> list[str]:
    return [
        name.replace("_", " ")
        for name in sorted({*wanted, *there})
        if wanted.get(name) != there.get(name)
    ]


def _other_texts(wanted: _Text, there: _Text) -> list[str]:
    parts = []
    if wanted.body is not None and wanted.body != there.body:
        parts.append("text")
    if wanted.comment != there.comment:
        parts.append("comment")
    return parts


def _shown(name: str) -> str:
    return name if "(" in name else f"pgwallet.{name}"
