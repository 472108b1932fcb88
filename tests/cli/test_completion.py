"""shell-completion: the scripts, and what they answer."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import starting
from tests.cli.command import environment, pgwallet_command, pgwallet_here


def completions_in_bash(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word, with the script that the command prints."""
    program = folder / "pgwallet"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(starting.pgwallet())} "$@"\n')
    program.chmod(0o755)
    script = pgwallet_here("shell-completion", "bash").stdout
    ask = f"""\
{script}
COMP_WORDS=({" ".join(words)} "")
COMP_CWORD={len(words) - 1}
_pgwallet_completion pgwallet
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    variables = environment()
    completed = subprocess.run(
        ["bash", "--norc", "-c", ask],
        env={**variables, "PATH": f"{folder}:{variables['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert completed.stderr == ""
    return completed.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_options_and_choices(tmp_path: Path) -> None:
    assert completions_in_bash(tmp_path, "pgwallet", "wal") == ["wallet"]
    assert completions_in_bash(tmp_path, "pgwallet", "project", "re") == [
        "release",
        "refund",
        "release-escrows",
        "refund-escrows",
    ]
    assert completions_in_bash(tmp_path, "pgwallet", "balance", "--js") == ["--json"]
    assert completions_in_bash(tmp_path, "pgwallet", "grant", "o") == ["operator"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_commands_with_their_help(shell: str) -> None:
    script = pgwallet_here("shell-completion", shell)
    assert script.returncode == 0
    assert f"_PGWALLET_COMPLETE=complete_{shell}" in script.stdout
    answer = pgwallet_command(
        _PGWALLET_COMPLETE=f"complete_{shell}",
        _TYPER_COMPLETE_ARGS="pgwallet with",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert answer.returncode == 0
    assert "withdraw" in answer.stdout
    assert "Take money out of a wallet" in answer.stdout


def test_completing_needs_no_database_and_says_nothing_on_stderr() -> None:
    answer = pgwallet_command(
        _PGWALLET_COMPLETE="complete_bash", COMP_WORDS="pgwallet check --", COMP_CWORD="2"
    )
    assert "--since-transaction-id" in answer.stdout.split()
    assert answer.stderr == ""
