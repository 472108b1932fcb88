"""What a standby gives out that takes over without the last commits of its primary."""

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

import pgwallet
from tests import servers
from tests.deployment.own_server import directory, programs, standby_of
from tests.waiting import until_true

LOST = 40


def projects(conninfo: str, word: str) -> set[int]:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        return {
            pgwallet.create_project(conn, f"{word}-{number}").project_id for number in range(LOST)
        }


def test_ids_of_projects_that_a_failover_lost_are_given_again_unless_they_are_skipped(
    server: str,
) -> None:
    with directory() as place, servers.started(programs(server), place / "primary") as primary:
        on_primary = [make_conninfo(primary.conninfo, dbname=name) for name in ("one", "two")]
        with psycopg.connect(primary.conninfo, autocommit=True) as admin:
            admin.execute("create database one")
            pgwallet.migrate(on_primary[0])
            admin.execute("create database two template one")
        with standby_of(primary, place / "standby") as standby:
            without, mended = (
                make_conninfo(standby.conninfo, dbname=name) for name in ("one", "two")
            )
            with psycopg.connect(standby.conninfo, autocommit=True) as admin:
                until_true(admin, "exists (select from pg_stat_wal_receiver)")
                with (
                    psycopg.connect(mended) as conn,
                    pytest.raises(errors.ReadOnlySqlTransaction, match="gives out no ids"),
                ):
                    pgwallet.skip_ids(conn)
                assert pgwallet.status(mended).up_to_date
                admin.execute("alter system set primary_conninfo = ''")
                admin.execute("select pg_reload_conf()")
                until_true(admin, "not exists (select from pg_stat_wal_receiver)")

                lost = [projects(conninfo, "lost") for conninfo in on_primary]
                primary.stop()
                admin.execute("select pg_promote()")

            twice = lost[0] & projects(without, "new")
            assert len(twice) > LOST / 4
            with psycopg.connect(mended) as conn:
                pgwallet.skip_ids(conn)
            assert lost[1] & projects(mended, "new") == set()
            for conninfo in (without, mended):
                with psycopg.connect(conninfo) as conn:
                    assert pgwallet.check_ledger(conn) == []
