"""Any calls in any order through a router say what a plain reference says of one database."""

from decimal import Context, localcontext

import psycopg
import pytest
from hypothesis import Phase
from psycopg.conninfo import make_conninfo

from tests import clusters, databases
from tests.effort import effort
from tests.model.routed import HOME, Routed, names_of_one_shard
from tests.model.rules import Rules
from tests.model.test_model import (
    DOCUMENTED,
    FUNCTIONS,
    functions_done,
    held_against_the_reference,
)

EXAMPLES = effort("PGWALLET_ROUTED_EXAMPLES", part=10, full=20)
ENOUGH = max(50, 2 * EXAMPLES)

pytestmark = [
    pytest.mark.skipif(not clusters.are_tested(), reason="PGWALLET_TEST_SERVER=cluster has it"),
    pytest.mark.timeout(600 + 20 * ENOUGH),
]


def test_a_router_agrees_with_the_reference_after_every_call(
    server: str, spare_shards: tuple[str, clusters.Shards]
) -> None:
    Rules.met.clear()
    name, shards = spare_shards
    with (
        databases.copied(server, name) as router,
        psycopg.connect(server, dbname=router, autocommit=True) as conn,
        localcontext(Context(prec=200)),
    ):
        documented = set(conn.execute(DOCUMENTED, [list(FUNCTIONS)]))
        named = names_of_one_shard(conn)
        (home,) = conn.execute(HOME, [named["ada"]]).fetchone() or (0,)
        place = make_conninfo(server, dbname=databases.parts[name][home])
        with psycopg.connect(place, autocommit=True) as at_home:

            class Connected(Routed):
                names = named
                shard = at_home
                undo = staticmethod(shards.reset)

                def __init__(self) -> None:
                    super().__init__(conn)

            held_against_the_reference(
                Connected,
                EXAMPLES,
                ENOUGH,
                lambda: functions_done() == FUNCTIONS,
                # To make it smaller would take hours: each example leaves rows to be taken back.
                [Phase.generate],
            )
    refusals = {(name, outcome) for name, outcome in Rules.met if outcome.startswith("PW")}
    assert refusals <= documented
    assert functions_done() == FUNCTIONS
