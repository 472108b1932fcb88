"""docs/guarantees.md names for each promise tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
PROMISES = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("number", "promise", "shown_by"), PROMISES)
def test_a_promise_is_shown_by_a_test(number: str, promise: str, shown_by: str) -> None:
    named = re.findall(r"`([^`]+)::(test_\w+)`", shown_by)
    assert named, f"nothing shows promise {number}: {promise}"
    for path, test in named:
        module = (ROOT / "tests" / path).read_text()
        assert f"def {test}(" in module, f"{path} has no {test}"


def test_the_promises_are_numbered_in_their_order() -> None:
    numbers = [int(number) for number, _, _ in PROMISES]
    assert numbers == list(range(1, len(numbers) + 1))
