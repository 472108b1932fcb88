"""The stage that attackers are let onto, and the check after each test that nothing is harmed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgwallet
from tests import clusters, databases
from tests.attackers import attempts, traps
from tests.attackers.stage import Stage, attackers, prepare, staged, state
from tests.catalogue.world import World
from tests.reports import recorded

Login = Callable[[str], psycopg.Connection]


@pytest.fixture(autouse=True)
def counted(record_property: Callable[[str, object], None]) -> Iterator[None]:
    before = len(attempts.tried)
    yield
    record_property("attempts", len(attempts.tried) - before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if made := sum(recorded(terminalreporter, "attempts")):
        terminalreporter.write_line(f"attackers made {made} attempts")


@pytest.fixture(scope="session")
def roles(server: str) -> Iterator[dict[str, str]]:
    with attackers(server) as names:
        yield names


@pytest.fixture(scope="session")
def prepared(server: str, template: str, roles: dict[str, str]) -> Iterator[tuple[str, World]]:
    """Name of a database that stages are copied from, and the ids of what is in it."""
    with databases.created(server, template) as name:
        conninfo = make_conninfo(server, dbname=name)
        world = prepare(conninfo, roles)
        with Stage(conninfo, roles, world).login("app") as conn:
            traps.lay(conn)
        yield name, world


@pytest.fixture(scope="session")
def shared_stage(
    server: str, prepared: tuple[str, World], roles: dict[str, str]
) -> Iterator[Stage]:
    with staged(server, prepared[0], roles, prepared[1]) as one:
        yield one


@pytest.fixture(scope="session")
def before(shared_stage: Stage) -> Iterator[tuple[psycopg.Connection, dict[str, object]]]:
    """What is there at first; sound, as it is again after the last test."""
    with shared_stage.superuser() as conn:
        assert pgwallet.check_ledger(conn) == []
        yield conn, state(conn, list(shared_stage.roles.values()))
        assert pgwallet.check_ledger(conn) == []


@pytest.fixture(scope="session")
def stage_shards(server: str, shared_stage: Stage) -> Iterator[clusters.Shards | None]:
    """Where clusters are tested, what is done through a router to the stage is there."""
    if not clusters.are_tested():
        yield None
        return
    router = str(conninfo_to_dict(shared_stage.conninfo)["dbname"])
    with clusters.Shards(server, router).open() as shards:
        shards.remember()
        yield shards


@pytest.fixture
def stage(
    shared_stage: Stage,
    before: tuple[psycopg.Connection, dict[str, object]],
    stage_shards: clusters.Shards | None,
) -> Iterator[Stage]:
    """The stage of all tests whose attacks fail or are undone: after each it is as it was."""
    yield shared_stage
    if stage_shards is not None:
        stage_shards.reset()
    conn, known = before
    # With every row and every object as it was, check_ledger would find what it found.
    now = state(conn, list(shared_stage.roles.values()))
    changed = {key: value for key, value in now.items() if value != known[key]}
    known.update(now)  # so that only the test that did it fails
    assert changed == {}


@pytest.fixture
def own_stage(server: str, prepared: tuple[str, World], roles: dict[str, str]) -> Iterator[Stage]:
    """A stage for this test alone, which may commit."""
    with staged(server, prepared[0], roles, prepared[1]) as one:
        yield one


@pytest.fixture(scope="session")
def sessions(shared_stage: Stage) -> Iterator[Login]:
    """One session an attacker, for attempts that leave nothing behind in it."""
    with ExitStack() as stack:
        opened: dict[str, psycopg.Connection] = {}

        def session(attacker: str) -> psycopg.Connection:
            if attacker not in opened:
                opened[attacker] = stack.enter_context(shared_stage.login(attacker))
            return opened[attacker]

        yield session
