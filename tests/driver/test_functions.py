"""Functions of wallets, pockets and the ledger, on a connection and on an async one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.numeric import FloatLoader
from psycopg.types.string import TextLoader

import pgwallet
from pgwallet import Allocation, DepositRow, Share, ShareRow
from tests.driver.calling import CallIt, wallet_with_pockets


def test_a_wallet_is_opened_once(call: CallIt) -> None:
    wallet = call(pgwallet.create_wallet, "ada")
    nothing = Decimal("0.00")
    assert wallet == pgwallet.Wallet(wallet.wallet_id, "ada", "EUR", nothing, nothing, None, None)
    assert call(pgwallet.create_wallet, owner_id="ada", currency="EUR") == wallet
    assert call(pgwallet.create_wallet, "ada", "JPY").wallet_id != wallet.wallet_id


def test_a_deposit_and_a_withdrawal_return_the_balance(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    deposit = call(pgwallet.deposit, wallet_id, Decimal("12.34"))
    assert deposit == pgwallet.Deposit(Decimal("12.34"), deposit.transaction_id, False)
    withdrawal = call(pgwallet.withdraw, wallet_id=wallet_id, amount=2)
    assert withdrawal == pgwallet.Withdrawal(Decimal("10.34"), withdrawal.transaction_id, False)
    assert withdrawal.transaction_id > deposit.transaction_id


def test_the_same_key_replays_the_first_result(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    first = call(pgwallet.deposit, wallet_id, 5, idempotency_key='it\'s "one" 100% \\ é')
    call(pgwallet.deposit, wallet_id, 1)
    again = call(pgwallet.deposit, wallet_id, 5, 'it\'s "one" 100% \\ é')
    assert again == pgwallet.Deposit(Decimal("5.00"), first.transaction_id, True)


def test_amounts_carry_the_decimals_of_the_currency(call: CallIt) -> None:
    balances = {}
    for currency in ("JPY", "EUR", "KWD"):
        wallet_id = call(pgwallet.create_wallet, "ada", currency).wallet_id
        balances[currency] = str(call(pgwallet.deposit, wallet_id, Decimal("7.000000")).balance)
    assert balances == {"JPY": "7", "EUR": "7.00", "KWD": "7.000"}


def test_many_deposits_come_back_in_the_order_given(call: CallIt) -> None:
    ada = call(pgwallet.create_wallet, "ada").wallet_id
    bob = call(pgwallet.create_wallet, "bob").wallet_id
    rows = call(
        pgwallet.deposit_many,
        (wallet_id for wallet_id in (bob, ada, bob)),
        [1, Decimal("2.50"), 3],
        ["a", None, 'b",\\{}'],
    )
    assert rows == [
        DepositRow(bob, Decimal("1.00"), rows[0].transaction_id, False),
        DepositRow(ada, Decimal("2.50"), rows[1].transaction_id, False),
        DepositRow(bob, Decimal("4.00"), rows[2].transaction_id, False),
    ]
    again = call(pgwallet.deposit_many, [bob], [3], ['b",\\{}'])
    assert again == [DepositRow(bob, Decimal("4.00"), rows[2].transaction_id, True)]
    assert call(pgwallet.deposit_many, [], []) == []


def test_a_currency_is_made_and_every_digit_of_it_comes_back(call: CallIt) -> None:
    made = call(pgwallet.create_currency, "TOKEN", 18, "Token")
    assert (made.currency, made.exponent, made.name) == ("TOKEN", 18, "Token")
    wallet_id = call(pgwallet.create_wallet, "ada", "TOKEN").wallet_id
    most = Decimal("999999999999999.999999999999999999")
    assert call(pgwallet.deposit, wallet_id, most).balance == most
    call(pgwallet.create_pocket, wallet_id, "rest", takes_rest=True)
    split = call(pgwallet.allocate_deposit, wallet_id, most)
    assert (split.allocated, str(split.remaining)) == (most, "0E-18")


def test_a_pocket_is_made_and_its_percentage_changed(call: CallIt) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    pocket = call(
        pgwallet.create_pocket,
        wallet_id,
        "rent",
        Decimal("33.3333"),
        pocket_type="saving",
        target_amount=500,
    )
    assert pocket == pgwallet.Pocket(
        pocket.pocket_id,
        wallet_id,
        "rent",
        Decimal("33.3333"),
        Decimal("0.00"),
        "saving",
        Decimal("500.00"),
        False,
        False,
        Decimal("500.00"),
    )
    changed = call(pgwallet.set_allocation, pocket.pocket_id, 40)
    assert (changed.pocket_id, changed.allocation_percentage) == (pocket.pocket_id, Decimal(40))
    assert call(pgwallet.rename_pocket, pocket.pocket_id, "home").name == "home"
    assert call(pgwallet.set_target, pocket.pocket_id, 600, True).stop_at_target
    assert call(pgwallet.set_target, pocket.pocket_id, None).target_amount is None
    plain = call(pgwallet.create_pocket, wallet_id, "fun")
    assert plain.allocation_percentage == 0
    assert plain.pocket_type is None


def test_an_allocation_carries_its_shares_and_what_remains(call: CallIt) -> None:
    wallet_id, (small, large) = wallet_with_pockets(call, "ada", "12.5", "50")
    allocation = call(pgwallet.allocate_deposit, wallet_id, Decimal("10"), idempotency_key="a")
    assert allocation == Allocation(
        shares=(
            Share(large, "pocket 1", Decimal(50), Decimal("5.00"), Decimal("5.00")),
            Share(small, "pocket 0", Decimal("12.5"), Decimal("1.25"), Decimal("1.25")),
        ),
        allocated=Decimal("6.25"),
        remaining=Decimal("3.75"),
        transaction_id=allocation.transaction_id,
        replayed=False,
    )
    assert allocation.transaction_id is not None
    assert [str(allocation.allocated), str(allocation.remaining)] == ["6.25", "3.75"]
    again = call(pgwallet.allocate_deposit, wallet_id, 10, "half_up", "a")
    assert (again.transaction_id, again.replayed) == (allocation.transaction_id, True)
    assert again.shares == allocation.shares
    assert call(pgwallet.balance, wallet_id) == Decimal("93.75")


def test_an_allocation_is_exact_in_any_decimal_context(call: CallIt) -> None:
    wallet_id, _ = wallet_with_pockets(call, "ada", "30", "20")
    call(pgwallet.deposit, wallet_id, Decimal("123456789.12"))
    with localcontext() as context:
        context.prec = 3
        allocation = call(pgwallet.allocate_deposit, wallet_id, Decimal("123456789.1200"))
    assert str(allocation.allocated) == "61728394.56"
    assert str(allocation.remaining) == "61728394.56"


def test_an_allocation_without_pockets_leaves_everything(call: CallIt) -> None:
    wallet_id, _ = wallet_with_pockets(call, "ada")
    allocation = call(pgwallet.allocate_deposit, wallet_id, 10)
    assert allocation == Allocation(
        (), Decimal(0), Decimal(10), allocation.transaction_id, replayed=False
    )
    assert allocation.transaction_id is not None


def test_a_preview_moves_nothing(call: CallIt) -> None:
    wallet_id, (first, second) = wallet_with_pockets(call, "ada", "50", "50")
    preview = call(pgwallet.preview_allocation, wallet_id, Decimal("1000.01"), "largest_remainder")
    assert [(share.pocket_id, str(share.amount)) for share in preview.shares] == [
        (first, "500.01"),
        (second, "500.00"),
    ]
    assert preview.remaining == 0
    assert (preview.transaction_id, preview.replayed) == (None, False)
    assert call(pgwallet.balance, wallet_id) == 100


def test_allocations_of_many_wallets_name_the_wallet(call: CallIt) -> None:
    ada, (a,) = wallet_with_pockets(call, "ada", "10")
    bob, (b, c) = wallet_with_pockets(call, "bob", "20", "30")
    rows = call(pgwallet.allocate_deposits, [bob, ada], [10, 20], rounding="half_up")
    ids = [row.transaction_id for row in rows]
    zero_to = Decimal("0.00")
    assert rows == [
        ShareRow(bob, c, "pocket 1", Decimal(30), zero_to + 3, zero_to + 3, ids[0], False),
        ShareRow(bob, b, "pocket 0", Decimal(20), zero_to + 2, zero_to + 2, ids[0], False),
        ShareRow(ada, a, "pocket 0", Decimal(10), zero_to + 2, zero_to + 2, ids[2], False),
    ]
    assert ids[0] == ids[1] != ids[2]


def test_transfers_return_both_balances(call: CallIt) -> None:
    wallet_id, (pocket_id,) = wallet_with_pockets(call, "ada", "0")
    to = call(pgwallet.transfer_to_pocket, pocket_id, Decimal("30.50"), metadata={"why": "rent"})
    assert to == pgwallet.PocketTransfer(
        Decimal("30.50"), Decimal("69.50"), to.transaction_id, False
    )
    back = call(pgwallet.transfer_from_pocket, pocket_id, 10, idempotency_key="back")
    assert (back.balance, back.wallet_balance) == (Decimal("20.50"), Decimal("79.50"))
    assert call(pgwallet.balance, wallet_id) == Decimal("79.50")


def test_a_statement_tells_what_happened(call: CallIt) -> None:
    wallet_id, (pocket_id,) = wallet_with_pockets(call, "ada", "0")
    happened = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    call(pgwallet.transfer_to_pocket, pocket_id, 30, "k", {"why": ["rent", 1.5, None]}, happened)
    deposit, transfer = call(pgwallet.statement, wallet_id)
    assert (str(deposit.amount), str(deposit.balance)) == ("100.00", "100.00")
    assert deposit.metadata is None
    assert (transfer.amount, transfer.balance) == (Decimal("-30.00"), Decimal("70.00"))
    assert (transfer.kind, transfer.counterpart_id) == ("transfer_to_pocket", pocket_id)
    assert transfer.metadata == {"why": ["rent", 1.5, None]}
    assert transfer.effective_at == happened
    assert deposit.created_at <= transfer.created_at <= datetime.now(UTC)
    page = call(pgwallet.statement, wallet_id, after_posting_id=deposit.posting_id, limit=1)
    assert page == [transfer]
    assert call(pgwallet.statement, wallet_id, transfer.posting_id) == []


def test_a_balance_is_read_now_and_at_a_time(call: CallIt) -> None:
    wallet_id, _ = wallet_with_pockets(call, "ada")
    (deposit,) = call(pgwallet.statement, wallet_id)
    assert str(call(pgwallet.balance, wallet_id)) == "100.00"
    assert call(pgwallet.balance_at, wallet_id, deposit.created_at) == 100
    before = deposit.created_at - timedelta(microseconds=1)
    assert call(pgwallet.balance_at, wallet_id, at=before) == 0


def test_what_a_caller_names_is_found_or_none(call: CallIt) -> None:
    wallet_id, _ = wallet_with_pockets(call, "ada")
    deposit = call(pgwallet.deposit, wallet_id, 1, "key")
    found = call(pgwallet.find_transaction, "key")
    assert found is not None
    assert found == call(pgwallet.get_transaction, deposit.transaction_id)
    assert call(pgwallet.find_transaction, "another") is None
    assert call(pgwallet.find_project, "nobody's") is None


def test_a_sound_ledger_has_no_violations(call: CallIt) -> None:
    wallet_with_pockets(call, "ada", "50")
    assert call(pgwallet.check_ledger) == []
    assert call(pgwallet.check_ledger, since_transaction_id=2**80) == []


def test_a_violation_names_the_invariant(conn: psycopg.Connection) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    conn.execute("update pgwallet.account set balance = 5 where account_id = %s", [wallet_id])
    violations = pgwallet.check_ledger(conn)
    assert any(
        violation.invariant == 1 and str(wallet_id) in violation.subject for violation in violations
    )
    assert all(violation.detail for violation in violations)


def test_results_keep_their_types_on_a_connection_that_loads_its_own_way(
    conn: psycopg.Connection,
) -> None:
    # As Django does for jsonb, and others do for numeric.
    conn.adapters.register_loader("jsonb", TextLoader)
    conn.adapters.register_loader("numeric", FloatLoader)
    conn.row_factory = dict_row  # type: ignore[assignment]
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, wallet_id, Decimal("12.34"), metadata={"a": 1})
    (row,) = pgwallet.statement(conn, wallet_id)
    assert (row.amount, type(row.amount), row.metadata) == (Decimal("12.34"), Decimal, {"a": 1})


def test_a_client_side_cursor_will_do(conn: psycopg.Connection) -> None:
    conn.cursor_factory = psycopg.ClientCursor
    wallet_id = pgwallet.create_wallet(conn, "d'Arc 100% \\").wallet_id
    rows = pgwallet.deposit_many(conn, [wallet_id, wallet_id], [1, 2], ["it's", None])
    assert [row.balance for row in rows] == [1, 3]


@pytest.mark.parametrize("wrong", [None, "dbname=postgres", 5])
def test_only_a_connection_will_do(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"must be a psycopg\.Connection"):
        pgwallet.balance(wrong, 1)  # type: ignore[call-overload]


def test_a_cursor_is_no_connection(conn: psycopg.Connection) -> None:
    with pytest.raises(TypeError, match=r"not psycopg\.Cursor"):
        pgwallet.balance(conn.cursor(), 1)  # type: ignore[call-overload]
