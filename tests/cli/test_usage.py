"""What the command line says about itself, and how it refuses wrong usage: exit code 2."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

import pgwallet
from pgwallet.cli.app import app
from tests.cli.command import COMMAND, ENTRY_POINT, environment, pgwallet_command, pgwallet_here
from tests.driver.calling import CALLS

NOWHERE = "host=/nonexistent-pgwallet-directory"


def test_the_script_runs_this() -> None:
    (script,) = entry_points(group="console_scripts", name="pgwallet")
    assert script.value == ENTRY_POINT


def paths(command: Any, above: str = "") -> Iterator[str]:
    """Each command as it is typed after `pgwallet`."""
    if not isinstance(command, TyperGroup):
        yield above
        return
    for name, below in command.commands.items():
        yield from paths(below, f"{above} {name}".strip())


COMMANDS = [*paths(typer.main.get_command(app))]
# psql takes the place of this process; a file to import is looked at before the database; the demo
# takes none that its command line does not name, and those of a cluster take its file.
ON_DATABASE = [
    path
    for path in COMMANDS
    if path not in ("psql", "import", "demo") and not path.startswith("cluster ")
]
WITHOUT_DATABASE = ("sql", "shell-completion")


def example(path: str) -> list[str]:
    """The arguments of the example in a command's help, without another database or program."""
    found = re.search(r"Example:  pgwallet (.*)", pgwallet_here(*path.split(), "--help").stdout)
    assert found, path
    arguments = shlex.split(found[1], comments=True)
    ends = [arguments.index(end) for end in ("|", ">>", "--database-url") if end in arguments]
    return arguments[: min(ends, default=None)]


@pytest.mark.parametrize("path", COMMANDS)
def test_help_of_each_command_has_an_example_and_fits_80_columns(path: str) -> None:
    completed = pgwallet_here(*path.split(), "--help")
    assert completed.returncode == 0
    assert f"Example:  pgwallet {path}" in completed.stdout
    assert max(map(len, completed.stdout.splitlines())) <= 80


@pytest.mark.parametrize("path", ON_DATABASE)
def test_the_example_of_each_command_is_right_usage(path: str) -> None:
    completed = pgwallet_here(*example(path), database_url=NOWHERE)
    code = 0 if path in WITHOUT_DATABASE else 3 if path in ("check", "status") else 1
    assert completed.returncode == code, completed


def test_help_lists_every_command_with_a_summary_that_is_whole() -> None:
    groups = {path.split()[0] for path in COMMANDS if " " in path}
    listed = [pgwallet_here("--help").stdout]
    assert "Exit codes: 0 done" in listed[0]
    listed += [pgwallet_here(name, "--help").stdout for name in groups]
    assert max(map(len, "".join(listed).splitlines())) <= 80
    for path in COMMANDS:
        assert any(
            f"\n  {name} " in text for text in listed for name in (path, path.split()[-1])
        ), path
    assert "..." not in "".join(text.partition("Commands:")[2] for text in listed)


def words(name: str) -> set[str]:
    """The words of a function or a command, in the singular, one for what is the same."""
    same = {"find": "show", "get": "show", "escrow": "pledge"}
    singular = (word.removesuffix("s") for word in re.split(r"[\W_]+", name))
    return {same.get(word, word) for word in singular}


# The one is an option of another command; the other's says when to call it: `recovered`.
WITHOUT_COMMAND = {"preview_allocation", "skip_ids"}


@pytest.mark.parametrize("name", sorted({*CALLS} - WITHOUT_COMMAND))
def test_a_function_and_its_command_have_the_same_words(name: str) -> None:
    assert any(words(name) <= words(path) or words(path) <= words(name) for path in COMMANDS)


