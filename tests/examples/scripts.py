"""Running an example as a reader would, and finding what a page says it prints."""

import os
import subprocess

from tests import starting
from tests.docs.blocks import ROOT, blocks


def run_example(name: str, conninfo: str) -> str:
    """What `python examples/NAME.py CONNINFO` prints; it must succeed without a word of warning."""
    completed = subprocess.run(
        [*starting.python(), "-W", "error", f"examples/{name}.py", conninfo],
        cwd=ROOT,
        env={**os.environ, "PGWALLET_DATABASE_URL": conninfo},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.stderr == ""
    assert completed.returncode == 0
    return completed.stdout


def shown(page: str, name: str) -> str:
    """The first block of text after the snippet of an example."""
    text = (ROOT / "docs" / page).read_text()
    snippet = text.index(f'--8<-- "examples/{name}.py')
    return next(
        block.text for block in blocks(text) if block.start > snippet and block.language == "text"
    )
