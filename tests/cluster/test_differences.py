"""The list of what differs through a router names tests that exist, in words of the page."""

from pathlib import Path

import pytest

from tests.cluster.differing import FAILING, LEFT_OUT, Why

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "concepts" / "cluster.md"


@pytest.mark.parametrize("why", Why)
def test_a_reason_is_told_on_the_page_and_has_a_test(why: Why) -> None:
    assert why in " ".join(PAGE.read_text("utf-8").split())
    assert why in {*FAILING.values(), *LEFT_OUT.values()}


def test_what_is_left_out_exists() -> None:
    assert [name for name in LEFT_OUT if not (TESTS / name).exists()] == []


def test_what_fails_exists_and_is_run() -> None:
    for name in FAILING:
        file, _, test = name.partition("::")
        assert f"def {test.partition('[')[0]}(" in (TESTS / file).read_text("utf-8"), name
        assert not {file, f"{Path(file).parent}/"} & LEFT_OUT.keys(), name
