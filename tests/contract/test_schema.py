"""db/schema.sql shows the tables as the migrations make them."""

import subprocess
import sys
from pathlib import Path

DB = Path(__file__).parents[2] / "db"


def test_the_committed_schema_is_what_a_new_installation_has() -> None:
    printed = subprocess.check_output(
        [sys.executable, DB / "generate_schema.py"], stderr=subprocess.PIPE, text=True
    )
    assert printed == (DB / "schema.sql").read_text(encoding="utf-8"), "run make schema"
    assert "FUNCTION pgwallet." not in printed.replace("EXECUTE FUNCTION", "")
