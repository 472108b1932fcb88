"""docs/monitoring/run-checks.sh leaves behind how both commands ended, however they ended.

How they end is tested with the commands themselves: here a program stands in, which ends as told.
"""

import os
import re
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

SCRIPT = ROOT / "docs" / "monitoring" / "run-checks.sh"
STAND_IN = """#!/bin/sh
echo "said by $*"
test "$1 $2" = "status --check" && exit {}
test "$*" = "check" && exit {}
"""


@pytest.mark.parametrize(("status", "check"), [(0, 0), (1, 0), (0, 1), (1, 3), (0, 3)])
def test_both_exit_codes_and_the_time_are_left_for_the_collector(
    tmp_path: Path, status: int, check: int
) -> None:
    program = tmp_path / "pgwallet"
    program.write_text(STAND_IN.format(status, check))
    program.chmod(stat.S_IRWXU)
    (tmp_path / "pgwallet.prom").write_text("what was there before")
    before = int(time.time())

    ended = subprocess.run(
        [SCRIPT, tmp_path], env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False
    )

    assert (ended.returncode == 0) is (status == check == 0)
    text = (tmp_path / "pgwallet.prom").read_text()
    left = dict(re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE))
    assert re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE) == list(left)
    assert before <= int(left.pop("pgwallet_checks_timestamp_seconds")) <= time.time()
    assert left == {
        "pgwallet_status_exit_code": str(status),
        "pgwallet_check_exit_code": str(check),
    }
    assert (tmp_path / "pgwallet-check.txt").read_text() == "said by check\n"
    assert not (tmp_path / "pgwallet.prom.new").exists()
