"""check_seals and list_seals go through the chain of seals from where they are told to."""

import psycopg
import pytest

import pgwallet
from tests.conftest import Connect
from tests.ledger.calling import funded
from tests.seals.history import tampered, without_waiting

pytestmark = pytest.mark.sql


@pytest.fixture
def chain(conn: psycopg.Connection) -> psycopg.Connection:
    """With seals 1 to 4, of which the last covers more than the others."""
    without_waiting(conn)
    wallet = funded(conn, "ada", 10)
    for number in range(4):
        pgwallet.deposit_many(conn, [wallet] * (number + 1), [1] * (number + 1))
        assert pgwallet.seal_ledger(conn) is not None
    return conn


def test_seals_are_listed_in_either_order_and_in_pages(chain: psycopg.Connection) -> None:
    def listed(after: int, limit: int, newest_first: bool = False) -> list[int]:
        return [each.seal_id for each in pgwallet.list_seals(chain, after, limit, newest_first)]

    assert listed(0, 100) == [1, 2, 3, 4]
    assert listed(0, 2) == [1, 2]
    assert listed(2, 2) == [3, 4]
    assert listed(0, 2, newest_first=True) == [4, 3]
    assert listed(3, 2, newest_first=True) == [2, 1]


def test_seals_that_are_named_have_to_be_there(chain: psycopg.Connection) -> None:
    assert pgwallet.check_seals(chain) is None
    assert pgwallet.check_seals(chain, 4) is None
    assert pgwallet.check_seals(chain, 2, 4) is None
    for since, until in ((5, None), (0, 5), (4, 5)):
        missing = pgwallet.check_seals(chain, since, until)
        assert missing is not None
        assert (missing.seal_id, missing.covers) == (5, None)


def test_each_seal_is_computed_again_alone_or_with_others(chain: psycopg.Connection) -> None:
    for since in range(4):
        for until in range(since + 1, 5):
            assert pgwallet.check_seals(chain, since, until) is None


def test_a_check_that_is_recorded_counts_a_seal_that_does_not_fit(
    chain: psycopg.Connection,
) -> None:
    second = pgwallet.list_seals(chain, 1, 1)[0]
    change = f"""
      update pgwallet.transaction set kind = 'transfer'
      where transaction_id = {second.transaction_id}
    """
    with tampered(chain, change):
        wrong = pgwallet.check_seals(chain)
        assert wrong is not None
        told = ("seal 2", f"It covers {wrong.covers}. {wrong.detail}")
        found = pgwallet.record_check(chain)
        assert (found[-1].subject, found[-1].detail) == told
        assert pgwallet.ledger_metrics(chain).violation_count == len(found)
        # Of what came since a transaction, and after a seal that is trusted.
        for since, seal_id, is_told in (
            (second.transaction_id - 1, None, True),
            (second.transaction_id, None, False),
            (0, 1, True),
            (0, 2, False),
        ):
            found = pgwallet.record_check(chain, since, seal_id)
            assert (told in [(each.subject, each.detail) for each in found]) == is_told


def test_a_ledger_without_seals_has_none_that_is_wrong(connect: Connect) -> None:
    conn = connect()
    conn.execute("set transaction read only")
    assert pgwallet.check_seals(conn) is None
    assert pgwallet.list_seals(conn) == []
