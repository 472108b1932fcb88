"""What the command line says about itself, and how it refuses wrong usage: exit code 2."""

import subprocess
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import pgwallet
from tests.cli.command import COMMAND, ENTRY_POINT, environment, pgwallet_command

WITH_DATABASE = {
    "migrate": (),
    "status": (),
    "check": (),
    "balance": ("1",),
    "statement": ("1",),
    "release": ("1",),
    "refund": ("1",),
}
NOWHERE = "host=/nonexistent-pgwallet-directory"


def test_the_script_runs_this() -> None:
    (script,) = entry_points(group="console_scripts", name="pgwallet")
    assert script.value == ENTRY_POINT


@pytest.mark.parametrize("command", ["demo", "sql", *WITH_DATABASE])
def test_help_of_each_command_has_an_example(command: str) -> None:
    completed = pgwallet_command(command, "--help")
    assert completed.returncode == 0
    assert f"Example:  pgwallet {command}" in completed.stdout
    assert max(map(len, completed.stdout.splitlines())) <= 80


def test_help_lists_every_command() -> None:
    completed = pgwallet_command("--help")
    assert completed.returncode == 0
    for command in ("demo", "sql", *WITH_DATABASE):
        assert f"\n  {command} " in completed.stdout


def test_version_is_shown() -> None:
    completed = pgwallet_command("--version")
    assert (completed.returncode, completed.stdout) == (0, f"pgwallet {pgwallet.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [(), ("transfer",), ("balance",), ("status", "--wrong"), ("release", "1", "--batch-size", "0")],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    completed = pgwallet_command(*arguments, database_url=NOWHERE)
    assert completed.returncode == 2
    assert "Usage: pgwallet" in completed.stdout + completed.stderr


@pytest.mark.parametrize("command", WITH_DATABASE)
@pytest.mark.parametrize("database_url", [None, ""])
def test_without_a_database_it_says_what_to_set(command: str, database_url: str | None) -> None:
    completed = pgwallet_command(command, *WITH_DATABASE[command], database_url=database_url)
    assert completed.returncode == 2
    assert "PGWALLET_DATABASE_URL" in completed.stderr
    assert "--database-url" in completed.stderr


@pytest.mark.parametrize(
    "bad_id",
    ["", "abc", "1.5", "1e3", "NaN", "Infinity", "-1", "%s", "'; --", "9" * 5000, "\udcff"],
)
def test_what_is_no_id_is_wrong_usage(bad_id: str) -> None:
    completed = pgwallet_command("balance", bad_id, database_url=NOWHERE)
    assert completed.returncode == 2
    assert "Error:" in completed.stderr


@pytest.mark.parametrize("command", ["statement", "release", "refund"])
def test_every_command_takes_only_numbers_as_ids(command: str) -> None:
    completed = pgwallet_command(command, "abc", database_url=NOWHERE)
    assert completed.returncode == 2
    assert "integer" in completed.stderr


@pytest.mark.parametrize(
    "url", ["secret", "postgres:/u:secret@h", "postgresql://h/d?secret=1", "\udcff", "host='secret"]
)
def test_a_malformed_connection_string_is_wrong_usage_and_not_repeated(url: str) -> None:
    for completed in (
        pgwallet_command("check", "--database-url", url),
        pgwallet_command("--database-url", url, "check"),
        pgwallet_command("check", database_url=url),
    ):
        assert completed.returncode == 2
        assert "not a connection string" in completed.stderr
        assert "secret" not in completed.stderr


@pytest.mark.parametrize(
    "arguments", ["['check', '--database-url', 'a\\0b']", "['balance', '\\0']"]
)
def test_a_nul_is_wrong_usage(arguments: str) -> None:
    # No program can be started with a NUL in its arguments; within Python it may still come.
    script = f"import sys; from pgwallet.cli import main; sys.argv[1:] = {arguments}; main()"
    completed = subprocess.run(
        [*COMMAND[:2], script], env=environment(), capture_output=True, text=True, check=False
    )
    assert completed.returncode == 2
    assert "Traceback" not in completed.stderr


@pytest.mark.parametrize(
    "url", [NOWHERE, "postgresql://127.0.0.1:1/x", "host=127.0.0.1 port=99999", "service=none"]
)
def test_an_unreachable_server_exits_with_1(url: str) -> None:
    completed = pgwallet_command("check", database_url=url)
    assert completed.returncode == 1
    assert completed.stderr.startswith("ERROR: ")


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
