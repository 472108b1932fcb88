"""`cluster check` finds what is wrong, and `cluster complete` ends what was broken off."""

import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import psycopg

import pgwallet
from pgwallet import cluster
from pgwallet.cluster import ClusterFile
from tests.cli.command import pgwallet_here
from tests.cluster.conftest import as_router, released_on_all_shards, wallets_on_all_shards
from tests.clusters import written


def home_of(file: ClusterFile, router: psycopg.Connection, reference: str) -> str:
    row = router.execute("select pgwallet_router._home_of(%s)", [reference]).fetchone()
    assert row is not None
    return file.shards[row[0]].conninfo


def test_a_key_of_two_shards_is_found_where_it_is_asked_for(
    router: psycopg.Connection, whole: ClusterFile, tmp_path: Path
) -> None:
    first, second, third, _ = wallets_on_all_shards(router, "keys")
    pgwallet.deposit(router, first, 10, "shared by two")
    pgwallet.deposit(router, third, 10, "shared by two")
    pgwallet.deposit(router, second, 10, "of one")
    (found,) = [key for key in cluster.shared_keys(whole) if key.idempotency_key == "shared by two"]
    assert [(use.shard, use.call.split()[0]) for use in found.uses] == [
        (0, "deposit"),
        (2, "deposit"),
    ]
    assert "of one" not in {key.idempotency_key for key in cluster.shared_keys(whole)}

    told = pgwallet_here(
        "cluster", "check", written(whole, tmp_path / "cluster.toml"), "--keys", "--json"
    )
    assert told.returncode == 1, told.stderr
    assert "key 'shared by two'" in {each["subject"] for each in json.loads(told.stdout)}


def test_the_key_of_a_payout_of_all_shards_is_one_call(
    router: psycopg.Connection, whole: ClusterFile
) -> None:
    film = released_on_all_shards(router, "paid out over shards")
    pgwallet.payout(router, film, 40, "paid out over shards")
    keys = {key.idempotency_key: key.uses for key in cluster.shared_keys(whole)}
    assert "paid out over shards" not in keys
    # With a wallet of a shard that is not the one of the plan it is another call.
    wallets = wallets_on_all_shards(router, "payers")
    for wallet in wallets:
        with suppress(pgwallet.IdempotencyConflict):
            pgwallet.deposit(router, wallet, 10, "paid out over shards")
    keys = {key.idempotency_key: key.uses for key in cluster.shared_keys(whole)}
    assert "paid out over shards" in keys


def test_a_project_that_one_shard_alone_has_is_made_and_closed_on_all(
    router: psycopg.Connection, whole: ClusterFile, tmp_path: Path
) -> None:
    path = written(whole, tmp_path / "cluster.toml")
    closed = pgwallet.create_project(router, "half closed").project_id
    row = router.execute("select pgwallet_router._home_of_project(%s)", [closed]).fetchone()
    assert row is not None
    with as_router(whole, row[0]) as home:
        home.execute("select from pgwallet_call.close_project(%s, 'failed')", [closed])
    with psycopg.connect(home_of(whole, router, "made at home")) as home:
        row = home.execute(
            "select p.project_id from pgwallet_shard.draw_project_id('made at home') as d, "
            "pgwallet._open_project('made at home', 'EUR', 0.1, null, null, null, 0.30, d) as p"
        ).fetchone()
        assert row is not None
        (made,) = row

    told = pgwallet_here("cluster", "complete", path)
    assert told.returncode == 0, told.stderr
    assert f"project {made} is on all shards now" in told.stdout
    assert f"project {closed} is closed on all shards now" in told.stdout
    for shard in whole.shards:
        with psycopg.connect(shard.conninfo) as conn:
            assert pgwallet.get_project(conn, closed).status == "failed"
            assert pgwallet.get_project(conn, made).status == "open"
    same = pgwallet.create_project(
        router, "made at home", commission_rate=Decimal("0.1"), fee_fixed=Decimal("0.30")
    )
    assert same.project_id == made
    again = pgwallet_here("cluster", "complete", path)
    assert (again.returncode, again.stdout) == (0, "Nothing was broken off.\n"), again.stderr


def test_what_is_wrong_on_a_shard_is_found_with_its_number(
    router: psycopg.Connection, whole: ClusterFile, tmp_path: Path
) -> None:
    path = written(whole, tmp_path / "cluster.toml")
    sound = pgwallet_here("cluster", "check", path)
    assert (sound.returncode, sound.stdout) == (
        0,
        "The cluster is sound: check found nothing.\n",
    ), sound.stderr
    _, wallet, *_ = wallets_on_all_shards(router, "wrong")
    pgwallet.deposit(router, wallet, 10)
    edit = "update pgwallet.account set balance = balance + {} where account_id = {}"
    with psycopg.connect(whole.shards[1].conninfo, autocommit=True) as shard:
        shard.execute(edit.format(1, wallet).encode())
        try:
            told = pgwallet_here("cluster", "check", path, "--json")
        finally:
            shard.execute(edit.format(-1, wallet).encode())
    assert told.returncode == 1
    assert {each["detail"].partition(":")[0] for each in json.loads(told.stdout)} == {"On shard 1"}


def test_a_shard_that_is_not_reached_was_not_looked_at(whole: ClusterFile, tmp_path: Path) -> None:
    text = written(whole, tmp_path / "cluster.toml").read_text()
    path = tmp_path / "gone.toml"
    path.write_text(text.replace(whole.shards[0].conninfo, "host=/nowhere dbname=gone", 1))
    told = pgwallet_here("cluster", "check", path)
    assert told.returncode == 3
    assert "shard 0 cannot be reached" in told.stderr
