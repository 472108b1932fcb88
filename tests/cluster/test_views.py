"""The views of a router show what those of the shards show, together."""

import psycopg
import pytest
from psycopg import sql

import pgwallet
from pgwallet import cluster
from tests import clusters
from tests.cluster.conftest import SHARDS, wallets_on_all_shards


def _count(conn: psycopg.Connection, query: str) -> object:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_wallet_is_shown_from_its_shard(router: psycopg.Connection) -> None:
    wallets = wallets_on_all_shards(router, "shown")
    for wallet in wallets:
        pgwallet.deposit(router, wallet, 5)
        pgwallet.create_pocket(router, wallet, "rent")
    for view in ("wallet_summary", "pocket_summary"):
        rows = router.execute(
            sql.SQL("select wallet_id from pgwallet.{} where wallet_id = any(%s)").format(
                sql.Identifier(view)
            ),
            [wallets],
        ).fetchall()
        assert sorted(rows) == sorted((wallet,) for wallet in wallets)
    (logged,) = router.execute(
        "select owner_id, kind, amount from pgwallet.transaction_log "
        "where destination_account_id = %s",
        [wallets[-1]],
    ).fetchall()
    assert logged[1:] == ("deposit", 5)


def test_a_condition_goes_to_the_shards(router: psycopg.Connection) -> None:
    plan = router.execute(
        "explain (verbose, costs off) select * from pgwallet.wallet_summary where wallet_id = 5"
    ).fetchall()
    remote = [line for (line,) in plan if "Remote SQL" in line]
    assert len(remote) == SHARDS
    assert all("wallet_id = 5" in line for line in remote)
    plan = router.execute(
        "explain (verbose, costs off) select * from pgwallet.project_summary where project_id = 5"
    ).fetchall()
    assert all("project_id = 5" in line for (line,) in plan if "Remote SQL" in line)


def test_a_project_is_shown_once(router: psycopg.Connection) -> None:
    project = pgwallet.create_project(router, "project shown").project_id
    for wallet in wallets_on_all_shards(router, "project shown"):
        pgwallet.deposit(router, wallet, 5)
        pgwallet.pledge(router, wallet, project, 5)
    (shown,) = router.execute(
        "select reference, status, escrow_count, pledged_amount, balance "
        "from pgwallet.project_summary where project_id = %s",
        [project],
    ).fetchall()
    assert shown == ("project shown", "open", SHARDS, 5 * SHARDS, 0)
    assert (
        _count(router, f"select count(*) from pgwallet.escrow_summary where project_id = {project}")
        == SHARDS
    )
    assert (
        _count(
            router,
            "select count(*) = count(distinct (month, currency)) from pgwallet.platform_summary",
        )
        is True
    )


def test_settings_are_changed_on_all_shards(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    router.execute("update pgwallet.settings set fee_rate = 0.03")
    try:
        assert pgwallet.check_ledger(router) == []
        for shard in whole.shards:
            with psycopg.connect(shard.conninfo) as conn:
                assert str(_count(conn, "select fee_rate from pgwallet.settings")) == "0.03"
        with pytest.raises(psycopg.errors.CheckViolation):
            router.execute("update pgwallet.settings set fee_rate = 2")
    finally:
        router.execute("update pgwallet.settings set fee_rate = 0.029")
    assert str(_count(router, "select fee_rate from pgwallet.settings")) == "0.029"


def test_a_view_is_seen_by_who_was_granted_it(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    role = sql.Identifier(f"{clusters.ROLE}_views")
    router.execute(sql.SQL("create role {}").format(role))
    try:
        router.execute("select pgwallet.grant_auditor(%s)", [f"{clusters.ROLE}_views"])
        with router.transaction(force_rollback=True):
            router.execute(sql.SQL("set local role {}").format(role))
            router.execute("select count(*) from pgwallet.wallet_summary")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                router.execute("select * from pgwallet.settings")
    finally:
        router.execute(sql.SQL("drop owned by {0}; drop role {0}").format(role))
    # No password is in what everybody may read.
    options = _count(
        router, "select string_agg(array_to_string(srvoptions, ' '), ' ') from pg_foreign_server"
    )
    assert "password" not in str(options)
    assert whole.role not in str(options)
