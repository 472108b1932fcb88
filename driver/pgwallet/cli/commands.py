"""Groups of commands, and what all commands on a database have in common."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import update_wrapper
from typing import Annotated, Any, TypeVar, cast, get_args

import typer
from psycopg import errors
from typer.core import TyperCommand, TyperGroup

from pgwallet._connection import Connection
from pgwallet._function import DatabaseFunction

from . import database
from .database import DatabaseUrl, connected
from .failures import FAILURES, told
from .output import out, show_error
from .parameters import taken_from
from .records import Form, print_result, print_rows

F = TypeVar("F", bound=Callable[..., None])
T = TypeVar("T")

# The exit code of a refusal or a failure, where the command has no other one for it.
FAILED = 1
# Of what looks for something wrong: nobody looked. 2 is wrong usage.
NOT_LOOKED = 3
# The exit code after Ctrl-C, as shells have it.
INTERRUPTED = 130

_NEGATIVE = re.compile(r"-\.?\d", re.ASCII)

_SUGGESTIONS = 3
_LIKE_ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with: the database, and how its results are to be printed."""

    conninfo: str
    conn: Connection
    form: Form

    def show(self, result: object, currency: str | None = None) -> None:
        print_result(self.form, result, currency)

    def show_rows(
        self,
        row_class: type,
        rows: list[Any],
        currency: str | None = None,
        in_table: tuple[str, ...] = (),
    ) -> None:
        print_rows(self.form, row_class, rows, currency, in_table)

    def say(self, line: str) -> None:
        """A line for people, which would spoil what a program reads."""
        if self.form is Form.TABLE:
            out.print(line)

    def currency_of(self, account_id: int) -> str | None:
        return database.currency_of(self.conn, account_id)


def group() -> typer.Typer:
    """Commands of one topic."""
    return typer.Typer(
        cls=_Suggesting,
        # Plain help and errors: they fit any terminal, and scripts can read them.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def on_database(
    commands: typer.Typer, name: str | None = None, calls: str = "", fails_with: int = FAILED
) -> Callable[[F], F]:
    """Makes a function a command: it gets a Session first, and the options below at the end.

    `calls` is the function of the ledger that needs most rights, unless the command has its name.
    `fails_with` is the exit code where it could not do its work.
    """

    def register(function: F) -> F:
        def command(*, json: bool, csv: bool, database_url: str, **arguments: Any) -> None:
            form = Form.of(json, csv)
            try:
                with connected(database_url) as conn:
                    function(Session(database_url, conn, form), **arguments)
            except FAILURES as error:
                if isinstance(error, errors.InsufficientPrivilege):
                    error.add_note(calls or function.__name__)
                if fails_with == FAILED:
                    raise
                show_error(told(error))
                raise typer.Exit(fails_with) from None

        update_wrapper(command, function, assigned=("__module__", "__name__", "__doc__"))
        _, *own = inspect.signature(function).parameters.values()
        common = inspect.signature(_common).parameters.values()
        vars(command)["__signature__"] = inspect.Signature([*own, *common])
        commands.command(name, cls=Command)(command)
        return function

    return register


def passing_on(
    commands: typer.Typer,
    name: str,
    function: DatabaseFunction[..., Any],
    *,
    example: str,
    more: str = "",
    in_table: tuple[str, ...] = (),
) -> None:
    """Adds a command that calls a function of the ledger and shows what it returns.

    Its arguments are those of the function, its help the first line of the docstring, `more` and
    the example. Of a list, `in_table` are the columns for people.
    """
    signature = inspect.signature(function)
    (row_class,) = get_args(signature.return_annotation) or (None,)

    def command(session: Session, **arguments: Any) -> None:
        result = function(session.conn, **arguments)
        if row_class is None:
            session.show(result, _currency(session, arguments, result))
        else:
            currency = _currency(session, arguments, row_class)
            session.show_rows(row_class, result, currency, in_table)

    conn, *parameters = signature.parameters.values()
    vars(command)["__signature__"] = inspect.Signature([conn, *map(taken_from, parameters)])
    summary, _, _ = (function.__doc__ or "").partition("\n")
    text = "\n\n".join(filter(None, (summary, more)))
    command.__doc__ = f"{text}\n\n\b\nExample:  pgwallet {example}\n"
    on_database(commands, name, cast(Any, function).__name__)(command)


