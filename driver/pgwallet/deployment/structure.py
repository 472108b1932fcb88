"""Holds what keeps state, and the views, against a new installation of this version."""

import re
from collections.abc import Iterator
from typing import Any

from .describing import Description, Properties
from .drift import Drift

# What is told of a part says nothing new where the whole is missing or unknown.
_PARTS = ("column", "constraint", "trigger", "rule", "policy")
_LONGEST = 60
_PART = re.compile(r'"(?:[^"]|"")*"|[^".]+')

BACKUP = "its content is gone: restore it from a backup"
_LIKE_SCHEMA = "make it again as in db/schema.sql"


def parts_of(name: str) -> tuple[str, str]:
    """Those of `table.column`, each of which may be quoted."""
    parts = _PART.findall(name)
    return parts[0], ".".join(parts[1:])


def compare_structure(expected: Description, described: Description) -> Iterator[Drift]:
    for kind in expected:
        if kind == "function":
            continue
        wanted, there = expected[kind], described[kind]
        for name in sorted({*wanted, *there}):
            if _is_of_another(kind, name, expected, described):
                continue
            if name not in there:
                yield Drift(kind, name, "missing", "", _to_make(kind, name, wanted[name]))
            elif name not in wanted:
                if not _is_operators_own(kind, there[name]):
                    yield Drift(kind, name, "unknown", "", _to_drop(kind, name, there[name]))
            elif wanted[name] != there[name]:
                yield Drift(
                    kind,
                    name,
                    "edited",
                    _in_words(wanted[name], there[name]),
                    _to_mend(kind, name, wanted[name], there[name]),
                )


def _is_of_another(kind: str, name: str, expected: Description, described: Description) -> bool:
    """Whether it came or went with something that is told of."""
    if kind == "index":
        properties = described[kind].get(name) or expected[kind][name]
        alone = name not in described[kind] or name not in expected[kind]
        whole = properties["of_table"]
        if alone and properties.get("of_constraint"):
            return True
    elif kind in _PARTS:
        whole, _ = parts_of(name)
    else:
        return False
    return (whole in _wholes(expected)) != (whole in _wholes(described))


def _wholes(description: Description) -> set[str]:
    return {*description["table"], *description["view"], *description["type"]}


def _is_operators_own(kind: str, properties: Properties) -> bool:
    """An index only helps to find rows, unless it refuses some."""
    return kind == "index" and not properties.get("refuses")


def _in_words(wanted: Properties, there: Properties) -> str:
    return ", ".join(
        _difference(name, wanted.get(name), there.get(name))
        for name in sorted({*wanted, *there})
        if wanted.get(name) != there.get(name)
    )


def _difference(name: str, wanted: Any, there: Any) -> str:
    label = name.replace("_", " ")
    match wanted, there:
        case True, None:
            return f"not {label}"
        case None, True:
            return label
    if max(len(str(wanted)), len(str(there))) > _LONGEST:
        return f"another {label}"
    return f"{label} is {_shown(there)}, not {_shown(wanted)}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value)


def _to_drop(kind: str, name: str, there: Properties) -> str:
    table, own = parts_of(name)
    match kind:
        case "table":
            return f"drop {there['kind']} pgwallet.{name};"
        case "rule" if own == '"_RETURN"':
            return f"alter table pgwallet.{table} enable rule {own};"
        case "rule" | "policy" | "trigger":
            return f"drop {kind} {own} on pgwallet.{table};"
        case "constraint" if there.get("of_domain"):
            return f"alter domain pgwallet.{table} drop constraint {own};"
        case "constraint" | "column":
            return f"alter table pgwallet.{table} drop {kind} {own};"
        case "type" if there["kind"] == "domain":
            return f"drop domain pgwallet.{name};"
    return f"drop {kind} pgwallet.{name};"


def _to_make(kind: str, name: str, wanted: Properties) -> str:
    table, own = parts_of(name)
    match kind:
        case "constraint":
            of_what = "domain" if wanted.get("of_domain") else "table"
            return f"alter {of_what} pgwallet.{table} add constraint {own} {wanted['definition']};"
        case "index":
            return f"{wanted['definition']};"
        case "trigger":
            return f"{wanted['definition']}; {_to_fire(name, wanted)}"
        case "view":
            return f"create or replace view pgwallet.{name} as\n{wanted['definition']}"
        case "table" | "column":
            return BACKUP
    return _LIKE_SCHEMA


def _to_mend(kind: str, name: str, wanted: Properties, there: Properties) -> str:
    table, own = parts_of(name)
    other = {each for each in {*wanted, *there} if wanted.get(each) != there.get(each)}
    match kind:
        case "trigger" if other == {"fires"}:
            return _to_fire(name, wanted)
        case "trigger":
            return f"{_to_drop(kind, name, there)} {_to_make(kind, name, wanted)}"
        case "index" if other == {"valid"}:
            return f"reindex index pgwallet.{name};"
        case "index" if not there.get("of_constraint"):
            return f"{_to_drop(kind, name, there)} {_to_make(kind, name, wanted)}"
        case "constraint" if other == {"valid"}:
            of_what = "domain" if wanted.get("of_domain") else "table"
            return f"alter {of_what} pgwallet.{table} validate constraint {own};"
        case "constraint":
            return f"{_to_drop(kind, name, there)} {_to_make(kind, name, wanted)}"
        case "sequence":
            return _to_set(name, wanted, other)
        case "view" if other == {"options"}:
            names = ", ".join(option.partition("=")[0] for option in there["options"])
            return f"alter view pgwallet.{name} reset ({names});"
        case "view":
            return _to_make(kind, name, wanted)
        case "table":
            return " ".join(_to_restore(name, other, there)) or _LIKE_SCHEMA
        case "column":
            return " ".join(_to_restore_column(table, own, other, wanted)) or _LIKE_SCHEMA
    return _LIKE_SCHEMA


def _to_fire(name: str, wanted: Properties) -> str:
    table, own = parts_of(name)
    how = "enable always" if wanted["fires"] == "always" else "enable"
    return f"alter table pgwallet.{table} {how} trigger {own};"


def _to_set(name: str, wanted: Properties, other: set[str]) -> str:
    if other == {"persistence"}:
        return f"alter sequence pgwallet.{name} set logged;"
    return (
        f"alter sequence pgwallet.{name} as {wanted['type']} start {wanted['start']} "
        f"increment {wanted['increment']} minvalue {wanted['minimum']} "
        f"maxvalue {wanted['maximum']} cache {wanted['cache']} no cycle;"
    )


def _to_restore(name: str, other: set[str], there: Properties) -> Iterator[str]:
    if "persistence" in other:
        yield f"alter table pgwallet.{name} set logged;"
    if "row_security" in other:
        yield (
            f"alter table pgwallet.{name} disable row level security, no force row level security;"
        )
    if "children" in other:
        for child in there["children"]:
            yield f"alter table {child} no inherit pgwallet.{name};"


def _to_restore_column(table: str, own: str, other: set[str], wanted: Properties) -> Iterator[str]:
    column = f"alter table pgwallet.{table} alter column {own}"
    if "default" in other:
        default = wanted.get("default")
        yield f"{column} set default {default};" if default else f"{column} drop default;"
    if "not_null" in other:
        yield f"{column} {'set' if wanted.get('not_null') else 'drop'} not null;"
