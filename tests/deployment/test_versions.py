"""A database knows which version was installed, and an older one does not take it back."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import psycopg
import pytest

import pgwallet
from pgwallet.deployment import DeploymentError, versions
from pgwallet.deployment.code import read_code
from tests.databases import as_owner

pytestmark = pytest.mark.sql

IN_ORDER = (
    *("0.1.0.dev1", "0.1.0a1.dev2", "0.1.0a1", "0.1.0a2", "0.1.0b1", "0.1.0rc1", "0.1.0rc1.post1"),
    *("0.1.0", "0.1.0.post1.dev2", "0.1.0.post1", "0.1.1", "0.2", "0.10.0", "1.0.0rc1", "1.0"),
)


@pytest.mark.parametrize(("older", "newer"), list(pairwise(IN_ORDER)))
def test_versions_are_ordered_as_packages_are(older: str, newer: str) -> None:
    assert versions.is_newer(newer, older)
    assert not versions.is_newer(older, newer)


@pytest.mark.parametrize("same", ["1.0.0", "1", "1.0+local.7"])
def test_a_version_is_not_newer_than_itself_in_other_words(same: str) -> None:
    assert not versions.is_newer("1.0", same)
    assert not versions.is_newer(same, "1.0")


def test_the_packages_have_the_version_that_is_recorded() -> None:
    assert pgwallet.__version__ == read_code().version


@contextmanager
def unchanged(conninfo: str) -> Iterator[None]:
    """Nothing is written: neither rows nor functions."""

    def state() -> list[tuple[object, ...]]:
        with psycopg.connect(conninfo) as conn:
            return conn.execute(
                """
                select p.oid::regprocedure::text, p.xmin::text from pg_proc as p
                where p.pronamespace = 'pgwallet'::regnamespace
                union all
                select d.version, d.deployment_id::text from pgwallet.deployment as d
                order by 1, 2
                """
            ).fetchall()

    before = state()
    yield
    assert state() == before


def installed(conninfo: str, version: str) -> None:
    """As that version would leave it, but for its functions."""
    with psycopg.connect(as_owner(conninfo)) as conn:
        conn.execute(
            "insert into pgwallet.deployment (version, source_hash)"
            " select %s, d.source_hash || ' of another' from pgwallet.deployment as d",
            [version],
        )


def test_an_older_version_leaves_a_database_as_it_is(database: str) -> None:
    installed(database, "99.0.0")
    found = pgwallet.status(as_owner(database))
    assert (found.version, found.newer, found.up_to_date) == ("99.0.0", True, False)

    with (
        unchanged(database),
        pytest.raises(DeploymentError, match=r"has pgwallet 99\.0\.0, and this is .* --downgrade"),
    ):
        pgwallet.migrate(as_owner(database))


def test_it_goes_back_when_it_is_told_to(database: str) -> None:
    installed(database, "99.0.0")

    assert pgwallet.migrate(as_owner(database), downgrade=True).functions_installed

    found = pgwallet.status(as_owner(database))
    assert (found.version, found.newer, found.up_to_date) == (pgwallet.__version__, False, True)


def test_migrations_that_are_unknown_are_not_taken_back_even_so(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("insert into pgwallet._yoyo_migration values ('x', '9999_future', now())")
    with unchanged(database), pytest.raises(DeploymentError, match="it has 9999_future"):
        pgwallet.migrate(as_owner(database), downgrade=True)


def test_a_newer_version_installs_its_functions(database: str) -> None:
    installed(database, "0.0.1")
    assert not pgwallet.status(as_owner(database)).newer

    assert pgwallet.migrate(as_owner(database)).functions_installed
    assert pgwallet.status(as_owner(database)).version == pgwallet.__version__


def test_the_same_version_with_other_functions_installs_them(database: str) -> None:
    """As in development, where the number stays and the text changes."""
    installed(database, pgwallet.__version__)
    found = pgwallet.status(as_owner(database))
    assert (found.functions_differ, found.newer) == (True, False)

    assert pgwallet.migrate(as_owner(database)).functions_installed


def test_a_newer_version_is_recorded_though_its_functions_are_the_same(database: str) -> None:
    with psycopg.connect(as_owner(database)) as conn:
        conn.execute("update pgwallet.deployment set version = '0.0.1'")

    assert pgwallet.status(as_owner(database)).functions_differ
    assert pgwallet.migrate(as_owner(database)).functions_installed
    assert pgwallet.status(as_owner(database)).version == pgwallet.__version__


def test_a_version_that_is_none_is_not_guessed_at(database: str) -> None:
    installed(database, "tomorrow")

    with unchanged(database), pytest.raises(DeploymentError, match="'tomorrow' is no version"):
        pgwallet.migrate(as_owner(database))
