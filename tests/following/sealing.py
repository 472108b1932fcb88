"""Seals written by hand, as if all that there is were sealed."""

import psycopg


def seal(conn: psycopg.Connection) -> int:
    """Returns the last posting id that it covers."""
    row = conn.execute(
        """
        insert into pgwallet.seal (
          seal_id, sealed_at, posting_id, transaction_id, event_id, latest_at, digest
        )
        select
          coalesce((select max(s.seal_id) from pgwallet.seal as s), 0) + 1, clock_timestamp(),
          (select max(p.posting_id) from pgwallet.posting as p),
          (select max(t.transaction_id) from pgwallet.transaction as t),
          (select coalesce(max(e.event_id), 0) from pgwallet.event as e), 'infinity',
          sha256('')
        returning posting_id
        """
    ).fetchone()
    assert row is not None
    return int(row[0])
