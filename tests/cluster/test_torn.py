"""A plan that a database has lost in a restore, and another one has kept a part of."""

import psycopg

import pgwallet
from pgwallet import cluster
from tests.cluster.conftest import SHARDS, as_owner, released_on_all_shards, wallets_on_all_shards

_TOTAL = 10 * SHARDS


def _plan_of(router: psycopg.Connection, file: cluster.ClusterFile, key: str) -> tuple[int, str]:
    """Its id, and the connection string of its home."""
    row = router.execute("select pgwallet_router._home_of(%s)", [key]).fetchone()
    assert row is not None
    home = file.shards[row[0]].conninfo
    with psycopg.connect(home) as conn:
        found = conn.execute("select plan_id from pgwallet_shard.find_plan(%s)", [key]).fetchone()
    assert found is not None
    return int(found[0]), home


def _named(file: cluster.ClusterFile, plan: int) -> list[str]:
    return [each.detail for each in cluster.check(file) if each.subject == f"plan {plan}"]


def test_parts_of_a_plan_that_is_gone_are_taken_back(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    project = released_on_all_shards(router, "gone")
    paid = pgwallet.payout(router, project, 25, "gone")
    plan, home = _plan_of(router, whole, "gone")
    with psycopg.connect(home) as conn:
        conn.execute("delete from pgwallet_shard.plan where plan_id = %s", [plan])
    assert len(_named(whole, plan)) == 3
    done = cluster.complete(whole)
    assert [each.state for each in done.plans] == ["undone"] * 3
    assert pgwallet.balance(router, project) == _TOTAL
    assert _named(whole, plan) == []
    again = pgwallet.payout(router, project, 25, "gone")
    assert not again.replayed
    assert again.transaction_id != paid.transaction_id
    assert pgwallet.balance(router, project) == _TOTAL - 25
    assert cluster.complete(whole).plans == ()


def test_a_part_that_a_shard_has_lost_is_done_again(
    router: psycopg.Connection, whole: cluster.ClusterFile
) -> None:
    here, there, *_ = wallets_on_all_shards(router, "lost")
    pgwallet.deposit(router, here, 10)
    # A transfer that is done, and never came to the shard of its second part.
    with as_owner(router, whole):
        (plan,) = router.execute(
            """
            select p.plan_id from pgwallet_router._plan('lost part', 'transfer', (
              select jsonb_agg(jsonb_build_object(
                'shard', w.shard, 'do', w.what, 'wallet_id', w.wallet_id, 'amount', 10,
                'key', 'lost part'
              ))
              from (values (0, 'send', %s::bigint), (1, 'receive', %s::bigint))
                as w (shard, what, wallet_id)
            )) as p
            """,
            [here, there],
        ).fetchone() or (0,)
        for query in (
            "select r.error from pgwallet_remote.show_plan(pgwallet_router._shard_of(%(plan)s), "
            "%(plan)s) as p "
            "cross join lateral pgwallet_remote.run_part(0, %(plan)s, 0, p.parts -> 0) as r",
            "select r.error from pgwallet_remote.end_plan("
            "pgwallet_router._shard_of(%(plan)s), %(plan)s, 'done', '[]') as r",
        ):
            assert router.execute(query, {"plan": plan}).fetchone() == (None,)
    assert [pgwallet.balance(router, wallet) for wallet in (here, there)] == [0, 0]
    assert _named(whole, plan) == ["Shard 1 has lost part 1 of it."]
    (done,) = cluster.complete(whole).plans
    assert (done.state, done.failure) == ("done", None)
    assert [pgwallet.balance(router, wallet) for wallet in (here, there)] == [0, 10]
    assert _named(whole, plan) == []
    assert pgwallet.check_ledger(router) == []
