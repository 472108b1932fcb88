"""plpgsql_check finds nothing in what a shard and a router have besides a ledger."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgwallet import cluster
from tests import servers

_CHECK = """
select p.oid::regprocedure::text, f.lineno, f.level, f.message, f.detail
from pg_proc as p
inner join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
inner join pg_namespace as n on n.oid = p.pronamespace
cross join lateral plpgsql_check_function_tb(
  p.oid, case when p.prorettype = 'trigger'::regtype then 'pgwallet.settings'::regclass else 0 end
) as f
where n.nspname = any (%s) and f.level like 'error%%'
"""


@pytest.fixture
def checking(router: psycopg.Connection) -> None:
    if not router.execute(
        "select 1 from pg_available_extensions where name = 'plpgsql_check'"
    ).fetchone():
        servers.missing(
            "plpgsql_check is not installed: apt-get install postgresql-15-plpgsql-check"
        )


@pytest.mark.usefixtures("checking")
def test_a_router_has_nothing_that_is_wrong(router: psycopg.Connection) -> None:
    with router.transaction(force_rollback=True):
        router.execute("create extension plpgsql_check schema public")
        assert router.execute(_CHECK, [["pgwallet", "pgwallet_router"]]).fetchall() == []


@pytest.mark.usefixtures("checking")
def test_a_shard_has_nothing_that_is_wrong(whole: cluster.ClusterFile) -> None:
    place = make_conninfo(whole.shards[0].conninfo, options="")
    with psycopg.connect(place) as shard, shard.transaction(force_rollback=True):
        shard.execute("create extension plpgsql_check schema public")
        assert shard.execute(_CHECK, [["pgwallet_shard", "pgwallet_call"]]).fetchall() == []
