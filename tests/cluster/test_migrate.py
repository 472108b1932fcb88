"""A running cluster gets another version: no call fails, and what was left behind is named."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import pgwallet
from pgwallet import cluster
from pgwallet.cluster import ClusterFile
from tests import clusters
from tests.cluster.clients import Clients, Repeating
from tests.clusters import written
from tests.deployment.releases import release
from tests.effort import effort

CLIENTS = 4
ROUNDS = effort("PGWALLET_REPLACEMENTS", part=1, full=2)
MIGRATE = """
import sys
from pgwallet import cluster
cluster.migrate(cluster.read_cluster_file(sys.argv[1]), wait=float(sys.argv[2]))
"""

# Of deployments: whoever holds it keeps others waiting.
LOCK = "select pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0))"

# As a client that is to live through a change names columns, here and on one database.
READ = "select s.wallet_id, s.total_amount from pgwallet.wallet_summary as s"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def own(cluster_server: str) -> Iterator[ClusterFile]:
    with clusters.made(cluster_server, 2) as file:
        yield file


def release_of_all(directory: Path, mark: str) -> Path:
    """Also what is written for shards and routers carries the mark."""
    made = release(directory, mark)
    package = made / "pgwallet"
    for path in (*(package / "db" / "cluster").rglob("*.sql"), package / "cluster" / "code.py"):
        text = path.read_text("utf-8")
        path.write_text(re.sub(r"(?m)^as (\$\w+\$)$", rf"as \1 -- release {mark}", text), "utf-8")
    return made


def release_with_more(directory: Path) -> Path:
    """A later version: a function has an argument more, another a column, as has a view."""
    made = release_of_all(directory, "more")
    database = made / "pgwallet" / "db"
    edit(
        database / "procedures" / "wallets" / "deposit.sql",
        ("p_effective_at timestamptz default null", "\\g<0>, p_note text default null"),
        ("timestamptz(?=\\) is)", "timestamptz, text"),
    )
    edit(
        database / "procedures" / "wallets" / "withdraw.sql",
        ("replayed boolean(?=\\))", "replayed boolean, note text"),
        ("p\\.replayed", "p.replayed, 'more'::text"),
    )
    views = (database / "migrations" / "0014_views.sql").read_text("utf-8")
    (view,) = re.findall(r"(?s)create (view pgwallet\.wallet_summary.*?;)", views)
    (database / "migrations" / "0015_more.sql").write_text(
        "create or replace "
        + view.replace("as total_amount", "as total_amount, 'more'::text as note")
        + "\ncomment on column pgwallet.wallet_summary.note is 'More.';\n"
    )
    edit(database / "migrations" / "post-apply.py", ('(?m)^version = "', "\\g<0>9"))
    return made


def edit(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text("utf-8")
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text)
        assert count == 1, f"{pattern} is {count} times in {file}"
    file.write_text(text, "utf-8")


def migrate(release: Path, file: Path, wait: float = 60.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MIGRATE, str(file), str(wait)],
        env={**os.environ, "PYTHONPATH": str(release)},
        cwd=release,
        capture_output=True,
        text=True,
        check=False,
    )


def marks(conninfo: str) -> set[str]:
    """The releases that functions in a database come from."""
    with psycopg.connect(conninfo) as conn:
        rows = conn.execute(
            """
            select distinct coalesce(substring(p.prosrc from '-- release (\\w+)'), 'none')
            from pg_proc as p
            where p.pronamespace::regnamespace::text ~ '^pgwallet' and p.prosqlbody is null
            """
        )
        return {mark for (mark,) in rows}


def databases_of(file: ClusterFile) -> list[str]:
    return [*(shard.conninfo for shard in file.shards), *file.routers]


def test_no_call_fails_while_a_cluster_gets_other_versions(
    own: ClusterFile, tmp_path: Path
) -> None:
    path = written(own, tmp_path / "cluster.toml")
    releases = [release_of_all(tmp_path, mark) for mark in ("one", "two")]
    with psycopg.connect(own.routers[0], autocommit=True) as router:
        wallets = [pgwallet.create_wallet(router, f"owner {n}").wallet_id for n in range(8)]
        with Clients(own.routers[0], wallets, CLIENTS) as clients:
            for each in releases * ROUNDS:
                done = migrate(each, path)
                assert done.returncode == 0, done.stderr
                assert [marks(conninfo) for conninfo in databases_of(own)] == 3 * [{each.name}]
            cluster.migrate(own)
            time.sleep(0.5)
        assert clients.failures == []
        assert {wallet: pgwallet.balance(router, wallet) for wallet in wallets} == clients.told
    assert cluster.status(own).up_to_date


def test_no_call_fails_while_functions_and_views_get_other_columns_and_arguments(
    cluster_server: str, tmp_path: Path
) -> None:
    more = release_with_more(tmp_path)
    with clusters.made(cluster_server, 2) as file:
        path = written(file, tmp_path / "cluster.toml")
        with psycopg.connect(file.routers[0], autocommit=True) as router:
            wallets = [pgwallet.create_wallet(router, f"owner {n}").wallet_id for n in range(8)]
            for wallet in wallets:
                pgwallet.set_credit_limit(router, wallet, 1_000_000)
            with (
                Clients(file.routers[0], wallets, CLIENTS) as clients,
                Repeating(
                    file.routers[0], lambda conn: pgwallet.withdraw(conn, wallets[0], 1)
                ) as withdrawals,
                Repeating(
                    file.routers[0],
                    lambda conn: conn.execute(READ).fetchall(),
                ) as reading,
            ):
                time.sleep(0.5)
                # One shard alone has it first, then all.
                with psycopg.connect(file.shards[1].conninfo) as other:
                    other.execute(LOCK)
                    left = migrate(more, path, wait=0.3)
                assert "Left behind: shard 1, router 0." in left.stderr
                time.sleep(0.5)
                done = migrate(more, path)
                assert done.returncode == 0, done.stderr
                time.sleep(0.5)
            assert clients.failures == withdrawals.failures == reading.failures == []
            clients.told[wallets[0]] -= withdrawals.count
            assert {each: pgwallet.balance(router, each) for each in wallets} == clients.told
            router.execute("select from pgwallet.deposit(%s, 1, p_note => 'taken')", wallets[:1])
            rows = router.execute("select note from pgwallet.withdraw(%s, 1)", wallets[:1])
            assert rows.fetchall() == [("more",)]
            assert router.execute(
                "select distinct note from pgwallet.wallet_summary"
            ).fetchall() == [("more",)]


def test_a_shard_that_was_left_behind_is_named(own: ClusterFile, tmp_path: Path) -> None:
    path = written(own, tmp_path / "cluster.toml")
    new = release_of_all(tmp_path, "new")
    with psycopg.connect(own.shards[1].conninfo) as other:
        other.execute(LOCK)
        failed = migrate(new, path, wait=0.3)
    assert failed.returncode == 1
    assert "shard 1: in 0.3 s the lock of deployments was not to be had" in failed.stderr
    assert "Left behind: shard 1, router 0." in failed.stderr
    behind = [member.name for member in cluster.status(own).members if member.findings]
    assert behind == ["shard 0"]  # for who is of the version before
    # Calls go on, and the same call goes on from there.
    with psycopg.connect(own.routers[0], autocommit=True) as router:
        wallets = [pgwallet.create_wallet(router, f"left {n}").wallet_id for n in range(4)]
        assert [pgwallet.deposit(router, wallet, 1).balance for wallet in wallets] == 4 * [1]
    done = migrate(new, path)
    assert done.returncode == 0, done.stderr
    assert [marks(conninfo) for conninfo in databases_of(own)] == 3 * [{"new"}]
    cluster.migrate(own)


def test_columns_and_arguments_that_come_in_are_taken_up(own: ClusterFile) -> None:
    """As of a version whose functions had less: it is what is there before `migrate`."""
    with psycopg.connect(own.shards[0].conninfo) as shard:
        shard.execute(
            """
            drop function pgwallet_call.balance(bigint);
            create function pgwallet_call.balance(p_account_id bigint)
            returns table (error text[]) language sql as 'select null::text[]';
            create function pgwallet_call.deposit(p_wallet_id bigint)
            returns table (balance numeric, error text[]) language sql as 'select 1, null::text[]';
            """
        )
    with psycopg.connect(own.routers[0]) as router:
        router.execute(
            f"""
            drop function pgwallet.balance(bigint);
            set role {own.owner};
            create function pgwallet.balance(p_account_id bigint) returns bigint
            language sql as 'select 1::bigint';
            reset role;
            create function pgwallet_remote.balance(p_account_id bigint)
            returns table (error text[]) language sql as 'select null::text[]';
            """.encode()
        )
    assert not cluster.status(own).up_to_date
    cluster.migrate(own)
    assert cluster.status(own).up_to_date
