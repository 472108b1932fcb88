"""Refusals of the ledger as exceptions, and everything else as it was."""

import pickle
from decimal import Decimal

import psycopg
import pytest
from psycopg.pq import TransactionStatus

import pgwallet
from pgwallet import InsufficientFunds, NotFound, PgWalletError
from pgwallet.errors import BY_SQLSTATE
from tests.driver.calling import CallIt


def test_a_refusal_carries_message_detail_and_hint(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    call(pgwallet.deposit, wallet_id, Decimal("1.50"))
    with pytest.raises(InsufficientFunds) as caught:
        call(pgwallet.withdraw, wallet_id, 2)
    error = caught.value
    assert str(wallet_id) in error.message
    assert error.detail is not None
    assert "1.50" in error.detail
    assert error.hint
    assert str(error).splitlines() == [
        error.message,
        f"DETAIL: {error.detail}",
        f"HINT: {error.hint}",
        f"See {error.url}",
    ]
    assert error.sqlstate == InsufficientFunds.sqlstate == "PW201"


def test_a_refusal_comes_from_the_error_of_psycopg(call: CallIt) -> None:
    with pytest.raises(pgwallet.WalletNotFound) as caught:
        call(pgwallet.withdraw, 7, 2)
    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert caught.value.__cause__.sqlstate == "PW101"


def test_a_refusal_survives_pickling() -> None:
    error = InsufficientFunds("too little", "It holds 1.", None)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is InsufficientFunds
    assert (copy.message, copy.detail, copy.hint) == ("too little", "It holds 1.", None)
    assert str(copy) == str(error)


def test_other_database_errors_pass_untouched(conn: psycopg.Connection) -> None:
    conn.execute("set local role pg_read_all_settings")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        pgwallet.create_wallet(conn, "ada")


def test_an_unknown_code_of_the_class_passes_untouched(conn: psycopg.Connection) -> None:
    conn.execute(
        """
        create or replace function pgwallet.balance(p_account_id bigint) returns numeric
        language plpgsql as
        $function$ begin raise exception using errcode = 'PW999', message = 'new'; end $function$
        """
    )
    with pytest.raises(psycopg.DatabaseError) as caught:
        pgwallet.balance(conn, 1)
    assert caught.value.sqlstate == "PW999"


def test_a_refusal_leaves_the_transaction_to_the_caller(conn: psycopg.Connection) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    with pytest.raises(InsufficientFunds), conn.transaction():
        pgwallet.withdraw(conn, wallet_id, 1)
    assert conn.info.transaction_status == TransactionStatus.INTRANS
    assert pgwallet.balance(conn, wallet_id) == 0


@pytest.mark.parametrize("autocommit", [False, True])
def test_the_driver_neither_begins_nor_ends_a_transaction(
    shared_database: str, autocommit: bool
) -> None:
    with psycopg.connect(shared_database, autocommit=autocommit) as conn:
        assert pgwallet.check_ledger(conn) == []
        expected = TransactionStatus.IDLE if autocommit else TransactionStatus.INTRANS
        assert conn.info.transaction_status == expected


def test_every_exception_that_is_raised_is_a_leaf_of_one_tree() -> None:
    assert len(BY_SQLSTATE) == 22
    assert "PW000" not in BY_SQLSTATE
    for sqlstate, exception in BY_SQLSTATE.items():
        assert issubclass(exception, PgWalletError)
        assert exception.sqlstate == sqlstate
        assert not exception.__subclasses__()


def test_what_was_not_found_is_caught_by_one_name_whatever_it_is() -> None:
    not_found = {code for code, error in BY_SQLSTATE.items() if issubclass(error, NotFound)}
    assert not_found == {"PW101", "PW102", "PW103", "PW104", "PW105"}
