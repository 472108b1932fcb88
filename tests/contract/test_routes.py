"""Routers send each call where the catalogue of calls says, and every function has a route."""

from pathlib import Path

import psycopg
import pytest

from pgwallet.cluster import code, routing
from pgwallet.cluster.functions import INTERNAL, Function, Named, read_functions
from pgwallet.cluster.routing import NoRouteError, Route, route_of
from tests.catalogue.calls import CALLS
from tests.catalogue.routes import ROUTES
from tests.clusters import OF_ROUTERS

pytestmark = pytest.mark.sql


@pytest.fixture
def functions(conn: psycopg.Connection) -> dict[str, Function]:
    return {
        name: function
        for name, function in read_functions(conn).items()
        if function.schema == "pgwallet" and name not in INTERNAL
    }


def test_every_function_has_a_route(functions: dict[str, Function]) -> None:
    assert sorted(ROUTES) == sorted(CALLS)
    assert set(functions) < set(ROUTES)


def test_the_router_has_the_routes_of_the_catalogue(functions: dict[str, Function]) -> None:
    by_hand = code.by_hand()
    routes = {name: route_of(function, by_hand) for name, function in functions.items()}
    assert routes == {name: CALLS[name].route for name in functions}


def test_what_is_written_by_hand_is_of_the_catalogue() -> None:
    named = {name for name, route in ROUTES.items() if route is Route.BY_HAND}
    # The owner's alone is the last one.
    assert code.by_hand() - named == OF_ROUTERS


DB = code.directory().parent
WRITTEN_TWICE = sorted(
    path.stem
    for path in (DB / "procedures").rglob("*.sql")
    if path.stem in code.by_hand() - {"read_feed"}  # Each shard has a feed: it says of which.
)


@pytest.mark.parametrize("name", WRITTEN_TWICE)
def test_what_is_written_by_hand_has_the_signature_of_the_ledger(name: str) -> None:
    (ours,) = (DB / "procedures").rglob(f"{name}.sql")
    assert signature(ours) == signature(DB / "cluster" / "router" / f"{name}.sql")


def signature(path: Path) -> list[str]:
    text = path.read_text("utf-8")
    return text[text.index("create or replace function") : text.index("language ")].split()


def test_a_procedure_runs_on_the_router() -> None:
    """Only there can it commit between its rounds."""
    procedures = {name for name, call in CALLS.items() if call.signature.is_procedure}
    assert set(routing.LOCAL_PROCEDURES) == procedures
    local = {name for name, call in CALLS.items() if call.route is Route.LOCAL}
    assert set(routing.LOCAL) | procedures == local


def test_a_function_of_no_known_kind_of_argument_has_no_route() -> None:
    strange = Function(
        schema="pgwallet",
        name="of_the_moon",
        is_volatile=True,
        is_scalar=True,
        arguments=(Named("p_moon_id", "bigint"),),
        with_defaults="p_moon_id bigint",
        columns=(Named("result", "bigint"),),
        comment="",
    )
    with pytest.raises(NoRouteError, match="of_the_moon has no route"):
        route_of(strange, frozenset())
