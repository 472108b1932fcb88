"""Every call that moves money is measured, and does what is measured."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from bench.calls import COUNTS, Calls
from bench.growth import make_wallets
from tests import databases
from tests.catalogue.calls import CALLS, MOVING
from tests.ledger.calling import value


@pytest.fixture(scope="module")
def conn(server: str, template: str) -> Iterator[psycopg.Connection]:
    """To a ledger for all of these tests."""
    with (
        databases.created(server, template) as name,
        psycopg.connect(make_conninfo(server, dbname=name), autocommit=True) as conn,
    ):
        yield conn


@pytest.fixture(scope="module")
def calls(conn: psycopg.Connection) -> Calls:
    make_wallets(conn, 200)
    return Calls(conn)


def test_what_is_measured_is_a_function() -> None:
    assert set(COUNTS) <= set(CALLS)


@pytest.mark.parametrize("name", COUNTS)
def test_a_call_that_is_measured_does_its_work(
    conn: psycopg.Connection, calls: Calls, name: str
) -> None:
    count = min(COUNTS[name], 5)
    ready = calls.ready(name, count)
    before = value(conn, "select count(*) from pgwallet.transaction")
    for call in ready:
        call()
    done = value(conn, "select count(*) from pgwallet.transaction") - before
    assert len(ready) == count
    assert done >= count if name in MOVING else done in (0, count)


@pytest.mark.parametrize("name", MOVING)
def test_what_has_no_sample_of_its_own_has_that_of_the_catalogue(
    conn: psycopg.Connection, calls: Calls, name: str
) -> None:
    ready = calls.as_catalogued(name, 5)  # its worlds have postings too
    before = value(conn, "select count(*) from pgwallet.posting")
    for call in ready:
        call()
    assert value(conn, "select count(*) from pgwallet.posting") - before >= 5
