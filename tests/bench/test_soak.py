"""The soak: it runs, and tells who lost or broke something."""

import dataclasses

import pytest

import pgwallet
from bench import soak


def test_a_short_one_ends_sound_with_a_row_for_each_tenth(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "WRITERS", 3)
    monkeypatch.setattr(soak, "WALLETS", 10)
    monkeypatch.setattr(soak, "PAUSE", 0.002)
    rows: list[soak.Row] = []
    soaked = soak.soaked(database, 0.1, rows.append)
    assert len(rows) == soak.PARTS
    assert soaked.fed_count >= soaked.calls.total() / 2 > 0
    assert all(value >= 0 for row in rows for value in dataclasses.astuple(row))


def test_what_somebody_ran_into_ends_it(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "WRITERS", 2)
    monkeypatch.setattr(soak, "WALLETS", 2)
    monkeypatch.setattr(soak, "WRITES", ((fails, 1),))
    with pytest.raises(pgwallet.WalletNotFound):
        soak.soaked(database, 10, lambda row: None)


def fails(_: soak.Soak, conn: soak.Connection, *others: object) -> None:
    pgwallet.deposit(conn, 1, 1)
