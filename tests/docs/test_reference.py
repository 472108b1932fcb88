"""The references are those of this version."""

import psycopg

from docs.generating import states
from docs.generating.sql_reference import reference
from tests.docs.blocks import ROOT


def test_the_sql_reference_is_what_the_catalog_says(conn: psycopg.Connection) -> None:
    page = (ROOT / "docs" / "reference" / "sql.md").read_text()

    assert reference(conn) == page, "make reference"


def test_the_page_of_states_is_what_the_catalogue_says() -> None:
    page = (ROOT / "docs" / "concepts" / "states.md").read_text()

    assert states.page() == page, "make reference"
