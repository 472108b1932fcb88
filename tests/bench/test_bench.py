"""The bench: fair turns, honest ratios, floors that leave a sound ledger, and its last figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
for needed in ("django", "matplotlib"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: make setup")

from bench import report  # noqa: E402
from bench.contest import Contest, Figure, Result, held  # noqa: E402

RESULTS = ROOT / "docs" / "performance" / "results.json"


def test_contenders_take_turns_and_each_other_round_goes_backwards() -> None:
    turns: list[str] = []

    def contender(name: str) -> float:
        turns.append(name)
        return len(turns)

    contest = Contest("w", "u", {n: lambda n=n: contender(n) for n in "abc"})  # type: ignore[misc]
    result = held(contest, 2, lambda: None)
    assert turns == ["a", "b", "c", "c", "b", "a"]
    assert result.rates == {"a": [1, 6], "b": [2, 5], "c": [3, 4]}


def test_a_ratio_is_one_of_medians_and_is_held_against_the_target() -> None:
    rates = {"pgwallet": [10.0, 30.0, 20.0], "floor": [100.0, 25.0, 25.0], "ORM": [1.0, 2.0, 4.0]}
    result = Result("w", "u", rates, {"floor": 0.85, "ORM": 10})
    assert result.ratio("floor") == 0.8
    assert result.ratio("ORM") == 10
    assert [result.met(name) for name in rates] == [None, False, True]
    assert Figure("bytes", "bytes", 360, 360).met
    assert not Figure("bytes", "bytes", 360.1, 360).met


@pytest.mark.timeout(600)
def test_a_quick_run_measures_every_contender_and_its_ledger_is_sound(tmp_path: Path) -> None:
    """The command fails if check_ledger finds anything after the floors have written."""
    command = [
        sys.executable,
        "-m",
        "bench",
        "--smoke",
        "--only",
        "1 client",
        "--into",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "results.json").read_text())
    assert {contest["work"] for contest in written["contests"]} == {
        "deposit, 1 client",
        "pledge, 1 client",
        "allocate over 5 pockets, 1 client",
        "allocate over 100 pockets, 1 client",
        "deposit with a key, 1 client",
        "pledge with a key, 1 client",
        "allocate by largest_remainder over 5 pockets, 1 client",
        "allocate by largest_remainder over 100 pockets, 1 client",
        "release_escrow, 1 client",
        "refund_escrow, 1 client",
    }
    for contest in written["contests"]:
        assert "floor" in contest["rates"]
        assert all(rate["median"] > 0 for rate in contest["rates"].values()), contest
    assert written["settings"]["fsync"] == written["settings"]["synchronous_commit"] == "on"
    assert (tmp_path / "results.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("table", ["environment", "targets", "growth"])
def test_the_page_shows_the_figures_of_the_last_run(table: str) -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    _, _, rest = page.partition(f"<!-- {table} -->\n")
    shown, _, _ = rest.partition(f"<!-- end of {table} -->\n")
    assert shown.strip() == report.tables(json.loads(RESULTS.read_text()))[table].strip()
