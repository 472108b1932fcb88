"""By the settings of docs/how-to/server-log.md a log tells refusals from faults, and no secrets."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.access.roles import as_role, login_role
from tests.catalogue.calls import CALLS, FUNCTIONS, good
from tests.catalogue.world import World, world_in
from tests.databases import as_owner
from tests.docs.blocks import ROOT, blocks
from tests.ledger.calling import call, value

PAGE = blocks((ROOT / "docs" / "how-to" / "server-log.md").read_text("utf-8"))
(SETTINGS,) = (block.text for block in PAGE if block.language == "ini")
FIND_FAULTS, COUNT_REFUSALS = (
    block.text.removeprefix("$ ").strip() for block in PAGE if block.language == "console"
)
SURNAME = " Lovelace"
REFUSED = [
    (name, spoil)
    for name in FUNCTIONS
    if "operator" in CALLS[name].given_to and not CALLS[name].alone
    for _, spoil in CALLS[name].refused
]


@pytest.fixture
def role(server: str) -> Iterator[str]:
    with login_role(server) as name:
        yield name


@pytest.fixture
def log(server: str, role: str, database: str) -> Iterator[Path]:
    """Where the server writes what the role does, by the settings of the page."""
    with psycopg.connect(server, autocommit=True) as admin:
        path = Path(value(admin, "show data_directory")) / "server.log"
        if not path.exists():
            pytest.skip("a server that the tests did not start logs elsewhere")
        for name, setting in re.findall(r"^(\w+) = (.+)$", SETTINGS, re.MULTILINE):
            # Of the server the prefix alone, which others may have too.
            where = "system" if name == "log_line_prefix" else f'role "{role}"'
            admin.execute(f"alter {where} set {name} = {setting}".encode())
        admin.execute("select pg_reload_conf()")
        yield path
        admin.execute("alter system reset log_line_prefix")
        admin.execute("select pg_reload_conf()")


def refuse_everything(conn: psycopg.Connection, world: World) -> list[str]:
    """Makes each call that the catalogue knows a refusal of; returns the codes."""
    codes = []
    for name, spoil in REFUSED:
        with pytest.raises(psycopg.Error, match=r".") as caught:
            call(conn, name, **{**good(name, world), **spoil(world)})
        codes.append(caught.value.sqlstate or "")
    return codes


def lines_of(path: Path, start: int, database: str) -> str:
    """What was logged of a database since then, a line a message."""
    with path.open("rb") as file:
        file.seek(start)
        text = file.read().decode()
    return "".join(line for line in text.splitlines(keepends=True) if f"@{database} " in line)


def ran(command: str, log: str, directory: Path) -> str:
    (directory / "postgresql.log").write_text(log)
    return subprocess.run(
        command, shell=True, cwd=directory, capture_output=True, text=True, check=False
    ).stdout


def test_the_log_has_one_line_for_each_refusal_and_tells_faults_apart(
    log: Path, role: str, database: str, tmp_path: Path
) -> None:
    with psycopg.connect(database) as superuser:
        world = world_in(superuser, SURNAME)
        owners = superuser.execute("select owner_id from pgwallet.wallet").fetchall()
    with psycopg.connect(as_owner(database)) as owner:
        owner.execute("select pgwallet.grant_operator(%s)", [role])
    start = log.stat().st_size
    with psycopg.connect(as_role(database, role), autocommit=True) as conn:
        name = conn.info.dbname
        refused = refuse_everything(conn, world)
        with pytest.raises(psycopg.Error):
            conn.execute("select pgwallet.create_wallet('ada Lovelace', 'NONE')")
        with pytest.raises(psycopg.errors.DivisionByZero):
            conn.execute(sql.SQL("select 1 / 0 as {}").format(sql.Identifier(SURNAME)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("table pgwallet.wallet")
    written = log.read_bytes()[start:].decode()
    logged = lines_of(log, start, name)

    assert len(refused) > 50
    codes = re.findall(r"@\S+ (PW\d{3}) ERROR: ", logged)
    assert codes == [*refused, "PW003"]
    faults = ran(FIND_FAULTS, logged, tmp_path).splitlines()
    assert [re.findall(r"@\S+ (\w+) ERROR", line) for line in faults] == [["22012"], ["42501"]]
    counted = ran(COUNT_REFUSALS, logged, tmp_path)
    assert sum(int(line.split()[0]) for line in counted.splitlines()) == len(codes)

    assert (f"ada{SURNAME}",) in owners
    assert [owner for (owner,) in owners if owner in written] == []
    # Of the balances that the details have none is in a message.
    assert not re.search(r"balance|holds? \d", logged)
    assert len(logged.splitlines()) == len(codes) + len(faults)