def either_or(name: str, value: object, other_name: str, other: object) -> None:
    """Refuses both or neither of two ways to name a thing."""
    if (value is None) == (other is None):
        raise typer.BadParameter(f"give {name} or {other_name}, one of them")


def found(what: str, result: T | None) -> T:
    """What was looked for; without it the command has failed."""
    if result is None:
        show_error(f"{what} does not exist")
        raise typer.Exit(1)
    return result


# Each is the id of an account too, and all that meet in one call are of one currency.
_ACCOUNTS = ("wallet_id", "pocket_id", "project_id", "account_id", "from_account_id")


def _currency(session: Session, arguments: dict[str, Any], result: Any) -> str | None:
    """That of the money in a result or in rows of a class, unless they have it themselves."""
    if hasattr(result, "currency"):
        return None
    of_result = {
        name: getattr(result, name)
        for name in _ACCOUNTS
        if hasattr(result, name) and not isinstance(result, type)
    }
    known = of_result | arguments
    return session.currency_of(next(known[name] for name in _ACCOUNTS if name in known))


def _exclusive(ctx: typer.Context, value: bool) -> bool:
    # Whichever option comes second finds the first one here.
    if value and (ctx.params.get("json") or ctx.params.get("csv")):
        raise typer.BadParameter("--json and --csv exclude each other")
    return value


Json = Annotated[
    bool, typer.Option("--json", callback=_exclusive, help="Print JSON, amounts as text.")
]
Csv = Annotated[bool, typer.Option("--csv", callback=_exclusive, help="Print CSV with a header.")]


def _common(json: Json = False, csv: Csv = False, database_url: DatabaseUrl = "") -> None:
    """Only its signature is used."""


class Command(TyperCommand):
    """Looks the same with every version of typer, where they mark arguments and choices."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        arguments = (p for p in self.params if p.param_type_name == "argument")
        return ["[OPTIONS]", *(argument.metavar or "" for argument in arguments)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given = list(args)  # the parser takes them away
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise
        except Exception as error:  # NoSuchOption, which has another place in each version
            option = getattr(error, "option_name", None) or " "
            typed = [arg for arg in given if arg.startswith(option) and _NEGATIVE.match(arg)]
            if not typed:
                raise
            raise typer.BadParameter(
                f"{typed[0]} begins as an option does; no amount and no id is below 0", ctx
            ) from None


class _Suggesting(TyperGroup):
    """Answers an unknown command with the nearest ones of the whole program."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # Some commands have a name of two words that begins as another command does.
        two = " ".join(args[:2])
        if len(args) > 1 and self.get_command(ctx, two) is not None:
            return two, self.get_command(ctx, two), args[2:]
        typed = args[0]
        if self.get_command(ctx, typed) is None and not ctx.resilient_parsing:
            root = ctx.find_root()
            near = _nearest(typed, [*_paths(root.command, (root.command_path,))])
            suggestion = f" Did you mean: {', '.join(near)}?" if near else ""
            ctx.fail(f"No such command {typed!r}.{suggestion}")
        return super().resolve_command(ctx, args)


def _paths(command: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(command, TyperGroup):
        yield above
        return
    for name, below in command.commands.items():
        yield from _paths(below, (*above, name))


def _nearest(typed: str, paths: list[tuple[str, ...]]) -> list[str]:
    """The most like what was typed: by the last word, or by all words in any order.

    So `release` finds `project release`, and the SQL name create_wallet finds `wallet create`.
    """

    def likeness(path: tuple[str, ...]) -> float:
        return max(
            SequenceMatcher(None, typed, path[-1]).ratio(),
            SequenceMatcher(None, _in_order(typed), _in_order("-".join(path[1:]))).ratio(),
        )

    near = sorted(paths, key=likeness, reverse=True)[:_SUGGESTIONS]
    return [" ".join(path) for path in near if likeness(path) >= _LIKE_ENOUGH]


def _in_order(words: str) -> str:
    return "-".join(sorted(words.lower().replace("_", "-").split("-")))
