"""Every code has its place on the page that the exceptions link to."""

import re
import tomllib

import pytest

from pgwallet import errors
from pgwallet.errors import BY_SQLSTATE, PgWalletError
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text()


def test_every_code_has_a_heading_with_its_anchor() -> None:
    headings = re.findall(r"^## (PW\d+) (\w+) \{#(\w+)\}$", PAGE, re.MULTILINE)

    expected = [(code, error.__name__, code.lower()) for code, error in BY_SQLSTATE.items()]
    assert headings == sorted(expected)


def test_every_code_has_an_example_that_raises_it() -> None:
    shown = re.findall(r"^ERROR:  .*?^(PW\d+)\n```$", PAGE, re.MULTILINE | re.DOTALL)

    assert shown == sorted(BY_SQLSTATE)


@pytest.mark.parametrize("error", BY_SQLSTATE.values(), ids=lambda error: error.sqlstate)
def test_the_text_of_an_exception_links_to_its_anchor(error: type[PgWalletError]) -> None:
    last_line = str(error("no", "figures", "next")).splitlines()[-1]

    assert last_line == f"See {errors.ERRORS_PAGE}#{error.sqlstate.lower()}"


def test_the_address_of_the_site_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    site = project["urls"]["Documentation"]

    assert f"{site}errors/" == errors.ERRORS_PAGE
    assert f"site_url: {site}\n" in (ROOT / "mkdocs.yml").read_text()