def test_version_is_shown() -> None:
    completed = pgwallet_command("--version")
    assert (completed.returncode, completed.stdout) == (0, f"pgwallet {pgwallet.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("wallet",),
        ("transfer",),
        ("balance",),
        ("status", "--wrong"),
        ("project", "release", "1", "--batch-size", "0"),
        ("project", "close", "1", "won"),
        ("allocate-deposit", "1", "1", "--rounding", "up"),
        ("check", "--json", "--csv"),
        ("check", "--csv", "--json"),
        ("shell-completion", "cmd"),
        ("grant", "owner", "ada"),
        ("pledge", "list", "--limit", "0"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    completed = pgwallet_here(*arguments, database_url=NOWHERE)
    assert completed.returncode == 2
    assert "Usage: pgwallet" in completed.stdout + completed.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("relese", "pgwallet escrow release"),
        ("create_project", "pgwallet project create"),
        ("release_project", "pgwallet project release"),
        ("wallet deposit", "pgwallet deposit"),
        ("blance", "pgwallet balance"),
        ("transfer-to", "pgwallet pocket transfer-to"),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    completed = pgwallet_here(*typed.split())
    assert completed.returncode == 2
    _, _, suggested = completed.stderr.partition("Did you mean: ")
    assert suggested.rstrip("?\n").split(", ")[0] == meant


def test_a_command_like_no_other_is_only_refused() -> None:
    assert "Did you mean" not in pgwallet_here("xyzzy").stderr


@pytest.mark.parametrize("path", [path for path in ON_DATABASE if path not in WITHOUT_DATABASE])
def test_without_a_database_it_says_what_to_set(path: str) -> None:
    completed = pgwallet_here(*example(path))
    assert completed.returncode == 2
    for word in ("PGWALLET_DATABASE_URL", "--database-url", "pgwallet demo"):
        assert word in completed.stderr


@pytest.mark.parametrize(
    "bad_id",
    ["", "abc", "1.5", "1e3", "NaN", "Infinity", "-1", "%s", "'; --", "9" * 5000, "\udcff"],
)
def test_what_is_no_id_is_wrong_usage(bad_id: str) -> None:
    completed = pgwallet_here("balance", bad_id, database_url=NOWHERE)
    assert completed.returncode == 2
    assert "Error:" in completed.stderr


def test_every_command_takes_only_numbers_as_ids() -> None:
    refused = 0
    for arguments in map(example, ON_DATABASE):
        spoiled = ["abc" if re.fullmatch(r"\d{6}", text) else text for text in arguments]
        if spoiled != arguments:
            completed = pgwallet_here(*spoiled, database_url=NOWHERE)
            assert completed.returncode == 2
            assert "integer" in completed.stderr
            refused += 1
    assert refused > 15


@pytest.mark.parametrize(
    "amount", ["", "abc", "1,50", "1_000", "1e3", "NaN", "Infinity", "0x10", "\u0661", "1 000"]
)
def test_what_is_no_amount_is_wrong_usage(amount: str) -> None:
    completed = pgwallet_here("deposit", 1, amount, database_url=NOWHERE)
    assert completed.returncode == 2
    assert "such as 12.34" in completed.stderr


@pytest.mark.parametrize("arguments", [("1", "-5"), ("-1", "5"), ("1", "-12.5")])
def test_what_is_below_0_is_told_from_an_option(arguments: tuple[str, ...]) -> None:
    completed = pgwallet_here("deposit", *arguments, database_url=NOWHERE)
    assert completed.returncode == 2
    (negative,) = (each for each in arguments if each[0] == "-")
    assert f"{negative} begins as an option does; no amount and no id is below 0" in (
        " ".join(completed.stderr.split())
    )
    assert "No such option: -x" in pgwallet_here("deposit", "1", "-x", database_url=NOWHERE).stderr


@pytest.mark.parametrize("path", ["project show", "transaction show"])
def test_what_an_option_replaces_is_in_brackets(path: str) -> None:
    assert re.search(
        r"Usage: pgwallet .* \[OPTIONS\] \[\w+_ID\]", pgwallet_here(*path.split(), "-h").stdout
    )


@pytest.mark.parametrize("time", ["", "yesterday", "2026-01-31", "2026-01-31T12:00:00", "12:00Z"])
def test_a_time_without_its_zone_is_wrong_usage(time: str) -> None:
    completed = pgwallet_here("balance", 1, "--at", time, database_url=NOWHERE)
    assert completed.returncode == 2
    assert "2026-01-31T12:00:00Z" in completed.stderr


@pytest.mark.parametrize("metadata", ["", "{", "{'a': 1}", "NaN", "[" * 100_000])
def test_what_is_no_json_is_wrong_usage(metadata: str) -> None:
    completed = pgwallet_here("deposit", 1, 1, "--metadata", metadata, database_url=NOWHERE)
    assert completed.returncode == 2
    assert "this is not JSON" in completed.stderr


@pytest.mark.parametrize(
    "url", ["secret", "postgres:/u:secret@h", "postgresql://h/d?secret=1", "\udcff", "host='secret"]
)
def test_a_malformed_connection_string_is_wrong_usage_and_not_repeated(url: str) -> None:
    for completed in (
        pgwallet_here("check", "--database-url", url),
        pgwallet_here("--database-url", url, "check"),
        pgwallet_here("check", database_url=url),
    ):
        assert completed.returncode == 2
        assert "not a connection string" in completed.stderr
        assert "secret" not in completed.stderr


@pytest.mark.parametrize(
    "arguments", [("check", "--database-url", "a\0b"), ("balance", "\0"), ("deposit", "1", "\0")]
)
def test_a_nul_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    # No program can be started with a NUL in its arguments; within Python it may still come.
    assert pgwallet_here(*arguments, database_url=NOWHERE).returncode == 2


@pytest.mark.parametrize(
    "url", [NOWHERE, "postgresql://127.0.0.1:1/x", "host=127.0.0.1 port=99999", "service=none"]
)
def test_an_unreachable_server_exits_with_1(url: str) -> None:
    completed = pgwallet_here("balance", "1", database_url=url)
    assert completed.returncode == 1
    assert completed.stderr.startswith("ERROR: ")
    assert "HINT: Look at --database-url or PGWALLET_DATABASE_URL" in completed.stderr


def test_the_variables_of_libpq_name_a_database_too() -> None:
    completed = pgwallet_command("status", PGDATABASE="ledger", PGHOST="/nonexistent")
    assert completed.returncode == 3
    assert "/nonexistent" in completed.stderr


def test_the_usage_names_arguments_as_they_are_typed() -> None:
    for path, usage in (
        ("deposit", "WALLET_ID AMOUNT"),
        ("allocate-deposits", "WALLET_ID=AMOUNT..."),
        ("psql", "[ARGUMENTS]..."),
        ("grant", "ACCESS ROLE"),
    ):
        first = pgwallet_here(path, "--help").stdout.splitlines()[0]
        assert first == f"Usage: pgwallet {path} [OPTIONS] {usage}"


def test_a_choice_that_is_none_is_answered_with_the_choices() -> None:
    completed = pgwallet_here("grant", "owner", "ada", database_url=NOWHERE)
    assert "Value error" not in completed.stderr
    for choice in ("app", "operator", "auditor", "monitor"):
        assert choice in completed.stderr


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_without_the_extra_it_says_what_to_install(package: str) -> None:
    script = f"import sys; sys.modules[{package!r}] = None; from pgwallet.cli import main; main()"
    completed = subprocess.run(
        [*COMMAND[:2], script], env=environment(), capture_output=True, text=True, check=False
    )
    assert completed.returncode == 2
    assert completed.stderr.splitlines() == [
        "the command line is not installed: pip install 'pgwallet[cli]'"
    ]


@pytest.mark.parametrize("arguments", [("sql",), ("--help",)])
def test_a_reader_who_leaves_early_sees_no_traceback(arguments: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_full_disk_is_an_error_without_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        completed = subprocess.run(
            [*COMMAND, "sql"], env=environment(), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert completed.returncode == 1
    assert completed.stderr.startswith("ERROR: ")
    assert "Traceback" not in completed.stderr
