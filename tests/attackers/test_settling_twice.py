"""An escrow's money leaves it once, whichever calls are combined."""

from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest

from tests.attackers.attempts import outcome_of
from tests.attackers.conftest import Login
from tests.attackers.stage import Stage
from tests.catalogue.world import World
from tests.ledger.calling import call, value

pytestmark = pytest.mark.sql

Settling = Callable[[psycopg.Connection, World, int], object]


def close(outcome: str) -> Settling:
    return lambda conn, w, escrow: call(conn, "close_project", w.open, outcome)


def single(name: str, amount: str | None = None) -> Settling:
    return lambda conn, w, escrow: call(conn, name, escrow, amount)


def batch(name: str, *arguments: object) -> Settling:
    return lambda conn, w, escrow: call(conn, name, w.open, *arguments)


def then(*steps: Settling) -> Settling:
    def run(conn: psycopg.Connection, w: World, escrow: int) -> None:
        for step in steps:
            step(conn, w, escrow)

    return run


RELEASES: dict[str, Settling] = {
    "release": single("release_escrow"),
    "two halves": then(single("release_escrow", "15"), single("release_escrow", "15")),
    "all but refund": then(single("refund_escrow", "10"), single("release_escrow")),
    "batch": then(close("succeeded"), batch("release_escrows")),
    "waiting batch": then(close("succeeded"), batch("release_escrows", 10, 0, True)),
}
REFUNDS: dict[str, Settling] = {
    "refund": single("refund_escrow"),
    "two parts": then(single("refund_escrow", "29.99"), single("refund_escrow", "0.01")),
    "batch": then(close("failed"), batch("refund_escrows")),
    "waiting batch": then(close("failed"), batch("refund_escrows", 10, 0, True)),
}
FIRST = {f"released: {name}": how for name, how in RELEASES.items()} | {
    f"refunded: {name}": how for name, how in REFUNDS.items()
}


def balance(conn: psycopg.Connection, account_id: int) -> Decimal:
    return Decimal(value(conn, "select pgwallet.balance(%s)", account_id))


def holdings(conn: psycopg.Connection, world: World) -> dict[str, Decimal]:
    return {
        "wallet": balance(conn, world.wallet),
        "pocket": balance(conn, world.pocket),
        "project": balance(conn, world.open),
    }


@pytest.mark.parametrize("first", FIRST)
def test_what_is_settled_is_not_settled_again(stage: Stage, sessions: Login, first: str) -> None:
    conn, world = sessions("operator"), stage.world
    with conn.transaction(force_rollback=True):
        FIRST[first](conn, world, world.escrow)
        settled = holdings(conn, world)

        for name in ("release_escrow", "refund_escrow"):
            for amount in (None, "0.01", "30"):
                code = outcome_of(conn, name, p_escrow_id=world.escrow, p_amount=amount)
                failed = first in ("refunded: batch", "refunded: waiting batch")
                assert code == ("PW205" if failed and name == "release_escrow" else "PW202")
        assert holdings(conn, world) == settled

        assert call(conn, "check_ledger") == []


@pytest.mark.parametrize(
    ("outcome", "name"), [("succeeded", "release_escrows"), ("failed", "refund_escrows")]
)
def test_a_second_batch_finds_nothing(
    stage: Stage, sessions: Login, outcome: str, name: str
) -> None:
    conn, world = sessions("operator"), stage.world
    with conn.transaction(force_rollback=True):
        # What has expired is no part of a release.
        assert call(conn, "refund_expired_escrows")[0]["escrow_count"] == 1
        call(conn, "close_project", world.open, outcome)
        assert call(conn, name, world.open)[0]["escrow_count"] == 2
        settled = holdings(conn, world)
        for after in (0, -1, -(2**63)):
            assert call(conn, name, world.open, 100, after)[0]["escrow_count"] == 0
            assert call(conn, name, world.open, 100, after, True)[0]["escrow_count"] == 0
        assert call(conn, "refund_expired_escrows")[0]["escrow_count"] == 0
        assert holdings(conn, world) == settled
        assert call(conn, "check_ledger") == []


