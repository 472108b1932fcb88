"""Projects that are created with an id of the caller's."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, owners_in_slot_0, project

pytestmark = pytest.mark.sql


def last_drawn(conn: psycopg.Connection) -> int:
    row = conn.execute("select last_value from pgwallet.id_seq").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("ahead", [1, 2, 3, 1000])
def test_an_id_just_ahead_of_the_sequence_meets_no_other(
    conn: psycopg.Connection, ahead: int
) -> None:
    project_id = (last_drawn(conn) + ahead) * 1024

    made = pgwallet.create_project(conn, "film", project_id=project_id)

    assert made.project_id == project_id
    others = {pgwallet.create_project(conn, f"film {n}").project_id for n in range(5)}
    assert len(others) == 5
    assert project_id not in others
    assert pgwallet.check_ledger(conn) == []


def test_an_id_beside_the_last_one_drawn_leaves_the_next_one_free(conn: psycopg.Connection) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    assert wallet_id % 1024, "this owner's wallets are in the slot of projects"
    made = pgwallet.create_project(conn, "film", project_id=wallet_id - wallet_id % 1024)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday").pocket_id
    assert len({made.project_id, wallet_id, pocket_id}) == 3


def test_the_id_of_an_escrow_is_no_id_for_a_project(conn: psycopg.Connection) -> None:
    owner, _ = owners_in_slot_0()
    wallet_id = funded(conn, owner, 10)
    escrow_id = pgwallet.pledge(conn, wallet_id, project(conn), 10).escrow_id
    assert escrow_id % 1024 == 0
    with pytest.raises(pgwallet.InvalidArgument, match="in use"):
        pgwallet.create_project(conn, "film", project_id=escrow_id)


def test_the_first_id_is_one_of_a_project(conn: psycopg.Connection) -> None:
    with pytest.raises(pgwallet.InvalidArgument, match="in use"):
        pgwallet.create_project(conn, "film", project_id=1024)


def test_an_id_in_use_is_refused_and_moves_the_sequence_nowhere(conn: psycopg.Connection) -> None:
    used = pgwallet.create_project(conn, "film").project_id
    before = last_drawn(conn)

    with pytest.raises(pgwallet.InvalidArgument, match="in use"), conn.transaction():
        pgwallet.create_project(conn, "other", project_id=used)

    assert last_drawn(conn) - before < 10
    pgwallet.create_project(conn, "other")


def test_keys_that_are_checked_at_once_do_not_matter(conn: psycopg.Connection) -> None:
    conn.execute("set constraints all immediate")
    pgwallet.create_wallet(conn, "ada")
    pgwallet.create_project(conn, "film")


def test_old_string_literals_do_not_matter(conn: psycopg.Connection) -> None:
    conn.execute("set standard_conforming_strings = off")
    assert pgwallet.create_wallet(conn, "ann").owner_id == "ann"


def test_a_project_is_the_same_again_whatever_the_settings_are_by_then(
    conn: psycopg.Connection,
) -> None:
    made = pgwallet.create_project(conn, "x", commission_rate=Decimal("0.9"))
    conn.execute("update pgwallet.settings set fee_rate = 0.2")
    assert pgwallet.create_project(conn, "x", commission_rate=Decimal("0.9")) == made
    with pytest.raises(pgwallet.InvalidArgument, match="rates"):
        pgwallet.create_project(conn, "y", commission_rate=Decimal("0.9"))
