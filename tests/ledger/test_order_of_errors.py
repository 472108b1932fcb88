"""Where several refusals apply, the first in one order is the one that comes.

A malformed amount, a malformed argument, what does not exist, too many decimals, a key that was
used otherwise; then currency, status, limit and funds. Each fault that a function knows comes here
together with one of every kind that is found later.
"""

import psycopg
import pytest

import pgwallet
from tests import clusters
from tests.catalogue.calls import CALLS, good
from tests.catalogue.spoiling import USED, Fault, ladder, spoilt
from tests.catalogue.world import World
from tests.ledger.calling import call, refused

pytestmark = pytest.mark.sql

# Through a router the deposit below does not use the key of these.
OTHER_KEYS = {(name, "a used key") for name in clusters.PLANNED}
STEPS = [
    (name, fault)
    for name in CALLS
    for fault in ladder(CALLS[name])
    if not clusters.are_tested()
    or (name not in clusters.NOT_HERE and (name, fault.what) not in OTHER_KEYS)
]


@pytest.mark.parametrize(
    ("name", "fault"),
    STEPS,
    ids=[f"{n}-{name}-{fault.what}-{fault.code}" for n, (name, fault) in enumerate(STEPS)],
)
def test_the_first_refusal_in_order_comes_first(
    shared: psycopg.Connection, world: World, name: str, fault: Fault
) -> None:
    with shared.transaction(force_rollback=True):
        pgwallet.deposit(shared, world.yen_wallet, 1, idempotency_key=USED)
        for arguments in spoilt(CALLS[name], world, fault):
            with refused(shared, fault.code):
                call(shared, name, **arguments)


def test_an_expiry_in_the_past_is_refused_before_what_does_not_exist(
    shared: psycopg.Connection, world: World
) -> None:
    """Also where the key was used, for another call: a replay may well come after the expiry."""
    with shared.transaction(force_rollback=True):
        pgwallet.deposit(shared, world.yen_wallet, 1, idempotency_key=USED)
        arguments = {
            **good("pledge", world),
            "p_wallet_id": 1,
            "p_project_id": 1,
            "p_amount": "600.001",
            "p_expires_at": "2020-01-01 00:00:00+00",
        }
        with refused(shared, "PW002"):
            call(shared, "pledge", **arguments, p_idempotency_key="fresh")
        with refused(shared, "PW002"):
            call(shared, "pledge", **arguments, p_idempotency_key=USED)
        with refused(shared, "PW001"):
            call(shared, "pledge", **{**arguments, "p_amount": "1e15"}, p_idempotency_key="fresh")
