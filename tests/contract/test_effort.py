"""What a developer's `make test` leaves to CI is there, and CI leaves nothing out."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import effort

ROOT = Path(__file__).parents[2]
LEFT_OUT = "-m 'not whole'"


def would_run(*arguments: str) -> str:
    environ = {name: value for name, value in os.environ.items() if name not in ("CI", "MAKEFLAGS")}
    command = ["make", "--dry-run", "--old-file", "pyproject.toml", *arguments]
    script = subprocess.check_output(command, cwd=ROOT, env=environ, text=True)
    # What a shell can read: make takes a comma for the end of an argument, in quotes too.
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    return script


@pytest.mark.parametrize("place", effort.WHOLE_SYSTEMS)
def test_what_is_left_to_ci_has_tests(place: str) -> None:
    path = ROOT / "tests" / place
    assert path.is_file() or list(path.rglob("test_*.py"))


def test_only_a_developer_leaves_it_out() -> None:
    assert LEFT_OUT in would_run("test")
    assert LEFT_OUT in would_run("test", "ARGS=-x")
    for everything in (["test", "CI=true"], ["test-all"], ["test", "ARGS=tests/bench"]):
        assert LEFT_OUT not in would_run(*everything)
    assert "export CI=true" in (ROOT / ".ci/run").read_text("utf-8")