def test_an_expired_escrow_is_refunded_once(stage: Stage, sessions: Login) -> None:
    conn, world = sessions("operator"), stage.world
    with conn.transaction(force_rollback=True):
        (refunded,) = call(conn, "refund_expired_escrows")
        assert (refunded["escrow_count"], refunded["refunded_amount"]) == (1, 5)
        escrow = refunded["last_escrow_id"]
        assert call(conn, "refund_expired_escrows")[0]["escrow_count"] == 0
        for name in ("release_escrow", "refund_escrow"):
            assert outcome_of(conn, name, p_escrow_id=escrow) == "PW202"
        call(conn, "close_project", world.open, "failed")
        call(conn, "refund_escrow", world.escrow)
        call(conn, "refund_escrow", world.small_escrow)
        # What is left is disputed.
        assert call(conn, "refund_escrows", world.open)[0]["escrow_count"] == 0
        assert balance(conn, world.wallet) == 100 + 5 + 30 + 10


@pytest.mark.parametrize("name", ["release_escrow", "refund_escrow"])
@pytest.mark.parametrize("earlier", ["release_escrow", "refund_escrow"])
def test_no_more_is_taken_than_is_left(
    stage: Stage, sessions: Login, name: str, earlier: str
) -> None:
    conn, world = sessions("operator"), stage.world
    for amount in ("30.01", "999999999999999.99"):
        assert outcome_of(conn, name, p_escrow_id=world.escrow, p_amount=amount) == "PW206"
    with conn.transaction(force_rollback=True):
        call(conn, earlier, world.escrow, "20")
        for amount in ("10.01", "20", "30"):
            assert outcome_of(conn, name, p_escrow_id=world.escrow, p_amount=amount) == "PW206"
        call(conn, name, world.escrow, "10")
        assert outcome_of(conn, name, p_escrow_id=world.escrow) == "PW202"
        assert call(conn, "check_ledger") == []


@pytest.mark.parametrize("other", ["release_escrow", "refund_escrow"])
@pytest.mark.parametrize("name", ["release_escrow", "refund_escrow"])
def test_a_used_key_opens_nothing_again(
    stage: Stage, sessions: Login, name: str, other: str
) -> None:
    conn, world = sessions("operator"), stage.world
    with conn.transaction(force_rollback=True):
        call(conn, name, world.escrow, "20", "key")
        moved = holdings(conn, world)
        assert call(conn, name, world.escrow, "20", "key")[0]["replayed"]
        assert holdings(conn, world) == moved
        for amount in ("10", "20.01", None):
            code = outcome_of(
                conn, name, p_escrow_id=world.escrow, p_amount=amount, p_idempotency_key="key"
            )
            assert code == "PW203"
        arguments = {"p_escrow_id": world.failed_escrow, "p_amount": 20}
        assert outcome_of(conn, other, **arguments, p_idempotency_key="key") == "PW203"
        assert holdings(conn, world) == moved


def test_a_pledge_given_back_is_not_pledged_again_by_its_key(stage: Stage, sessions: Login) -> None:
    conn, world = sessions("operator"), stage.world
    with conn.transaction(force_rollback=True):
        pledge = {"p_wallet_id": world.wallet, "p_project_id": world.open, "p_amount": 40}
        (first,) = call(conn, "pledge", **pledge, p_idempotency_key="key")
        call(conn, "refund_escrow", first["escrow_id"])
        (again,) = call(conn, "pledge", **pledge, p_idempotency_key="key")
        assert (again["escrow_id"], again["status"]) == (first["escrow_id"], "refunded")
        assert outcome_of(conn, "release_escrow", p_escrow_id=first["escrow_id"]) == "PW202"
        assert balance(conn, world.wallet) == 100


@pytest.mark.parametrize("procedure", ["release", "refund"])
def test_a_project_settled_by_the_procedure_is_settled_for_good(
    own_stage: Stage, procedure: str
) -> None:
    world = own_stage.world
    with own_stage.login("operator") as conn:
        conn.execute(f"call pgwallet.{procedure}_project(%s::bigint)".encode(), [world.open])
        settled = holdings(conn, world)
        conn.execute(f"call pgwallet.{procedure}_project(%s::bigint)".encode(), [world.open])
        other = "refund" if procedure == "release" else "release"
        with pytest.raises(psycopg.Error) as refusal:
            conn.execute(f"call pgwallet.{other}_project(%s::bigint)".encode(), [world.open])
        assert refusal.value.sqlstate == "PW204"
        code = outcome_of(conn, "refund_escrow", p_escrow_id=world.escrow)
        assert code == "PW202"
        assert holdings(conn, world) == settled
        assert call(conn, "check_ledger") == []
