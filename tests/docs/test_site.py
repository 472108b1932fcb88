"""The site is built without a warning, and has a place for all that is public."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pgwallet
from tests.docs.blocks import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    completed = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout
    return target


def test_every_page_of_the_docs_is_in_the_site(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        folder = page.relative_to(ROOT / "docs").with_suffix("")
        built = site / ("" if folder.name == "index" else folder) / "index.html"
        assert built.is_file(), page


def test_the_python_reference_has_every_public_name(site: Path) -> None:
    html = (site / "reference" / "python" / "index.html").read_text()
    anchors = {name.rpartition(".")[2] for name in re.findall(r'id="(pgwallet\.[\w.]+)"', html)}

    assert set(pgwallet.__all__) - {"__version__"} <= anchors


def test_a_function_is_shown_with_the_connection_that_it_takes(site: Path) -> None:
    html = (site / "reference" / "python" / "index.html").read_text()
    text = re.sub(r"<[^>]+>", "", html)

    assert re.search(r"deposit\(\s*conn", text)
