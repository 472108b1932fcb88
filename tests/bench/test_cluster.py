"""The bench of a cluster still runs, and its page says what its figures come to."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("matplotlib", reason="matplotlib is not installed: make setup")

from bench.cluster import capacity, report  # noqa: E402
from bench.cluster.servers import DEBIAN  # noqa: E402
from tests import servers  # noqa: E402

RESULTS = ROOT / "docs" / "performance" / "cluster.json"


@pytest.mark.timeout(300)
def test_a_short_run_measures_both_ways(tmp_path: Path) -> None:
    if not shutil.which("initdb", path=DEBIAN) or not (
        DEBIAN.parent.joinpath("lib/plproxy.so").exists()
    ):
        servers.missing("PL/Proxy is not installed: apt-get install postgresql-15-plproxy")
    command = [sys.executable, "-m", "bench.cluster", "--smoke", "--only", "calls", "--into"]
    done = subprocess.run([*command, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "cluster.json").read_text())["figures"]
    assert {(f["work"], f["way"]) for f in figures} == {
        (work, way) for work in ("deposit", "pledge", "balance") for way in ("direct", "router")
    }
    assert all(figure["rate"] > 0 for figure in figures)
    assert (tmp_path / "cluster.png").stat().st_size > 0


def test_shards_are_a_power_of_two_and_routers_as_many_as_it_takes() -> None:
    used = {"work": "deposit", "clients": 1}
    figures = [
        {**used, "way": "direct", "router_us": 0, "shard_us": 200},
        {**used, "way": "router", "router_us": 100, "shard_us": 300},
    ]
    found = capacity.needed({"figures": figures}, 100_000, cores=10, busy=0.5)
    assert found == capacity.Needed(100_000, direct_shards=4, routed_shards=8, routers=2)


def test_the_page_has_the_tables_of_its_figures() -> None:
    page = report.PAGE.read_text()
    for mark, table in report.tables(json.loads(RESULTS.read_text())).items():
        assert f"<!-- {mark} -->\n\n{table}\n<!-- end of {mark} -->\n" in page
