"""What an application shows a user: lists in pages, and one thing by its id or its own name."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from pgwallet import Escrow, Project, ProjectState
from tests.catalogue.world import World, world_in
from tests.ledger.calling import everything, funded, project, refused, value

pytestmark = pytest.mark.sql


@pytest.fixture
def world(conn: psycopg.Connection) -> World:
    return world_in(conn)


def test_an_owner_s_wallets_are_listed_and_nobody_else_s(conn: psycopg.Connection) -> None:
    euros, yen = funded(conn, "ada", 5), funded(conn, "ada", 7, "JPY")
    funded(conn, "ada ", 1)
    wallets = pgwallet.list_wallets(conn, "ada")
    assert [(w.wallet_id, w.currency, str(w.balance)) for w in wallets] == [
        (euros, "EUR", "5.00"),
        (yen, "JPY", "7"),
    ]
    assert wallets[0] == pgwallet.create_wallet(conn, "ada")
    assert pgwallet.list_wallets(conn, "bob") == []


def test_a_wallet_s_pockets_are_listed_as_they_are_now(conn: psycopg.Connection) -> None:
    wallet_id, other = funded(conn, "ada", 10), funded(conn, "bob", 10)
    assert pgwallet.list_pockets(conn, wallet_id) == []
    for name, percentage in (("b", 10), ("a", 20)):
        pgwallet.create_pocket(conn, wallet_id, name, percentage, "kind", 50)
    pgwallet.create_pocket(conn, other, "c")
    pgwallet.allocate_deposit(conn, wallet_id, 10)
    pockets = pgwallet.list_pockets(conn, wallet_id)
    assert [(pocket.name, str(pocket.balance)) for pocket in pockets] == [
        ("b", "1.00"),
        ("a", "2.00"),
    ]
    assert pockets[0] == pgwallet.create_pocket(conn, wallet_id, "b", 10, "kind", 50)


def ids(escrows: list[Escrow]) -> list[int]:
    return [escrow.escrow_id for escrow in escrows]


def test_escrows_are_listed_by_wallet_by_project_and_by_both(conn: psycopg.Connection) -> None:
    ada, bob = funded(conn, "ada", 100), funded(conn, "bob", 100)
    film, play = project(conn, "film"), project(conn, "play")
    made = {
        (wallet, goal, turn): pgwallet.pledge(conn, wallet, goal, 5).escrow_id
        for turn in (1, 2)
        for wallet in (ada, bob)
        for goal in (film, play)
    }
    for settle, turn in ((pgwallet.release_escrow, 1), (pgwallet.refund_escrow, 2)):
        settle(conn, made[ada, film, turn])

    def of(**wanted: Any) -> list[int]:
        return ids(pgwallet.list_escrows(conn, **wanted))

    assert of() == list(made.values())
    assert of(wallet_id=ada) == [made[key] for key in made if key[0] == ada]
    assert of(project_id=film) == [made[key] for key in made if key[1] == film]
    both = [made[key] for key in made if key[:2] == (ada, film)]
    assert of(wallet_id=ada, project_id=film) == both
    for narrowed in ({"wallet_id": ada}, {"project_id": film}, {}):
        assert of(**narrowed, status="released") == both[:1]
        assert of(**narrowed, status="refunded") == both[1:]
        assert of(**narrowed, status="settled") == []
        locked = [one for one in of(**narrowed) if one not in both]
        assert of(**narrowed, status="locked") == locked
        for limit in (1, 3):
            pages, after = [], 0
            while page := of(**narrowed, after_escrow_id=after, limit=limit):
                assert len(page) <= limit
                pages += page
                after = page[-1]
            assert pages == of(**narrowed)


def test_every_status_of_an_escrow_and_of_a_project_can_be_asked_for(
    conn: psycopg.Connection,
) -> None:
    for domain, listed in (
        ("escrow_status", pgwallet.list_escrows),
        ("project_status", pgwallet.list_projects),
    ):
        definition = value(
            conn,
            "select pg_get_constraintdef(c.oid) from pg_constraint as c "
            "where c.contypid = %s::regtype",
            f"pgwallet.{domain}",
        )
        statuses = definition.split("'")[1::2]
        assert len(statuses) >= 3
        for status in statuses:
            assert listed(conn, status=status) == []


def test_an_escrow_tells_where_its_money_is(conn: psycopg.Connection) -> None:
    wallet_id, film = funded(conn, "ada", 100), project(conn, "film")
    pledge = pgwallet.pledge(conn, wallet_id, film, 60)
    pgwallet.release_escrow(conn, pledge.escrow_id, 10)
    pgwallet.refund_escrow(conn, pledge.escrow_id, 20)
    escrow = pgwallet.get_escrow(conn, pledge.escrow_id)
    assert [escrow] == pgwallet.list_escrows(conn, wallet_id)
    assert (escrow.wallet_id, escrow.project_id, escrow.reference) == (wallet_id, film, "film")
    assert (escrow.status, escrow.currency, escrow.expires_at) == ("locked", "EUR", None)
    amounts = (escrow.amount, escrow.locked_amount, escrow.released_amount, escrow.refunded_amount)
    assert list(map(str, amounts)) == ["60.00", "30.00", "10.00", "20.00"]
    taken = (escrow.commission_amount, escrow.fee_amount, escrow.net_amount)
    assert list(map(str, taken)) == ["0.50", "0.29", "9.21"]


@pytest.mark.parametrize("outcome", [None, "failed", "succeeded before", "succeeded after"])
def test_an_escrow_says_that_it_has_expired_before_its_project_succeeded(
    conn: psycopg.Connection, outcome: str | None
) -> None:
    film = project(conn)
    hour = timedelta(hours=1)
    escrow_id = pgwallet.pledge(
        conn, funded(conn, "ada", 10), film, 10, datetime.now(UTC) + hour
    ).escrow_id
    assert pgwallet.get_escrow(conn, escrow_id).expired is False
    if outcome:
        pgwallet.close_project(conn, film, outcome.split()[0])
    past = datetime.now(UTC) - (2 * hour if outcome == "succeeded after" else timedelta(0))
    if outcome == "succeeded before":
        past = datetime.now(UTC) + timedelta(microseconds=1)
    conn.execute("update pgwallet.escrow set expires_at = %s", [past])
    conn.execute("select pg_sleep(0.001)")
    expired = outcome != "succeeded before"
    (listed,) = pgwallet.list_escrows(conn, project_id=film)
    assert (listed.expired, pgwallet.get_escrow(conn, escrow_id).expired) == (expired, expired)
    pgwallet.refund_escrow(conn, escrow_id)
    assert pgwallet.get_escrow(conn, escrow_id).expired is False


def test_a_project_tells_what_was_pledged_and_what_became_of_it(conn: psycopg.Connection) -> None:
    wallet_id, film = funded(conn, "ada", 100), project(conn, "film", max_pledge=500)
    nothing = pgwallet.get_project(conn, film)
    assert (nothing.escrow_count, str(nothing.pledged_amount)) == (0, "0.00")
    escrows = [pgwallet.pledge(conn, wallet_id, film, 10).escrow_id for _ in range(4)]
    pgwallet.pledge(conn, wallet_id, project(conn, "play"), 10)
    pgwallet.release_escrow(conn, escrows[0])
    pgwallet.release_escrow(conn, escrows[1], 5)
    pgwallet.refund_escrow(conn, escrows[2], 4)
    pgwallet.payout(conn, film, 3)

    state = pgwallet.get_project(conn, film)
    assert state == pgwallet.find_project(conn, "film")
    assert (state.escrow_count, state.locked_count) == (4, 3)
    assert {
        name: str(getattr(state, name))
        for name in ProjectState.__dataclass_fields__
        if name.endswith(("_amount", "balance", "max_pledge"))
    } == {
        "max_pledge": "500.00",
        "pledged_amount": "40.00",
        "locked_amount": "21.00",
        "disputed_amount": "0.00",
        "released_amount": "15.00",
        "refunded_amount": "4.00",
        "commission_amount": "0.75",
        "fee_amount": "0.44",
        "net_amount": "13.81",
        "balance": "10.81",
    }
    assert (state.status, state.closed_at) == ("open", None)
    pgwallet.close_project(conn, film, "succeeded")
    closed = pgwallet.get_project(conn, film)
    assert closed.status == "succeeded"
    assert closed.closed_at is not None
    assert closed.closed_at > closed.created_at


def test_projects_are_listed_in_pages_and_by_status(conn: psycopg.Connection) -> None:
    made = [project(conn, name) for name in ("one", "two", "three", "four")]
    pgwallet.close_project(conn, made[1], "failed")
    pgwallet.close_project(conn, made[2], "succeeded")

    def of(**wanted: Any) -> list[int]:
        return [each.project_id for each in pgwallet.list_projects(conn, **wanted)]

    assert of() == made
    assert of(after_project_id=made[0], limit=2) == made[1:3]
    assert (of(status="failed"), of(status="succeeded")) == (made[1:2], made[2:3])
    assert of(status="open", after_project_id=made[0]) == made[3:]
    (one, *_) = pgwallet.list_projects(conn)
    assert one == pgwallet.create_project(conn, "one")
    assert isinstance(one, Project)


def test_a_transaction_is_found_by_its_id_and_by_its_key(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    happened = datetime(2024, 2, 29, 12, tzinfo=UTC)
    deposit = pgwallet.deposit(conn, wallet_id, Decimal("1.5"), "key", {"note": 1}, happened)
    found = pgwallet.find_transaction(conn, "key")
    assert found is not None
    assert found == pgwallet.get_transaction(conn, deposit.transaction_id)
    assert (found.transaction_id, found.kind) == (deposit.transaction_id, "deposit")
    assert (found.idempotency_key, found.metadata) == ("key", {"note": 1})
    assert found.effective_at == happened < found.created_at
    assert (found.posting_count, found.currency, str(found.amount)) == (1, "EUR", "1.50")
    assert pgwallet.find_transaction(conn, "another") is None


def test_a_key_that_was_rolled_back_with_its_call_finds_nothing(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    with conn.transaction(force_rollback=True):
        pgwallet.deposit(conn, wallet_id, 1, "gone")
    assert pgwallet.find_transaction(conn, "gone") is None


def test_a_transaction_adds_up_its_postings_in_one_currency(conn: psycopg.Connection) -> None:
    wallet_id, film = funded(conn, "ada", 100), project(conn, "film")
    pgwallet.create_pocket(conn, wallet_id, "half", 50)
    pgwallet.create_pocket(conn, wallet_id, "third", 33)
    split = pgwallet.allocate_deposit(conn, wallet_id, 10).transaction_id
    escrow_id = pgwallet.pledge(conn, wallet_id, film, 10).escrow_id
    released = pgwallet.release_escrow(conn, escrow_id).transaction_id
    nothing = pgwallet.allocate_deposit(conn, wallet_id, Decimal("0.01")).transaction_id
    yen_wallet = funded(conn, "bob", 10, "JPY")
    yen = project(conn, "yen", currency="JPY")
    for wallet, goal in ((wallet_id, film), (yen_wallet, yen)):
        pgwallet.pledge(conn, wallet, goal, 10, datetime.now(UTC) + timedelta(hours=1))
    conn.execute("update pgwallet.escrow set expires_at = now() where expires_at is not null")
    both = pgwallet.refund_expired_escrows(conn).transaction_id

    def shown(transaction_id: int | None) -> tuple[str, int, str | None, str]:
        assert transaction_id is not None
        found = pgwallet.get_transaction(conn, transaction_id)
        return found.kind, found.posting_count, found.currency, str(found.amount)

    assert shown(split) == ("allocation", 2, "EUR", "8.30")
    assert shown(released) == ("release", 3, "EUR", "10.00")
    assert pgwallet.get_transaction(conn, released).escrow_id == escrow_id
    assert shown(nothing)[:3] in (("allocation", 1, "EUR"), ("allocation", 0, None))
    assert shown(both) == ("refund", 2, None, "None")


def test_what_is_not_there_is_refused_by_its_id_and_none_by_the_caller_s_own_name(
    conn: psycopg.Connection, world: World
) -> None:
    for code, name, wrong in (
        ("PW101", "list_pockets", world.pocket),
        ("PW104", "get_escrow", world.wallet),
        ("PW103", "get_project", world.wallet),
        ("PW002", "get_transaction", world.wallet),
    ):
        for missing in (wrong, 1, 2**70) if name != "get_transaction" else (wrong, 2**70):
            with refused(conn, code) as said:
                getattr(pgwallet, name)(conn, missing)
            assert "does not exist" in said[0].message
    assert pgwallet.find_project(conn, "nobody's") is None
    assert pgwallet.find_transaction(conn, "nobody's") is None
    assert pgwallet.list_wallets(conn, "nobody") == []


def test_looking_changes_nothing(conn: psycopg.Connection, world: World) -> None:
    before = everything(conn)
    conn.execute("set transaction read only")
    pgwallet.list_wallets(conn, "ada")
    pgwallet.list_pockets(conn, world.wallet)
    pgwallet.list_escrows(conn, world.wallet)
    pgwallet.get_project(conn, world.open)
    pgwallet.get_transaction(conn, world.transaction)
    assert everything(conn) == before
