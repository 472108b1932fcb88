"""Projects that get an id of the caller's while other sessions draw theirs."""

from collections.abc import Callable

import psycopg
import pytest

import pgwallet
from tests.concurrency.sessions import all_blocked, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, owners_in_slot_0, project, value

pytestmark = pytest.mark.sql


def assert_no_id_was_given_twice(conn: psycopg.Connection, *account_ids: int) -> None:
    assert len(set(account_ids)) == len(account_ids)
    for account_id in account_ids:
        assert pgwallet.balance(conn, account_id) == 0
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("ahead", [0, 1], ids=["its id", "the id of its escrow account"])
def test_what_a_project_under_way_has_taken_is_refused(connect: Connect, ahead: int) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    taken = project(first, "bridge")
    with blocked(
        second, observer, lambda: project(second, "tunnel", project_id=taken + 1024 * ahead)
    ) as waiting:
        first.commit()
        with pytest.raises(pgwallet.InvalidArgument, match="in use"):
            waiting.result()
    second.rollback()
    assert_no_id_was_given_twice(observer, taken)


@pytest.mark.parametrize("what", ["wallet", "pocket", "project"])
def test_nobody_draws_an_id_that_a_project_under_way_was_given(connect: Connect, what: str) -> None:
    holder, given, drawing, observer = connect(), connect(), connect(), connect(autocommit=True)
    owner, other_owner = owners_in_slot_0()
    wallet_id = pgwallet.create_wallet(observer, other_owner).wallet_id
    drawn = value(observer, "select nextval('pgwallet.id_seq')")
    # The next two go to the escrow accounts of the two projects below.
    next_id = (drawn + 3) * 1024
    draw: dict[str, Callable[[], int]] = {
        "wallet": lambda: pgwallet.create_wallet(drawing, owner).wallet_id,
        "pocket": lambda: pgwallet.create_pocket(drawing, wallet_id, "holiday").pocket_id,
        "project": lambda: project(drawing, "ferry"),
    }
    project(holder, "bridge", project_id=drawn * 1024)
    with all_blocked(
        observer,
        [(given, lambda: project(given, "tunnel", project_id=next_id)), (drawing, draw[what])],
    ) as (giving, waiting):
        holder.commit()
        assert giving.result() == next_id
        given.commit()
        own_id = waiting.result()
    drawing.commit()
    assert_no_id_was_given_twice(observer, wallet_id, drawn * 1024, next_id, own_id)


@pytest.mark.parametrize(
    ("what", "back"),
    [("wallet", 0), ("project", 1), ("project", 0)],
    ids=["a wallet's", "a project's", "its escrow account's"],
)
def test_an_id_that_was_drawn_is_not_given_away_before_its_use(
    connect: Connect, what: str, back: int
) -> None:
    first, drawing, given, observer = connect(), connect(), connect(), connect(autocommit=True)
    owner, _ = owners_in_slot_0()

    def create(conn: psycopg.Connection) -> int:
        if what == "wallet":
            return pgwallet.create_wallet(conn, owner).wallet_id
        return project(conn, "bridge")

    create(first)
    # It has drawn its ids by now, and waits for the outcome of the first.
    with blocked(drawing, observer, lambda: create(drawing)) as waiting:
        drawn = value(observer, "select last_value from pgwallet.id_seq") - back
        with blocked(
            given, observer, lambda: project(given, "tunnel", project_id=drawn * 1024)
        ) as giving:
            first.rollback()
            own_id = waiting.result()
            drawing.commit()
            with pytest.raises(pgwallet.InvalidArgument, match="in use"):
                giving.result()
    given.rollback()
    assert_no_id_was_given_twice(observer, own_id)


@pytest.mark.parametrize("many", [False, True], ids=["pledge", "pledge_many"])
def test_the_id_of_an_escrow_under_way_is_no_id_for_a_project(connect: Connect, many: bool) -> None:
    pledging, given, observer = connect(), connect(), connect(autocommit=True)
    owner, _ = owners_in_slot_0()
    wallet_id, film = funded(observer, owner, 10), project(observer, "film")
    escrow_id = (
        pgwallet.pledge_many(pledging, film, [wallet_id], [10])[0].escrow_id
        if many
        else pgwallet.pledge(pledging, wallet_id, film, 10).escrow_id
    )
    with blocked(given, observer, lambda: project(given, "tunnel", project_id=escrow_id)) as giving:
        pledging.commit()
        with pytest.raises(pgwallet.InvalidArgument, match="in use"):
            giving.result()
    given.rollback()
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("many", [False, True], ids=["pledge", "pledge_many"])
def test_no_escrow_draws_an_id_that_a_project_under_way_was_given(
    connect: Connect, many: bool
) -> None:
    given, pledging, observer = connect(), connect(), connect(autocommit=True)
    owner, _ = owners_in_slot_0()
    wallet_id, film = funded(observer, owner, 10), project(observer, "film")
    # The one after the next goes to the escrow account of this project.
    next_id = (value(observer, "select nextval('pgwallet.id_seq')") + 1) * 1024
    project(given, "tunnel", project_id=next_id)
    with blocked(
        pledging,
        observer,
        lambda: (
            pgwallet.pledge_many(pledging, film, [wallet_id], [10])[0].escrow_id
            if many
            else pgwallet.pledge(pledging, wallet_id, film, 10).escrow_id
        ),
    ) as waiting:
        given.commit()
        assert waiting.result() != next_id
    pledging.commit()
    assert pgwallet.check_ledger(observer) == []
