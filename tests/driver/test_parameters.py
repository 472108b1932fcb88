"""Values that Python can hold and the ledger cannot take."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgwallet
from pgwallet import InvalidAmount, InvalidArgument, PgWalletError, WalletNotFound
from tests.driver.calling import CALLS, CallIt, arguments_of, sent


class Outcome(IntEnum):
    """An int whose text is no number in some versions of Python."""

    WON = 3


# What each annotation refuses, and how the refusal names what it wants.
WRONG_TYPES: list[tuple[Any, str, list[object]]] = [
    (int, "an int", [True, 1.0, "1", Decimal(1), [1]]),
    (Decimal | int, "a Decimal or an int", [True, 1.0, "1", math.nan, [1]]),
    (bool, "a bool", [1, 0, "yes", [True]]),
    (str, "a str", [1, b"x", ["x"], True]),
    (str | int | UUID, "a str, an int or a UUID", [1.0, b"x", ["x"], True, Decimal(1)]),
    (datetime, "a datetime", ["2024-01-01", date(2024, 1, 1), 0]),
    (Iterable[int], "an iterable", [1, "12", b"12"]),
    (Iterable[Decimal | int], "an iterable", [1, "12", Decimal(1)]),
    (Iterable[str | int | UUID | None], "an iterable", [1, "ab"]),
]


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_type_is_refused_by_the_name_of_the_argument(name: str) -> None:
    for argument in arguments_of(name):
        for kind, wanted, values in WRONG_TYPES:
            for value in values if argument.annotation in (kind, kind | None) else []:
                with pytest.raises(TypeError, match=rf"^{argument.name} must be {wanted}"):
                    sent(name, **{argument.name: value})


@pytest.mark.parametrize(
    ("argument", "values"),
    [("wallet_ids", [1, "2"]), ("amounts", [1, 2.5]), ("idempotency_keys", ["a", 1.5])],
)
def test_a_wrong_type_within_a_list_is_refused(argument: str, values: list[object]) -> None:
    with pytest.raises(TypeError, match=rf"^an element of {argument} must be"):
        sent("deposit_many", **{argument: values})


@pytest.mark.parametrize(
    ("given", "named", "refusal"),
    [
        ((1,), {}, "missing 1 required positional argument: 'amount'"),
        ((1, 1, *[None] * 4), {}, "takes from 2 to 5 positional arguments but 6 were given"),
        ((1, 1), {"key": "a"}, "got an unexpected keyword argument 'key'"),
        ((1, 1), {"amount": 2}, "got multiple values for argument 'amount'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_in_pythons_words(
    call: CallIt, given: tuple[Any, ...], named: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(TypeError, match=rf"^deposit\(\) {refusal}"):
        call(pgwallet.deposit, *given, **named)


def deposit(
    call: CallIt,
    many: bool,
    wallet_id: int,
    amount: Decimal | int,
    key: str | int | UUID | None = None,
) -> None:
    """The same deposit, alone or as an element of a list."""
    if many:
        call(pgwallet.deposit_many, [wallet_id], [amount], [key])
    else:
        call(pgwallet.deposit, wallet_id, amount, key)


# Named, because Python refuses to print some of them.
BAD_AMOUNTS = {
    "null": None,
    "NaN": Decimal("NaN"),
    "signalling NaN": Decimal("sNaN"),
    "infinity": Decimal("Infinity"),
    "-infinity": Decimal("-Infinity"),
    "zero": 0,
    "0E+999999": Decimal("0E+999999"),
    "0E-999999": Decimal("0E-999999"),
    "-1": -1,
    "-0.01": Decimal("-0.01"),
    "0.001": Decimal("0.001"),
    "1.001": Decimal("1.001"),
    "20,001 decimals": Decimal("1." + "0" * 20_000 + "1"),
    "10^15": 10**15,
    "10^30": 10**30,
    "10^100,000": 10**100_000,
    "-10^100,000": -(10**100_000),
    "1E+999999": Decimal("1E+999999"),
    "-1E+999999": Decimal("-1E+999999"),
    "1E-999999": Decimal("1E-999999"),
    "-1E-999999": Decimal("-1E-999999"),
}


@pytest.mark.parametrize("amount", BAD_AMOUNTS.values(), ids=BAD_AMOUNTS)
@pytest.mark.parametrize("many", [False, True])
def test_a_bad_amount_is_refused(call: CallIt, amount: Any, many: bool) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    with pytest.raises(InvalidAmount):
        deposit(call, many, wallet_id, amount)


def test_a_refused_amount_is_named_by_its_own_digits(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    with pytest.raises(InvalidAmount, match=f"amount {10**39} is not valid"):
        call(pgwallet.deposit, wallet_id, 10**39)


def test_zeros_at_the_end_of_an_amount_do_not_count(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    assert call(pgwallet.deposit, wallet_id, Decimal("1." + "0" * 20_000)).balance == 1
    assert call(pgwallet.deposit, wallet_id, Decimal("1E+14")).balance == 100_000_000_000_001


@pytest.mark.parametrize("wallet_id", [None, 0, -1, 7, 2**63 - 1, 2**63, 2**64 + 5, -(2**80)])
@pytest.mark.parametrize("many", [False, True])
def test_an_id_that_cannot_be_is_not_found(call: CallIt, wallet_id: Any, many: bool) -> None:
    with pytest.raises(WalletNotFound):
        deposit(call, many, wallet_id, 1)


NOT_FOUND: list[tuple[type[PgWalletError], Callable[[psycopg.Connection], object]]] = [
    (pgwallet.WalletNotFound, lambda conn: pgwallet.create_pocket(conn, 2**70, "rent")),
    (pgwallet.WalletNotFound, lambda conn: pgwallet.preview_allocation(conn, 2**70, 1)),
    (pgwallet.PocketNotFound, lambda conn: pgwallet.set_allocation(conn, 2**70, 1)),
    (pgwallet.PocketNotFound, lambda conn: pgwallet.transfer_to_pocket(conn, 2**70, 1)),
    (pgwallet.ProjectNotFound, lambda conn: pgwallet.payout(conn, 2**70, 1)),
    (pgwallet.ProjectNotFound, lambda conn: pgwallet.close_project(conn, 2**70, "failed")),
    (pgwallet.ProjectNotFound, lambda conn: pgwallet.release_escrows(conn, 2**70)),
    (pgwallet.EscrowNotFound, lambda conn: pgwallet.release_escrow(conn, 2**70)),
    (pgwallet.EscrowNotFound, lambda conn: pgwallet.refund_escrow(conn, 2**70)),
    (pgwallet.AccountNotFound, lambda conn: pgwallet.balance(conn, 2**70)),
    (pgwallet.AccountNotFound, lambda conn: pgwallet.statement(conn, 2**70)),
]


@pytest.mark.parametrize(("error", "use"), NOT_FOUND)
def test_an_id_past_bigint_is_not_found_anywhere(
    conn: psycopg.Connection,
    error: type[PgWalletError],
    use: Callable[[psycopg.Connection], object],
) -> None:
    with pytest.raises(error):
        use(conn)


@pytest.mark.parametrize("limit", [None, 0, -1, -(2**40)])
def test_a_limit_below_one_is_refused(call: CallIt, limit: Any) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    with pytest.raises(InvalidArgument):
        call(pgwallet.statement, wallet_id, limit=limit)


def test_a_limit_past_integer_is_no_limit(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    call(pgwallet.deposit, wallet_id, 1)
    assert len(call(pgwallet.statement, wallet_id, -(2**80), limit=2**40)) == 1


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "", " \t", None, "x" * 201, "x" * 10_000])
def test_a_bad_text_is_refused(call: CallIt, text: Any) -> None:
    with pytest.raises(InvalidArgument):
        call(pgwallet.create_wallet, text)


@pytest.mark.parametrize("key", ["a\0b", "\udfff", "x" * 1_000])
@pytest.mark.parametrize("many", [False, True])
def test_a_bad_key_is_refused(call: CallIt, key: str, many: bool) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    with pytest.raises(InvalidArgument):
        deposit(call, many, wallet_id, 1, key)


@pytest.mark.parametrize("many", [False, True])
def test_owners_and_keys_may_be_the_numbers_and_uuids_of_the_application(
    call: CallIt, many: bool
) -> None:
    uuid = UUID("6BA7B810-9DAD-11D1-80B4-00C04FD430C8")
    for name in (uuid, 17, Outcome.WON):
        wallet = call(pgwallet.create_wallet, name)
        text = str(name) if name is uuid else str(int(name))
        assert wallet.owner_id == text
        assert call(pgwallet.create_wallet, text).wallet_id == wallet.wallet_id
        for key in (name, text):
            deposit(call, many, wallet.wallet_id, 1, key)
        assert call(pgwallet.balance, wallet.wallet_id) == 1


@pytest.mark.parametrize("digits", [201, 5000, -5000])
def test_a_number_too_long_for_a_name_is_refused(call: CallIt, digits: int) -> None:
    number = 10 ** abs(digits) * (1 if digits > 0 else -1)
    with pytest.raises(InvalidArgument):
        call(pgwallet.create_wallet, number)


CYCLE: list[object] = []
CYCLE.append(CYCLE)
DEEP: list[object] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": math.nan},
        [math.inf],
        {"a": "x\0"},
        {"\0": 1},
        "\\\0",
        {"a": "\ud800"},
        CYCLE,
        DEEP,
        10**5_000,
    ],
    ids=["NaN", "infinity", "NUL", "key", "escaped", "surrogate", "cycle", "deep", "digits"],
)
def test_metadata_that_is_not_json_is_refused(call: CallIt, metadata: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^metadata"):
        call(pgwallet.deposit, 1, 1, metadata=metadata)


def test_metadata_of_other_types_is_refused(call: CallIt) -> None:
    with pytest.raises(TypeError, match=r"^metadata is not JSON"):
        call(pgwallet.deposit, 1, 1, metadata={"price": Decimal(1)})


@pytest.mark.parametrize(
    "metadata",
    [{}, [], "", 0, False, 1.5, {"é": ["'%s", '"', "\\u0000", "\\\\u0000", "\n", None]}],
)
def test_any_other_json_is_kept(call: CallIt, metadata: object) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    call(pgwallet.deposit, wallet_id, 1, metadata=metadata)
    (row,) = call(pgwallet.statement, wallet_id)
    assert row.metadata == metadata
    assert type(row.metadata) is type(metadata)


def test_a_time_without_a_zone_is_refused(call: CallIt) -> None:
    naive = datetime(2024, 1, 1)  # noqa: DTZ001
    with pytest.raises(InvalidArgument, match=r"^effective_at has no time zone") as caught:
        call(pgwallet.deposit, 1, 1, effective_at=naive)
    assert caught.value.hint is not None
    with pytest.raises(InvalidArgument, match=r"^expires_at"):
        call(pgwallet.pledge, 1, 1, 1, naive)
    with pytest.raises(InvalidArgument, match=r"^at has"):
        call(pgwallet.balance_at, 1, naive)


def test_an_expiry_in_the_past_is_refused(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    project_id = call(pgwallet.create_project, "bridge").project_id
    with pytest.raises(InvalidArgument):
        call(pgwallet.pledge, wallet_id, project_id, 1, datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "percentage", [None, -1, 101, 10**30, Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+9999")]
)
def test_a_bad_percentage_is_refused(call: CallIt, percentage: Any) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    with pytest.raises(InvalidArgument):
        call(pgwallet.create_pocket, wallet_id, "rent", percentage)


def test_a_zero_of_any_exponent_is_a_percentage(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    for zero in ("0E+999999", "-0E+30", "0E-999999"):
        pocket = call(pgwallet.create_pocket, wallet_id, f"pocket {zero}", Decimal(zero))
        assert pocket.allocation_percentage == 0


def test_lists_of_unequal_length_are_refused(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    with pytest.raises(InvalidArgument):
        call(pgwallet.deposit_many, [wallet_id, wallet_id], [1])


def test_a_missing_list_is_refused(call: CallIt) -> None:
    missing: Any = None
    with pytest.raises(InvalidArgument):
        call(pgwallet.deposit_many, missing, [1])


def test_what_stops_in_python_sends_nothing(conn: psycopg.Connection) -> None:
    with pytest.raises(InvalidArgument):
        pgwallet.deposit(conn, 1, 1, metadata="\0")
    with pytest.raises(InvalidArgument):
        pgwallet.deposit(conn, 1, 1, "\ud800")
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
