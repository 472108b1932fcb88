"""Seals as readers meet them."""

import psycopg

import pgwallet


def seal(conn: psycopg.Connection) -> int:
    """Seals all that was committed; returns the last posting id that is sealed."""
    sealed = pgwallet.seal_ledger(conn)
    assert sealed is not None
    return sealed.posting_id
