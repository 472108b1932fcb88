"""The jack hammer counts what it says, and leaves a sound ledger."""

from bench.transfers import hammered


def test_every_transfer_is_made_or_refused(database: str) -> None:
    rate, missed = hammered(database, processes=2, wallets=3, transfers=41)
    assert rate > 0
    assert missed == 0
