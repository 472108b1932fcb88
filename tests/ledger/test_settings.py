"""Settings: a call reads their row once, and none goes on without it. Currencies keep decimals."""

import psycopg
import pytest
from psycopg import errors

import pgwallet
from tests import clusters
from tests.catalogue.calls import CALLS, good
from tests.catalogue.signatures import SIGNATURES
from tests.catalogue.world import World
from tests.ledger.calling import by_hand, call, everything, funded, refused
from tests.seals.history import without_waiting

pytestmark = pytest.mark.sql

READING = {"allocate_deposit", "allocate_deposits", "preview_allocation", "create_project"}
# Shorter ones are below any limit that can be set.
LONG_METADATA = f'"{"x" * 1000}"'
ROUNDINGS = ("half_up", "largest_remainder")

# Somebody else's change that comes between two statements of one call.
CHANGE_MEANWHILE = """
create function pg_temp.change_settings() returns trigger language plpgsql as $$
begin
  update pgwallet.settings set max_pockets_per_allocation = 1;
  return null;
end
$$;
create trigger change_settings after update on pgwallet.account
for each statement execute function pg_temp.change_settings()
"""


@pytest.fixture
def conn(undone: psycopg.Connection) -> psycopg.Connection:
    return undone


@pytest.fixture
def wallet(conn: psycopg.Connection) -> int:
    """It holds 50, and an allocation of 100 asks for 90 of it, or for 30 with one pocket alone."""
    wallet_id = funded(conn, "bob", 50)
    for name in ("rent", "food", "travel"):
        pgwallet.create_pocket(conn, wallet_id, name, 30)
    conn.execute(CHANGE_MEANWHILE)
    return wallet_id


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_an_allocation_is_refused_by_the_limit_it_began_with(
    conn: psycopg.Connection, wallet: int, rounding: str
) -> None:
    with refused(conn, "PW201"):
        pgwallet.allocate_deposit(conn, wallet, 100, rounding)
    with refused(conn, "PW201"):
        pgwallet.allocate_deposits(conn, [wallet], [100], rounding=rounding)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_all_elements_of_a_bulk_call_go_by_one_limit(
    conn: psycopg.Connection, wallet: int, rounding: str
) -> None:
    shares = pgwallet.allocate_deposits(conn, [wallet, wallet], [10, 20], rounding=rounding)
    assert [share.amount for share in shares] == [3, 3, 3, 6, 6, 6]


@pytest.fixture
def without_settings(conn: psycopg.Connection, world: World) -> None:
    """As a superuser leaves it who turns the guard off."""
    guards = "disable trigger refuse_change, disable trigger refuse_row_change"
    by_hand(conn, f"alter table pgwallet.settings {guards}")
    by_hand(conn, "delete from pgwallet.settings")


@pytest.mark.usefixtures("without_settings")
@pytest.mark.parametrize(
    "name",
    [n for n in CALLS if not SIGNATURES[n].is_procedure and n not in clusters.NOT_HERE],
)
def test_without_settings_a_call_that_reads_them_is_refused_and_says_so(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    if CALLS[name].alone:
        without_waiting(conn)
    arguments = good(name, world)
    cases = [(arguments, name in READING)]
    takes = {argument.name: argument for argument in SIGNATURES[name].arguments}
    if metadata := takes.get("p_metadata"):
        long = [LONG_METADATA] if metadata.is_array else LONG_METADATA
        cases.append(({**arguments, "p_metadata": long}, True))
    if "p_rounding" in takes:
        cases += [({**arguments, "p_rounding": rounding}, True) for rounding in ROUNDINGS]
    for case, reads in cases:
        before = everything(conn)
        with conn.transaction(force_rollback=True):
            if not reads:
                call(conn, name, **case)
                continue
            with pytest.raises(errors.ObjectNotInPrerequisiteState) as caught:
                call(conn, name, **case)
        assert caught.value.diag.message_primary == "pgwallet.settings has no row"
        assert "insert into pgwallet.settings" in (caught.value.diag.message_hint or "")
        assert everything(conn) == before


@pytest.mark.parametrize("gone", ["delete from", "truncate"])
def test_nobody_takes_the_row_away(conn: psycopg.Connection, gone: str) -> None:
    with refused(conn, "PW901"):
        by_hand(conn, f"{gone} pgwallet.settings")


@pytest.mark.parametrize("column", ["commission_rate", "fee_rate"])
def test_settings_take_the_rates_that_a_project_takes(
    conn: psycopg.Connection, column: str
) -> None:
    update = f"update pgwallet.settings set {column} = %s".encode()
    finest = f"0.{'1' * 20}"
    conn.execute(update, [finest + "0"])
    assert str(getattr(pgwallet.create_project(conn, "film"), column)) == finest
    with pytest.raises(errors.CheckViolation), conn.transaction():
        conn.execute(update, [finest + "1"])


@pytest.mark.parametrize("exponent", [0, 3])
def test_a_currency_keeps_its_decimals(conn: psycopg.Connection, exponent: int) -> None:
    with refused(conn, "PW901"):
        conn.execute(
            "update pgwallet.currency set exponent = %s where currency = 'EUR'", [exponent]
        )
    conn.execute("update pgwallet.currency set exponent = 2, name = 'Euros' where currency = 'EUR'")
