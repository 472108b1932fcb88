"""An operating system's upgrade may exchange the order of texts under an index.

Here it does: two locales of one name, each in a folder of its own, have opposite orders, and the
server is started with one, then with the other.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from tests.deployment.own_server import directory, programs
from tests.servers import missing, started

pytestmark = pytest.mark.sql

LOCALE = "xx_XX.UTF-8"
PRINTABLE = [f"<U{code:04X}>" for code in range(0x20, 0x7F)]
SOURCE = """\
comment_char %
escape_char /
LC_CTYPE
copy "i18n_ctype"
END LC_CTYPE
LC_COLLATE
order_start forward
{order}
order_end
END LC_COLLATE
"""
NAMES = [f"{letter}{number}" for number in range(40) for letter in "azmQ"]
# What an index in the database's own order has lost, to see that the order was exchanged.
FOUND = """
select count(*)
from unnest(%s::text[]) as u (name)
where exists (select from control as c where c.name = u.name)
"""


@pytest.fixture
def locales() -> Iterator[Path]:
    """A folder with the folders `old` and `new`."""
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/i18n_ctype").exists():
        missing("localedef and its sources are not installed: apt-get install locales")
    with directory() as path:
        for name, order in (("old", PRINTABLE), ("new", PRINTABLE[::-1])):
            (path / name).mkdir()
            source = path / f"{name}.source"
            source.write_text(SOURCE.format(order="\n".join(order)))
            subprocess.run(
                [
                    *("localedef", "-c", "--no-archive", "-i", source, "-f", "UTF-8"),
                    path / name / LOCALE,
                ],
                capture_output=True,
                check=False,  # it warns of the categories that are left out
            )
            assert (path / name / LOCALE / "LC_COLLATE").exists()
        yield path


def test_each_key_owner_reference_and_name_is_found_after_the_order_was_exchanged(
    server: str, locales: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with directory() as place:

        def with_order(name: str, act: Callable[[psycopg.Connection], None]) -> None:
            monkeypatch.setenv("LOCPATH", str(locales / name))
            with started(programs(server), place / "data") as own:
                if name == "old":
                    with psycopg.connect(own.conninfo, autocommit=True) as admin:
                        admin.execute(
                            f"create database ledger template template0 lc_collate '{LOCALE}' "
                            f"lc_ctype '{LOCALE}' encoding 'UTF8'".encode()
                        )
                conninfo = make_conninfo(own.conninfo, dbname="ledger")
                pgwallet.migrate(conninfo)
                with psycopg.connect(conninfo, autocommit=True) as conn:
                    act(conn)

        before: dict[str, object] = {}

        def fill(conn: psycopg.Connection) -> None:
            conn.execute("create table control (name text primary key)")
            conn.execute("insert into control select unnest(%s::text[])", [NAMES])
            assert found_by_index(conn) == len(NAMES)
            before.update(everybody(conn))

        def find(conn: psycopg.Connection) -> None:
            assert found_by_index(conn) < len(NAMES)
            assert everybody(conn) == before
            assert conn.execute("select count(*) from pgwallet.wallet").fetchone() == (len(NAMES),)
            for insert in SECOND:
                assert conn.execute(insert, [NAMES]).rowcount == 0
            assert pgwallet.check_ledger(conn) == []

        with_order("old", fill)
        with_order("new", find)


def found_by_index(conn: psycopg.Connection) -> int:
    with conn.transaction():
        for way in ("seqscan", "hashjoin", "mergejoin"):
            conn.execute(f"set local enable_{way} = off".encode())
        ((found,),) = conn.execute(FOUND, [NAMES]).fetchall()
    return int(found)


def everybody(conn: psycopg.Connection) -> dict[str, object]:
    """What each call answers; the first time they are new, then they are found again."""
    answers: dict[str, object] = {}
    ids = []
    for name in NAMES:
        wallet = pgwallet.create_wallet(conn, name)
        ids.append(wallet.wallet_id)
        answers[f"wallet {name}"] = wallet.wallet_id
        answers[f"project {name}"] = pgwallet.create_project(conn, name).project_id
        answers[f"key {name}"] = pgwallet.deposit(
            conn, wallet.wallet_id, 1, idempotency_key=name
        ).transaction_id
        pocket = (ids[0], name)
        if conn.execute(POCKET, pocket).fetchone() is None:
            pgwallet.create_pocket(conn, *pocket)
        answers[f"pocket {name}"] = conn.execute(POCKET, pocket).fetchone()
    many = pgwallet.deposit_many(
        conn, ids, [Decimal(1)] * len(ids), idempotency_keys=[f"many {name}" for name in NAMES]
    )
    answers["many"] = [each.transaction_id for each in many]
    return answers


POCKET = "select pocket_id from pgwallet.pocket where wallet_id = %s and name = %s"
# As an insert that the unique index does not stop; the id is free and stands for any.
SECOND = [
    """
    insert into pgwallet.wallet (wallet_id, owner_id, currency)
    select c.external_account_id, u.name, 'EUR'
    from pgwallet.currency as c, unnest(%s::text[]) as u (name) where c.currency = 'EUR'
    on conflict on constraint wallet_owner_key do nothing
    """,
    """
    insert into pgwallet.pocket (pocket_id, wallet_id, name)
    select c.external_account_id, k.wallet_id, u.name
    from pgwallet.currency as c, unnest(%s::text[]) as u (name),
      (select p.wallet_id from pgwallet.pocket as p limit 1) as k
    where c.currency = 'EUR'
    on conflict (wallet_id, name) where closed_at is null do nothing
    """,
    """
    insert into pgwallet.transaction (kind, idempotency_key, request)
    select 'deposit', u.name, 'deposit' from unnest(%s::text[]) as u (name)
    on conflict (idempotency_key) where idempotency_key is not null do nothing
    """,
]
