"""Every bad input that section 5 of the contract has a code for, sent to every function.

Sent as plain SQL, since the driver stops some of it. `refused` sees that nothing moved.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.ledger.calling import call, refused
from tests.ledger.world import World

pytestmark = pytest.mark.sql

Arguments = Callable[[World], dict[str, Any]]

# A good call of each function, which a case then spoils.
GOOD: dict[str, Arguments] = {
    "create_wallet": lambda w: {"p_owner_id": "bob"},
    "create_pocket": lambda w: {"p_wallet_id": w.wallet, "p_name": "rent"},
    "set_allocation": lambda w: {"p_pocket_id": w.pocket, "p_allocation_percentage": 10},
    "create_project": lambda w: {"p_reference": "bridge"},
    "deposit": lambda w: {"p_wallet_id": w.wallet, "p_amount": 10},
    "withdraw": lambda w: {"p_wallet_id": w.wallet, "p_amount": 10},
    "allocate_deposit": lambda w: {"p_wallet_id": w.wallet, "p_amount": 10},
    "preview_allocation": lambda w: {"p_wallet_id": w.wallet, "p_amount": 10},
    "transfer_to_pocket": lambda w: {"p_pocket_id": w.pocket, "p_amount": 10},
    "transfer_from_pocket": lambda w: {"p_pocket_id": w.pocket, "p_amount": 10},
    "pledge": lambda w: {"p_wallet_id": w.wallet, "p_project_id": w.open, "p_amount": 10},
    "release_escrow": lambda w: {"p_escrow_id": w.escrow, "p_amount": 10},
    "refund_escrow": lambda w: {"p_escrow_id": w.escrow, "p_amount": 10},
    "payout": lambda w: {"p_project_id": w.open, "p_amount": 10},
    "close_project": lambda w: {"p_project_id": w.open, "p_outcome": "failed"},
    "release_escrows": lambda w: {"p_project_id": w.succeeded},
    "refund_escrows": lambda w: {"p_project_id": w.failed},
    "refund_expired_escrows": lambda w: {},
    "balance": lambda w: {"p_account_id": w.wallet},
    "balance_at": lambda w: {"p_account_id": w.wallet, "p_at": datetime.now(UTC)},
    "statement": lambda w: {"p_account_id": w.wallet},
    "deposit_many": lambda w: {"p_wallet_ids": [w.wallet] * 2, "p_amounts": [10, 20]},
    "allocate_deposits": lambda w: {"p_wallet_ids": [w.wallet] * 2, "p_amounts": [10, 20]},
    "pledge_many": lambda w: {
        "p_project_id": w.open,
        "p_wallet_ids": [w.wallet] * 2,
        "p_amounts": [10, 20],
    },
}
KEYED = (
    "deposit",
    "withdraw",
    "allocate_deposit",
    "transfer_to_pocket",
    "transfer_from_pocket",
    "pledge",
    "release_escrow",
    "refund_escrow",
    "payout",
)
BULK = ("deposit_many", "allocate_deposits", "pledge_many")
LONG = "x" * 201
VERY_LONG = "x" * 10_000
BLANK = ("", " ", " \t\r\n ")

Case = tuple[str, str, Arguments]


def always(**spoilt: Any) -> Arguments:
    return lambda w: spoilt


def malformed_amounts() -> Iterator[Case]:
    wrong = ["NaN", "Infinity", "-Infinity", 0, -1, "1e15", "1e30", "-1e30", "0.001", "10.005"]
    optional = {"release_escrow", "refund_escrow"}
    for name in (*KEYED, "preview_allocation"):
        for amount in wrong + ([] if name in optional else [None]):
            yield "PW001", name, always(p_amount=amount)
    for amount in wrong:
        yield "PW001", "create_pocket", always(p_target_amount=amount)
        yield "PW001", "create_project", always(p_max_pledge=amount)
    for name in BULK:
        for amount in [*wrong, None]:
            yield "PW001", name, always(p_amounts=["10", None if amount is None else str(amount)])
    yield "PW001", "deposit", lambda w: {"p_wallet_id": w.yen_wallet, "p_amount": "0.1"}


def malformed_texts() -> Iterator[Case]:
    for text in (None, *BLANK, LONG, VERY_LONG):
        yield "PW002", "create_wallet", always(p_owner_id=text)
        yield "PW002", "create_pocket", always(p_name=text)
        yield "PW002", "create_project", always(p_reference=text)
    for text in (*BLANK, LONG, "k" * 1000, VERY_LONG):
        for name in KEYED:
            yield "PW002", name, always(p_idempotency_key=text)
        for name in BULK:
            yield "PW002", name, always(p_idempotency_keys=["good", text])
    for text in (LONG, VERY_LONG):
        yield "PW002", "create_pocket", always(p_pocket_type=text)
    for text in ("halfup", "HALF_UP", "", None, VERY_LONG):
        for name in ("allocate_deposit", "preview_allocation", "allocate_deposits"):
            yield "PW002", name, always(p_rounding=text)
    for text in ("open", "SUCCEEDED", "", None, VERY_LONG):
        yield "PW002", "close_project", always(p_outcome=text)
    yield "PW002", "create_pocket", always(p_name="holiday")


def malformed_numbers() -> Iterator[Case]:
    for percentage in (None, -1, "-0.0001", "100.0001", 101, "NaN", "Infinity", "1.00001"):
        yield "PW002", "create_pocket", always(p_allocation_percentage=percentage)
        yield "PW002", "set_allocation", always(p_allocation_percentage=percentage)
    for rate in ("-0.01", "1.01", "NaN", "Infinity", "-Infinity"):
        yield "PW002", "create_project", always(p_commission_rate=rate)
        yield "PW002", "create_project", always(p_fee_rate=rate)
    yield "PW002", "create_project", always(p_commission_rate="0.6", p_fee_rate="0.5")
    yield "PW002", "create_project", always(p_commission_rate=1)
    for limit in (None, 0, -1):
        for name in ("release_escrows", "refund_escrows", "refund_expired_escrows", "statement"):
            yield "PW002", name, always(p_limit=limit)
    for project_id in (0, -1024, 1, 1025, 2**63 - 1):
        yield "PW002", "create_project", always(p_project_id=project_id)
    yield "PW002", "create_project", lambda w: {"p_project_id": w.open}
    yield "PW002", "create_project", lambda w: {"p_reference": "open"}
    yield (
        "PW002",
        "create_project",
        lambda w: {"p_reference": "open", "p_max_pledge": 500, "p_currency": "USD"},
    )


def malformed_times() -> Iterator[Case]:
    wrong = ("infinity", "-infinity", "10000-01-01 00:00:00+00", "4000-01-01 00:00:00+00 BC")
    for time in wrong:
        for name in KEYED:
            yield "PW002", name, always(p_effective_at=time)
        yield "PW002", "balance_at", always(p_at=time)
        yield "PW002", "pledge", always(p_expires_at=time)
    yield "PW002", "balance_at", always(p_at=None)
    past = datetime.now(UTC) - timedelta(seconds=1)
    yield "PW002", "pledge", always(p_expires_at=past)


def malformed_arrays() -> Iterator[Case]:
    for name in BULK:
        yield "PW002", name, always(p_wallet_ids=None)
        yield "PW002", name, always(p_amounts=None)
        yield "PW002", name, always(p_amounts=[10])
        yield "PW002", name, always(p_amounts=[10, 20, 30])
        yield "PW002", name, always(p_wallet_ids=[])
        yield "PW002", name, always(p_amounts=[])
        yield "PW002", name, always(p_idempotency_keys=["one"])
        yield "PW002", name, always(p_idempotency_keys=[])
        yield "PW002", name, always(p_idempotency_keys=["one", "two", "three"])


def wrong_currencies() -> Iterator[Case]:
    for currency in ("ABC", "eur", "EURO", "", " EUR", None, VERY_LONG):
        yield "PW003", "create_wallet", always(p_currency=currency)
        yield "PW003", "create_project", always(p_currency=currency)
    yield "PW003", "pledge", lambda w: {"p_wallet_id": w.yen_wallet}
    yield "PW003", "pledge", lambda w: {"p_project_id": w.yen_project}
    yield "PW003", "pledge_many", lambda w: {"p_wallet_ids": [w.wallet, w.yen_wallet]}
    yield "PW003", "pledge_many", lambda w: {"p_project_id": w.yen_project}


Id = Callable[[World], int | None]

KINDS: dict[str, Id] = {
    "wallet": lambda w: w.wallet,
    "pocket": lambda w: w.pocket,
    "project": lambda w: w.open,
    "escrow": lambda w: w.escrow,
}
NO_IDS: tuple[int | None, ...] = (None, 0, -1, 12345, 2**63 - 1, -(2**63))

# The code for each kind of id, the argument it comes in, and the functions that take it.
TAKES = {
    "wallet": (
        "PW101",
        "p_wallet_id",
        (
            "create_pocket",
            "deposit",
            "withdraw",
            "allocate_deposit",
            "preview_allocation",
            "pledge",
        ),
    ),
    "pocket": (
        "PW102",
        "p_pocket_id",
        ("set_allocation", "transfer_to_pocket", "transfer_from_pocket"),
    ),
    "project": (
        "PW103",
        "p_project_id",
        ("pledge", "pledge_many", "payout", "close_project", "release_escrows", "refund_escrows"),
    ),
    "escrow": ("PW104", "p_escrow_id", ("release_escrow", "refund_escrow")),
    "account": ("PW105", "p_account_id", ("balance", "balance_at", "statement")),
}


def with_id(argument: str, of: Id) -> Arguments:
    return lambda w: {argument: of(w)}


def with_ids(of: Id) -> Arguments:
    return lambda w: {"p_wallet_ids": [w.wallet, of(w)]}


def no_id(value: int | None) -> Id:
    return lambda w: value


def wrong_ids() -> Iterator[Case]:
    wrong = [no_id(value) for value in NO_IDS]
    for kind, (code, argument, names) in TAKES.items():
        # All but an escrow have an account by the same id.
        others = [
            of
            for other, of in KINDS.items()
            if other != kind and (kind != "account" or other == "escrow")
        ]
        for name in names:
            for of in wrong + others:
                yield code, name, with_id(argument, of)
    for name in BULK:
        for of in (no_id(None), no_id(12345), KINDS["pocket"], KINDS["project"]):
            yield "PW101", name, with_ids(of)


def settled(amount: str | None) -> Arguments:
    return lambda w: {"p_escrow_id": w.settled_escrow, "p_amount": amount}


def wrong_states() -> Iterator[Case]:
    for name in ("withdraw", "allocate_deposit", "pledge", "transfer_to_pocket", "payout"):
        yield "PW201", name, always(p_amount="250")
    yield "PW201", "transfer_from_pocket", always(p_amount="20.01")
    yield "PW201", "withdraw", always(p_amount="100.01")
    yield "PW201", "withdraw", always(p_amount="999999999999999.99")
    yield "PW201", "pledge_many", always(p_amounts=["50", "50.01"])
    yield "PW201", "allocate_deposits", always(p_amounts=["100", "100.02"])

    for name in ("release_escrow", "refund_escrow"):
        yield "PW202", name, always(p_amount="30.01")
        for amount in (None, "0.01"):
            yield "PW202", name, settled(amount)

    for name in ("pledge", "pledge_many"):
        yield "PW204", name, lambda w: {"p_project_id": w.succeeded}
        yield "PW204", name, lambda w: {"p_project_id": w.failed}
    yield "PW204", "close_project", lambda w: {"p_project_id": w.succeeded}
    yield (
        "PW204",
        "close_project",
        lambda w: {"p_project_id": w.failed, "p_outcome": "succeeded"},
    )

    yield "PW205", "release_escrow", lambda w: {"p_escrow_id": w.failed_escrow}
    yield "PW205", "release_escrows", lambda w: {"p_project_id": w.open}
    yield "PW205", "release_escrows", lambda w: {"p_project_id": w.failed}
    yield "PW205", "refund_escrows", lambda w: {"p_project_id": w.open}
    yield "PW205", "refund_escrows", lambda w: {"p_project_id": w.succeeded}

    yield "PW301", "pledge", always(p_amount="500.01")
    yield "PW301", "pledge_many", always(p_amounts=["10", "500.01"])

    yield "PW302", "create_pocket", always(p_allocation_percentage="50.0001")


CASES = [
    case
    for cases in (
        malformed_amounts,
        malformed_texts,
        malformed_numbers,
        malformed_times,
        malformed_arrays,
        wrong_currencies,
        wrong_ids,
        wrong_states,
    )
    for case in cases()
]


@pytest.mark.parametrize(
    ("code", "name", "spoil"),
    CASES,
    ids=[f"{n}-{code}-{name}" for n, (code, name, _) in enumerate(CASES)],
)
def test_bad_input_is_refused_by_its_code_and_moves_nothing(
    world: World, code: str, name: str, spoil: Arguments
) -> None:
    with refused(world.conn, code):
        call(world.conn, name, **{**GOOD[name](world), **spoil(world)})


@pytest.mark.parametrize("name", GOOD)
def test_the_good_calls_are_good(world: World, name: str) -> None:
    if name == "payout":
        assert call(world.conn, "balance", world.open)[0]["balance"] > 10
    with world.conn.transaction(force_rollback=True):
        call(world.conn, name, **GOOD[name](world))


def test_percentages_that_pass_100_are_refused_when_they_change(world: World) -> None:
    with world.conn.transaction(force_rollback=True):
        call(world.conn, "create_pocket", world.wallet, "rent", 50)
        with refused(world.conn, "PW302"):
            call(world.conn, "set_allocation", world.pocket, "50.0001")


@pytest.mark.parametrize("table", ["transaction", "posting"])
@pytest.mark.parametrize(
    "statement",
    [
        "update pgwallet.{} set created_at = now()",
        "delete from pgwallet.{}",
        "delete from pgwallet.{} where false",
        "truncate pgwallet.{} cascade",
    ],
)
def test_what_was_recorded_never_changes_not_even_for_the_owner(
    world: World, table: str, statement: str
) -> None:
    with refused(world.conn, "PW901") as said:
        world.conn.execute(statement.format(table).encode())
    assert table in said[0].message


@pytest.mark.parametrize("procedure", ["release_project", "refund_project"])
def test_the_procedures_refuse_bad_input(world: World, procedure: str) -> None:
    for size in (0, -1, None):
        with refused(world.conn, "PW002"):
            world.conn.execute(f"call pgwallet.{procedure}(%s, %s)".encode(), [world.open, size])
    for project_id in (None, 12345, world.wallet):
        with refused(world.conn, "PW103"):
            world.conn.execute(f"call pgwallet.{procedure}(%s)".encode(), [project_id])
    other = world.failed if procedure == "release_project" else world.succeeded
    with refused(world.conn, "PW204"):
        world.conn.execute(f"call pgwallet.{procedure}(%s)".encode(), [other])


@pytest.mark.parametrize(
    ("name", "spoil", "named"),
    [
        ("withdraw", {"p_amount": 250}, lambda w: w.wallet),
        ("payout", {"p_amount": 250}, lambda w: w.open),
        ("transfer_from_pocket", {"p_amount": 250}, lambda w: w.pocket),
        ("pledge", {"p_amount": 501}, lambda w: w.open),
        ("release_escrow", {"p_amount": 31}, lambda w: w.escrow),
        ("refund_escrow", {"p_amount": 31}, lambda w: w.escrow),
        ("close_project", {"p_outcome": "lost"}, lambda w: "lost"),
        ("deposit", {"p_wallet_id": 4711}, lambda w: 4711),
    ],
)
def test_the_message_names_the_object(
    world: World, name: str, spoil: dict[str, Any], named: Callable[[World], object]
) -> None:
    with pytest.raises(psycopg.Error) as caught, world.conn.transaction():
        call(world.conn, name, **{**GOOD[name](world), **spoil})
    assert str(named(world)) in (caught.value.diag.message_primary or "")


@pytest.mark.parametrize(
    "text",
    ["O'Hara", '"quoted"', "100 %", "%s %I %L", "a\\b", "$$; drop table", "日本語", "x" * 200],
)
def test_any_other_text_is_taken_as_it_is(world: World, text: str) -> None:
    conn = world.conn
    with conn.transaction(force_rollback=True):
        (wallet,) = call(conn, "create_wallet", text)
        assert wallet["owner_id"] == text
        (pocket,) = call(conn, "create_pocket", wallet["wallet_id"], text, 100)
        assert pocket["name"] == text
        (project,) = call(conn, "create_project", text)
        assert project["reference"] == text
        for replayed in (False, True):
            (deposit,) = call(conn, "deposit", wallet["wallet_id"], 10, text)
            assert deposit["replayed"] is replayed
        with refused(conn, "PW203"):
            call(conn, "deposit", wallet["wallet_id"], 11, text)
        with refused(conn, "PW002"):
            call(conn, "create_pocket", wallet["wallet_id"], text)
        with refused(conn, "PW002"):
            call(conn, "create_project", text, "USD")
        for name in ("close_project", "allocate_deposit"):
            last = ("p_outcome",) if name == "close_project" else ("p_rounding",)
            with refused(conn, "PW002"):
                call(conn, name, **{**GOOD[name](world), last[0]: text})
        with refused(conn, "PW003"):
            call(conn, "create_wallet", "bob", text)
