"""How an application tests what it does with the ledger: as the rest of itself."""

# ruff: noqa: PT009, PT027  Django's runner executes these, not pytest.

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
from django.db import OperationalError, connection, transaction
from django.test import TestCase, TransactionTestCase

import pgwallet

from .ledger import ledger, run_atomic
from .models import Order
from .orders import place_order


class OrderTests(TestCase):
    """Each test is rolled back, the ledger's part with it."""

    def setUp(self) -> None:
        with ledger() as conn:
            self.ada = pgwallet.create_wallet(conn, "ada").wallet_id
            pgwallet.deposit(conn, self.ada, 100)
            self.film = pgwallet.create_project(conn, "film").project_id
        self.form = {"customer": "ada", "project_id": self.film, "amount": "20.00", "key": "1"}

    def balance(self) -> Decimal:
        with ledger() as conn:
            return pgwallet.balance(conn, self.ada)

    def test_an_order_locks_its_money(self) -> None:
        response = self.client.post("/orders", self.form)
        order = Order.objects.get()

        self.assertEqual(response.status_code, 201)
        self.assertEqual(response.json(), {"order": order.pk, "escrow_id": order.escrow_id})
        self.assertEqual((order.amount, self.balance()), (20, 80))

    async def test_an_async_view_places_it_in_a_thread(self) -> None:
        response = await self.async_client.post("/orders/async", self.form)
        again = await self.async_client.post("/orders/async", self.form)

        self.assertEqual((response.status_code, again.status_code), (201, 200))
        self.assertEqual(await Order.objects.acount(), 1)

    def test_the_same_key_again_returns_the_same_order(self) -> None:
        first = self.client.post("/orders", self.form)
        again = self.client.post("/orders", self.form)

        self.assertEqual((first.status_code, again.status_code), (201, 200))
        self.assertEqual(first.json(), again.json())
        self.assertEqual((Order.objects.count(), self.balance()), (1, 80))

    def test_what_the_ledger_refuses_has_a_status(self) -> None:
        for change, status, code in (
            ({"amount": "100.01"}, 409, "PW201"),
            ({"amount": "0.001"}, 422, "PW001"),
            ({"amount": "100000.01"}, 422, "PW301"),
            ({"project_id": self.ada}, 404, "PW103"),
        ):
            for address in ("/orders", "/orders/async"):
                with self.subTest(change, address=address):
                    response = self.client.post(address, self.form | change)
                    self.assertEqual(
                        (response.status_code, response.json()["code"]), (status, code)
                    )
        self.assertEqual((Order.objects.count(), self.balance()), (0, 100))
        self.assertEqual(self.client.post("/orders", self.form | {"amount": "x"}).status_code, 400)

    def test_a_user_s_page_shows_what_is_theirs(self) -> None:
        with ledger() as conn:
            pgwallet.create_pocket(conn, self.ada, "rent")
        self.client.post("/orders", self.form)
        (account,) = self.client.get("/users/ada").json()["accounts"]

        self.assertEqual(account["wallet"]["balance"], "80.00")
        self.assertEqual([pocket["name"] for pocket in account["pockets"]], ["rent"])
        (pledge,) = account["pledges"]
        self.assertEqual((pledge["reference"], pledge["locked_amount"]), ("film", "20.00"))
        kinds = [row["kind"] for row in account["movements"]]
        self.assertEqual(kinds, ["pledge", "deposit"])
        self.assertEqual(self.client.get("/users/eve").json(), {"accounts": []})

    def test_a_pledge_is_cancelled_by_whom_it_is_of(self) -> None:
        escrow = self.client.post("/orders", self.form).json()["escrow_id"]
        with ledger() as conn:
            pgwallet.create_wallet(conn, "eve")
        stranger = self.client.post(f"/users/eve/pledges/{escrow}/cancellation")
        self.assertEqual((stranger.status_code, self.balance()), (404, 80))

        for _ in range(2):
            response = self.client.post(f"/users/ada/pledges/{escrow}/cancellation")
            self.assertEqual(response.json(), {"refunded": "20.00", "balance": "100.00"})
        self.assertEqual((Order.objects.count(), self.balance()), (0, 100))

    def test_after_its_project_has_closed_a_pledge_and_its_order_stay(self) -> None:
        escrow = self.client.post("/orders", self.form).json()["escrow_id"]
        with ledger() as conn:
            pgwallet.close_project(conn, self.film, "failed")
        response = self.client.post(f"/users/ada/pledges/{escrow}/cancellation")

        self.assertEqual((response.status_code, response.json()["code"]), (409, "PW204"))
        self.assertEqual((Order.objects.count(), self.balance()), (1, 80))

    def test_when_the_application_fails_the_money_is_back(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            place_order("ada", self.film, Decimal(20), "1")
            self.assertEqual(self.balance(), 80)
            1 / 0  # noqa: B018

        self.assertEqual((Order.objects.count(), self.balance()), (0, 100))

    def test_when_the_ledger_refuses_the_row_is_gone(self) -> None:
        with self.assertRaises(pgwallet.InsufficientFunds), ledger() as conn:
            Order.objects.create(customer="ada", amount=101, escrow_id=1)
            pgwallet.withdraw(conn, self.ada, 101)

        self.assertFalse(Order.objects.exists())

    def test_a_refusal_that_was_caught_leaves_the_rest_of_the_transaction(self) -> None:
        with transaction.atomic():
            Order.objects.create(customer="ada", amount=101, escrow_id=1)
            with self.assertRaises(pgwallet.InsufficientFunds), ledger() as conn:
                pgwallet.withdraw(conn, self.ada, 101)
            with ledger() as conn:
                pgwallet.withdraw(conn, self.ada, 60)

        self.assertEqual((Order.objects.count(), self.balance()), (1, 40))

    def test_the_receipt_is_sent_after_the_commit_and_once(self) -> None:
        with self.captureOnCommitCallbacks() as receipts:
            self.client.post("/orders", self.form)
            self.client.post("/orders", self.form)
            self.client.post("/orders", self.form | {"amount": "100", "key": "2"})

        self.assertEqual(len(receipts), 1)

    def test_a_statement_has_its_own_types_on_djangos_connection(self) -> None:
        paid_at = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
        metadata: dict[str, Any] = {"payment": "pay_1", "of": [1, None]}
        with ledger() as conn:
            pgwallet.deposit(conn, self.ada, 5, metadata=metadata, effective_at=paid_at)
            with self.assertNumQueries(0):  # Django counts and logs its own cursors only
                row = pgwallet.statement(conn, self.ada)[-1]

        self.assertEqual((row.effective_at, row.metadata), (paid_at, metadata))
        self.assertEqual((type(row.amount), str(row.balance)), (Decimal, "105.00"))
        self.assertIsNotNone(row.created_at.utcoffset())


class CommittedTests(TransactionTestCase):
    """These commit. Django empties its own tables afterwards; the ledger keeps what happened."""

    def setUp(self) -> None:
        with ledger() as conn:
            # Not the wallet of another test.
            self.wallet = pgwallet.create_wallet(conn, uuid4().hex).wallet_id

    def balance(self) -> Decimal:
        with ledger() as conn:
            return pgwallet.balance(conn, self.wallet)

    def test_what_met_another_transactions_way_is_done_again_as_a_whole(self) -> None:
        with psycopg.connect(connection.connection.info.dsn) as other:
            pgwallet.deposit(other, self.wallet, 1)
            attempts = 0

            def work(conn: psycopg.Connection) -> None:
                nonlocal attempts
                attempts += 1
                if attempts == 3:
                    other.commit()
                conn.execute("set local lock_timeout = '10ms'")
                Order.objects.create(customer="ada", amount=5, escrow_id=1)
                pgwallet.deposit(conn, self.wallet, 5)

            run_atomic(work)

        self.assertEqual(attempts, 3)
        self.assertEqual((Order.objects.count(), self.balance()), (1, 6))

    def test_it_gives_up_after_so_many_attempts(self) -> None:
        with psycopg.connect(connection.connection.info.dsn) as other:
            pgwallet.deposit(other, self.wallet, 1)
            attempts = 0

            def work(conn: psycopg.Connection) -> None:
                nonlocal attempts
                attempts += 1
                conn.execute("set local lock_timeout = '10ms'")
                pgwallet.deposit(conn, self.wallet, 5)

            with self.assertRaises(OperationalError):
                run_atomic(work, attempts=2)

        self.assertEqual(attempts, 2)

    def test_it_refuses_to_run_where_it_could_not_commit(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "durable"), transaction.atomic():
            run_atomic(lambda conn: pgwallet.deposit(conn, self.wallet, 1))

        self.assertEqual(self.balance(), 0)

    def test_a_release_commits_its_batches_so_it_runs_outside_atomic(self) -> None:
        with ledger() as conn:
            pgwallet.deposit(conn, self.wallet, 10)
            film = pgwallet.create_project(conn, uuid4().hex).project_id
            for _ in range(3):
                pgwallet.pledge(conn, self.wallet, film, 2)

        with self.assertRaises(psycopg.ProgrammingError), transaction.atomic():
            Order.objects.exists()
            list(pgwallet.release_project(connection.connection, film))
        batches = list(pgwallet.release_project(connection.connection, film, batch_size=2))

        self.assertEqual([batch.gross_amount for batch in batches], [4, 2])

    def test_a_refusal_that_was_caught_inside_the_block_is_not_taken_for_a_commit(self) -> None:
        committed: list[str] = []
        with self.assertRaises(transaction.TransactionManagementError), ledger() as conn:
            Order.objects.create(customer="ada", amount=1, escrow_id=1)
            transaction.on_commit(partial(committed.append, "receipt"))
            with suppress(pgwallet.InsufficientFunds):
                pgwallet.withdraw(conn, self.wallet, 1)

        self.assertEqual((Order.objects.count(), committed), (0, []))

    def test_a_connection_that_was_cut_is_noticed_and_made_anew(self) -> None:
        with self.assertRaises(OperationalError), ledger() as conn:
            conn.execute("select pg_terminate_backend(pg_backend_pid())")

        self.assertEqual(self.balance(), 0)
