"""The list of what differs through a router names tests that exist, in words of the page."""

from pathlib import Path

import pytest

from tests.cluster.differing import FAILING, INSTEAD, LEFT_OUT, Why

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "concepts" / "cluster.md"


def is_there(name: str) -> bool:
    """Whether a test of that name is; its arguments are looked at where the list is used."""
    file, _, test = name.partition("::")
    text = (TESTS / file).read_text("utf-8")
    return f"def {test.partition('[')[0]}(" in text and ("[" not in test or "parametrize" in text)


@pytest.mark.parametrize("why", Why)
def test_a_reason_is_told_on_the_page_and_has_a_test(why: Why) -> None:
    assert why in " ".join(PAGE.read_text("utf-8").split())
    assert why in {*FAILING.values(), *LEFT_OUT.values()}
    assert is_there(f"cluster/{INSTEAD[why]}")


def test_what_is_left_out_exists() -> None:
    assert [name for name in LEFT_OUT if not (TESTS / name.partition("::")[0]).exists()] == []
    assert [name for name in LEFT_OUT if "::" in name and not is_there(name)] == []


def test_what_fails_exists_and_is_run() -> None:
    for name in FAILING:
        file = name.partition("::")[0]
        assert is_there(name), name
        names = {f"{Path(file).parent}/", file, name.partition("[")[0]}
        assert not names & LEFT_OUT.keys(), name
