"""The Django example: installed by its migrations, tested by its own tests, served over HTTP."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from tests.examples import shop as shops
from tests.examples.shop import Shop

pytest.importorskip("django", reason="Django is not installed: make setup")

OWN_TESTS = len(re.findall(r"def test_", (shops.PROJECT / "shop" / "tests.py").read_text("utf-8")))

# An ASGI server's part: it opens and ends the lifespan around the requests of one client.
ASGI = """
import asyncio, sys
from django.test import AsyncClient
from shop.asgi import application

async def main(wallet_id, project_id):
    events = asyncio.Queue()
    sent = asyncio.Queue()
    served = asyncio.create_task(application({"type": "lifespan"}, events.get, sent.put))
    await events.put({"type": "lifespan.startup"})
    print((await sent.get())["type"])

    client = AsyncClient(headers={"host": "localhost"})
    paths = [f"/wallets/{number}/balance" for number in [wallet_id] * 10 + [1]]
    answers = await asyncio.gather(*(client.get(path) for path in paths))
    print({(answer.status_code, answer.content.decode()) for answer in answers[:10]})
    print(answers[10].status_code)
    form = {"customer": "async", "project_id": project_id, "amount": "2", "key": "1"}
    print((await client.post("/orders/async", form)).status_code)

    await events.put({"type": "lifespan.shutdown"})
    print((await sent.get())["type"])
    await served

asyncio.run(main(*map(int, sys.argv[1:])))
"""

# Celery's part: what is sent is printed.
CELERY = """
import sys, types
import django
from django.db import transaction

film, page = sys.argv[1:]
release = types.SimpleNamespace(delay=lambda project_id: print("sent", project_id))
sys.modules["examples.celery_jobs"] = types.SimpleNamespace(release=release)
django.setup()
exec(page)
with transaction.atomic():
    succeed(int(film))
    print("closed")
"""
JOBS_PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "jobs.md"


@pytest.fixture(scope="module")
def shop(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop, migrated."""
    with shops.created(server, tmp_path_factory.mktemp("settings")) as created:
        migrated(created)
        yield created


@pytest.fixture
def new_shop(server: str, tmp_path: Path) -> Iterator[Shop]:
    """A shop with nothing in its database, for this test alone."""
    with shops.created(server, tmp_path) as created:
        yield created


def migrated(shop: Shop, *target: str) -> str:
    completed = shop.manage("migrate", *target)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def test_migrate_installs_the_ledger_for_its_owner_and_lets_the_application_call_it(
    shop: Shop,
) -> None:
    with psycopg.connect(shop.conninfo) as conn:
        owners = conn.execute(
            "select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'pgwallet'"
        ).fetchall()
        members = conn.execute(
            "select pg_has_role(%s, %s, 'member')", [shop.app, shop.owner]
        ).fetchall()
        conn.execute(f"set role {shop.app}".encode())
        wallet = pgwallet.create_wallet(conn, "ada")
        orders = conn.execute("select count(*) from shop_order").fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute("select from pgwallet.account")
        conn.rollback()

    assert (owners, members) == ([(shop.owner,)], [(False,)])
    assert (wallet.owner_id, orders) == ("ada", [(0,)])
    assert pgwallet.status(shop.conninfo).up_to_date
    assert "No migrations to apply" in migrated(shop)


def test_the_migrations_make_the_tables_of_the_models(shop: Shop) -> None:
    completed = shop.manage("makemigrations", "--check", "--dry-run")

    assert completed.returncode == 0, completed.stdout + completed.stderr


@pytest.mark.parametrize(
    "options",
    [None, "{}", "{'server_side_binding': True}", "{'pool': True, 'prepare_threshold': 0}"],
    ids=["as it is", "without a pool", "parameters bound by the server", "prepared"],
)
def test_its_own_tests_pass_whatever_the_connections_options(
    shop: Shop, options: str | None
) -> None:
    # The first makes the database of the tests, the others find the ledger in it.
    completed = shop.manage("test", "--keepdb", "--no-input", options=options)

    assert f"Ran {OWN_TESTS} tests" in completed.stderr, completed.stderr
    assert completed.stderr.rstrip().splitlines()[-2] == "OK", completed.stderr


def test_async_views_serve_at_once_from_a_pool_that_lives_as_long_as_the_server(
    shop: Shop,
) -> None:
    with psycopg.connect(shop.conninfo) as conn:
        wallet = pgwallet.create_wallet(conn, "async").wallet_id
        film = pgwallet.create_project(conn, "film").project_id
        pgwallet.deposit(conn, wallet, 5)
    with shop.program(ASGI, str(wallet), str(film)) as program:
        printed, _ = program.communicate()
    with psycopg.connect(shop.conninfo) as conn:
        balance = pgwallet.balance(conn, wallet)
        orders = conn.execute("select customer, amount from shop_order").fetchall()

    assert printed.splitlines() == [
        "lifespan.startup.complete",
        str({(200, '{"balance": "5.00"}')}),
        "404",
        "201",
        "lifespan.shutdown.complete",
    ]
    assert program.returncode == 0
    assert (balance, orders) == (Decimal(3), [("async", Decimal(2))])


def test_the_task_of_a_closed_project_is_sent_after_the_commit(shop: Shop) -> None:
    found = re.search(
        "## Celery.*?```python\n(import .*?)```", JOBS_PAGE.read_text("utf-8"), re.DOTALL
    )
    assert found is not None
    with psycopg.connect(shop.conninfo) as conn:
        film = pgwallet.create_project(conn, "celery").project_id
        conn.execute("select pgwallet.grant_operator(%s)", [shop.app])
    with shop.program(CELERY, str(film), found[1]) as program:
        printed, _ = program.communicate()
    assert printed.split() == ["closed", "sent", str(film)]
    with psycopg.connect(shop.conninfo) as conn:
        assert pgwallet.get_project(conn, film).status == "succeeded"


def test_backwards_the_ledger_stays_and_forwards_it_is_found_again(new_shop: Shop) -> None:
    migrated(new_shop)
    with psycopg.connect(new_shop.conninfo) as conn:
        wallet = pgwallet.create_wallet(conn, "ada").wallet_id
        pgwallet.deposit(conn, wallet, 5)
    migrated(new_shop, "shop", "zero")
    with psycopg.connect(new_shop.conninfo) as conn:
        tables = conn.execute("select to_regclass('shop_order')").fetchall()
        balance = pgwallet.balance(conn, wallet)
        # As an upgrade: the next migration has something to do.
        conn.execute("drop function pgwallet.balance_at(bigint, timestamptz, text)")
    migrated(new_shop)

    assert tables == [(None,)]
    assert balance == 5
    assert pgwallet.status(new_shop.conninfo).up_to_date


def test_a_migration_that_cannot_install_says_why_and_is_not_recorded(new_shop: Shop) -> None:
    with psycopg.connect(new_shop.conninfo) as conn:
        conn.execute("create schema pgwallet")  # the superuser's
    completed = new_shop.manage("migrate")

    assert "the schema pgwallet belongs to" in completed.stderr
    assert completed.returncode == 1
    as_migrator = make_conninfo(new_shop.conninfo, user=new_shop.migrator, password=shops.PASSWORD)
    with psycopg.connect(as_migrator) as conn:
        assert conn.execute("select count(*) from django_migrations").fetchall() == [(0,)]
