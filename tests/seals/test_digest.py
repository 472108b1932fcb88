"""The digest of a seal is what docs/concepts/seals.md says, under any setting."""

import psycopg
import pytest

import pgwallet
from tests.catalogue.world import World
from tests.seals import plain

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("world")]


def test_plain_python_finds_the_same_digests(sealed: psycopg.Connection) -> None:
    assert plain.digests(sealed) == [each.digest for each in pgwallet.list_seals(sealed)]


@pytest.mark.parametrize(
    "settings",
    [
        ["timezone = 'Asia/Kathmandu'", "datestyle = 'sql, dmy'", "intervalstyle = 'iso_8601'"],
        ["extra_float_digits = -15", "bytea_output = 'escape'", "xmlbinary = 'hex'"],
        ["lc_numeric = 'C'", "lc_time = 'C'", "lc_monetary = 'C'", "search_path = pg_temp"],
        [
            "standard_conforming_strings = off",
            "backslash_quote = on",
            "escape_string_warning = off",
        ],
        ["enable_hashagg = off", "enable_bitmapscan = off", "work_mem = '64kB'"],
        ["enable_sort = off", "enable_seqscan = off", "quote_all_identifiers = on"],
    ],
    ids=lambda settings: settings[0].split()[0],
)
def test_no_setting_of_a_session_changes_it(
    sealed: psycopg.Connection, settings: list[str]
) -> None:
    with sealed.transaction(force_rollback=True):
        for setting in settings:
            sealed.execute(f"set local {setting}".encode())
        assert pgwallet.check_seals(sealed) is None


def test_erasing_an_owner_leaves_seals_valid(sealed: psycopg.Connection, world: World) -> None:
    with sealed.transaction(force_rollback=True):
        assert pgwallet.erase_owner(sealed, world.wallet).transaction_count >= 2
        assert pgwallet.check_seals(sealed) is None
        assert plain.digests(sealed) == [each.digest for each in pgwallet.list_seals(sealed)]
        assert pgwallet.seal_ledger(sealed) is not None
        assert pgwallet.check_seals(sealed) is None
