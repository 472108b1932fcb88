"""What the last release promised is still there: the rules are in docs/how-to/upgrading.md.

With PGWALLET_RECORD_RELEASE=1 the record is written instead, when a release is made.
"""

import inspect
import os
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import typer
from typer.core import TyperGroup

import pgwallet
from pgwallet.cli.app import app
from pgwallet.deployment import migrations_directory
from pgwallet.errors import BY_SQLSTATE

RECORD = Path(__file__).parent / "released.txt"
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"

FUNCTIONS = r"""
  select format(
    'function %s(%s) returns %s',
    p.proname, pg_get_function_arguments(p.oid), coalesce(pg_get_function_result(p.oid), 'nothing')
  )
  from pg_proc as p
  where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%'
  order by p.proname
"""
VIEWS = """
  select format(
    'view %s: %s', c.relname,
    string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
      order by a.attnum)
  )
  from pg_class as c
  join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'v'
    and c.relname <> 'installed_routine'
  group by c.relname
  order by c.relname
"""


# What a promise of a kind may have got at its end: columns, fields, arguments that may be left out.
MORE = {"view": "(, .+)?", "row": "(, .+)?", "driver": r"(, (\*|\w+=))*"}


def driver() -> Iterator[str]:
    """The names that Python programs use: of functions the arguments, of rows the fields."""
    for name in sorted(pgwallet.__all__):
        thing = getattr(pgwallet, name)
        if is_dataclass(thing):
            yield f"row {name}: {', '.join(field.name for field in fields(thing))}"
        elif not callable(thing) or (isinstance(thing, type) and issubclass(thing, Exception)):
            yield f"name {name}"
        else:
            yield f"driver {name}: {', '.join(arguments(thing))}"


def arguments(function: Any) -> Iterator[str]:
    """What takes a default ends with =, and what stands behind a * is said by its name."""
    named_only = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not named_only:
            named_only = True
            yield "*"
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        yield f"{stars}{parameter.name}{'' if parameter.default is parameter.empty else '='}"


def commands(path: str, command: Any) -> Iterator[str]:
    """A line for each command with its arguments, and one for each of its options."""
    if isinstance(command, TyperGroup):
        for name, below in sorted(command.commands.items()):
            yield from commands(f"{path} {name}", below)
        return
    places = [p for p in command.params if p.param_type_name == "argument"]
    yield " ".join([f"command {path}", *(str(place.metavar or place.name) for place in places)])
    for option in command.params:
        if option not in places:
            yield from (f"option {path} {name}" for name in [*option.opts, *option.secondary_opts])


def promised(conn: psycopg.Connection) -> list[str]:
    """A line for each thing that users rely on by its name."""
    functions = [line for (line,) in conn.execute(FUNCTIONS.encode())]
    views = [line for (line,) in conn.execute(VIEWS.encode())]
    codes = [f"code {code}: {error.__name__}" for code, error in BY_SQLSTATE.items()]
    migrations = [
        f"migration {path.stem}: {sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(migrations_directory().glob("*.sql"))
    ]
    command = commands("pgwallet", typer.main.get_command(app))
    return [*functions, *views, *codes, *driver(), *command, *migrations]


def kept(line: str, now: list[str]) -> bool:
    """Whether a promise still holds; some may have got more at their ends."""
    promise = re.compile(re.escape(line) + MORE.get(line.split()[0], ""))
    return any(promise.fullmatch(other) for other in now)


def test_what_was_released_is_still_there(conn: psycopg.Connection) -> None:
    now = promised(conn)
    if os.environ.get("PGWALLET_RECORD_RELEASE") == "1":
        RECORD.write_text("".join(f"{line}\n" for line in now))
    assert [line for line in RECORD.read_text().splitlines() if not kept(line, now)] == []


def test_what_breaks_a_promise_is_noticed() -> None:
    promise = "view wallet_summary: wallet_id bigint, balance numeric"
    assert kept(promise, [promise])
    assert kept(promise, [f"{promise}, locked_amount numeric"])
    for broken in (
        [],
        ["view wallet_summary: wallet_id bigint, balance numeric(12,2)"],
        ["view wallet_summary: balance numeric, wallet_id bigint"],
        ["view wallet_summary: wallet_id bigint, free numeric, balance numeric"],
    ):
        assert not kept(promise, broken)


def test_a_function_of_the_driver_gets_only_arguments_that_may_be_left_out() -> None:
    promise = "driver deposit: conn, wallet_id, amount, metadata="
    assert kept(promise, [f"{promise}, effective_at=, *, note="])
    for broken in (f"{promise}, place", promise.replace("=", ""), promise.replace("amount", "sum")):
        assert not kept(promise, [broken])


def test_a_command_keeps_its_name_its_arguments_and_its_options() -> None:
    lines = set(commands("pgwallet", typer.main.get_command(app)))
    for promise in ("command pgwallet import FILE", "option pgwallet import --create-wallets"):
        assert promise in lines
        assert kept(promise, [*lines, "option pgwallet import --new"])
        assert not kept(promise, [f"{line}-else" for line in lines])


def test_the_changelog_names_each_function(conn: psycopg.Connection) -> None:
    """Under the version that brought it, which nobody remembers a year later."""
    names = {line.split()[1].partition("(")[0] for (line,) in conn.execute(FUNCTIONS.encode())}
    told = set(re.findall(r"`(?:pgwallet\.)?(\w+)`", CHANGELOG.read_text("utf-8")))
    assert names - told == set()


def test_the_changelog_names_nothing_that_is_not_there(conn: psycopg.Connection) -> None:
    """In its newest part: what an older one names may be gone."""
    newest = CHANGELOG.read_text("utf-8").split("\n## ")[1]
    lines = promised(conn)
    words = {word for line in lines for word in re.findall(r"\w+", line)} | {"embedded"}
    told = re.findall(r"`(?:pgwallet\.)?(\w+)`", newest)
    assert [name for name in told if name not in words] == []
    for command in re.findall(r"`(pgwallet [a-z -]+)`", newest):
        assert any(f"{line} ".startswith(f"command {command} ") for line in lines), command


def test_a_promise_of_each_kind_is_recorded(conn: psycopg.Connection) -> None:
    lines = promised(conn)
    least = {"function": 30, "view": 6, "code": 15, "driver": 60, "row": 30, "name": 15}
    least |= {"command": 60, "option": 200, "migration": 14}
    assert {line.split()[0] for line in lines} == set(least)
    for kind, number in least.items():
        assert sum(line.startswith(f"{kind} ") for line in lines) >= number, kind
    (deposit,) = (line for line in lines if line.startswith("function deposit("))
    assert "p_idempotency_key text DEFAULT NULL::text" in deposit
    assert deposit.count("TABLE") == 1
