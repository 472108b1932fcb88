"""What tests have recorded with `record_property`, whichever process they ran in."""

from collections.abc import Iterator
from typing import Any

import pytest


def recorded(reporter: pytest.TerminalReporter, name: str) -> Iterator[Any]:
    """The values of that name."""
    for reports in reporter.stats.values():
        for report in reports:
            # A test's earlier reports have the same properties, as far as they were recorded.
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                yield from (value for key, value in report.user_properties if key == name)
