"""The bench beside pgledger, on a stand-in that has its functions' names and nothing else of it."""

from pathlib import Path
from typing import cast

import psycopg
import pytest

pytest.importorskip("django", reason="Django is not installed: make setup")

from bench import peer, server
from bench.contests import KEYED
from pgwallet import embedded

STAND_IN = """
create table account (id text primary key default stand_in_id(), balance numeric not null);
create table movement (source text, target text, amount numeric);

create function pgledger_create_account(name text, currency text)
returns setof account
begin atomic
  insert into account (balance) values (0) returning *;
end;

create function pgledger_create_transfer(source text, target text, amount numeric)
returns setof movement
begin atomic
  update account as a set balance = a.balance - amount where a.id = source;
  update account as a set balance = a.balance + amount where a.id = target;
  insert into movement values (source, target, amount) returning *;
end;
"""
NEEDED = """
create function stand_in_id() returns text begin atomic select gen_random_uuid()::text; end;
"""
SMALL = peer.Sizes(rounds=1, seconds=0, clients=2, wallets=12)


class Borrowed(server.Bench):
    """A bench in a database that exists, on a server that others share."""

    def __init__(self, conn: psycopg.Connection, conninfo: str) -> None:
        class Programs:
            bin_path = embedded._bin_path(18)

        self.conn, self.conninfo = conn, conninfo
        self.server = cast(embedded.Server, Programs)


def clone(folder: Path, needed: str = NEEDED, functions: str = STAND_IN) -> Path:
    """Laid out as the peer's repository is."""
    (folder / "vendor" / "ids").mkdir(parents=True)
    (folder / "vendor" / "ids" / "ids.sql").write_text(needed)
    (folder / "pgledger.sql").write_text(functions)
    return folder


def test_both_take_turns_in_every_contest(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        results = peer.measured(Borrowed(conn, database), clone(tmp_path), empty_database, SMALL)
        (pledged,) = conn.execute("select count(*) from pgwallet.escrow").fetchone() or (0,)

    assert [result.work for result in results] == [
        "pledges to 100 projects, 2 clients",
        "pledges to one project, 2 clients",
    ]
    assert [result.at_least for result in results] == [{"pgledger": 2.5}, {"pgledger": 5}]
    for result in results:
        assert list(result.rates) == ["pgwallet", "pgledger", KEYED]
        assert all(rate > 0 for rates in result.rates.values() for rate in rates)
    with psycopg.connect(empty_database) as conn:
        to_one = conn.execute(
            "select count(*) from movement as m group by m.target order by 1 desc limit 1"
        ).fetchone()
        (moved,) = conn.execute("select count(*) from movement").fetchone() or (0,)
    # As many of ours with a key as without; and one transfer that tries the functions.
    assert pledged == 2 * (moved - 1)
    assert to_one is not None
    assert to_one[0] >= (moved - 1) / 2


@pytest.mark.parametrize(
    ("needed", "functions", "said"),
    [
        ("", STAND_IN, "stand_in_id() does not exist"),
        (NEEDED, "select 1 +", "syntax error"),
        (NEEDED, "select 1", "it has other functions than this bench calls"),
    ],
    ids=["without what it needs", "no SQL", "without the functions"],
)
def test_what_cannot_be_installed_or_called_is_said(
    empty_database: str, tmp_path: Path, needed: str, functions: str, said: str
) -> None:
    directory = clone(tmp_path, needed, functions)
    with (
        psycopg.connect(empty_database, autocommit=True) as conn,
        pytest.raises(peer.NoPeer, match="HINT: ") as refused,
    ):
        peer.installed(conn, empty_database, directory, 2)
    assert said in str(refused.value)


def test_a_directory_without_it_is_refused_before_a_server_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.peer", str(tmp_path)])
    monkeypatch.delattr(server, "started")
    with pytest.raises(SystemExit, match=f"^ERROR: there is no pgledger.sql in {tmp_path}\nHINT: "):
        peer.main()
