"""A payment provider's webhook over HTTP: twice, out of order, and both at the same time."""

import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import psycopg
import pytest

import pgwallet
from tests.examples import shop as shops
from tests.waiting import DEADLINE

pytest.importorskip("django", reason="Django is not installed: make setup")

SECRET = b"only for development"  # as in the example's settings

SERVER = """
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from shop.wsgi import application

server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
server.set_app(application)
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who sends the webhooks, and what the ledger says."""

    address: str
    conninfo: str
    app: str

    def send(self, event: dict[str, Any], signature: str | None = None) -> tuple[int, Any]:
        body = json.dumps(event).encode()
        signature = signature or hmac.digest(SECRET, body, "sha256").hex()
        request = Request(self.address, body, {"Signature": signature})
        try:
            with urlopen(request, timeout=DEADLINE) as response:
                status, text = response.status, response.read().decode()
        except HTTPError as error:
            with error:
                status, text = error.code, error.read().decode()
        return status, json.loads(text) if text.startswith("{") else text

    def postings(self, customer: str) -> list[tuple[str, Decimal]]:
        """Kind and amount of each, by when it happened outside."""
        with psycopg.connect(self.conninfo) as conn:
            wallet = pgwallet.create_wallet(conn, customer).wallet_id
            rows = pgwallet.statement(conn, wallet)
        return [(row.kind, row.amount) for row in sorted(rows, key=lambda row: row.effective_at)]


@pytest.fixture(scope="module")
def provider(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with shops.created(server, tmp_path_factory.mktemp("settings")) as shop:
        completed = shop.manage("migrate")
        assert completed.returncode == 0, completed.stderr
        with shop.program(SERVER) as program:
            assert program.stdout is not None
            port = program.stdout.readline().strip()
            yield Provider(f"http://127.0.0.1:{port}/webhooks/payment", shop.conninfo, shop.app)


def payment(customer: str, **changes: str) -> dict[str, Any]:
    event = {
        "id": f"evt_{uuid4().hex}",
        "type": "payment.succeeded",
        "payment": f"pay_{customer}",
        "customer": customer,
        "amount": "20.00",
        "currency": "EUR",
        "occurred_at": "2025-11-03T09:00:00+00:00",
    }
    return event | changes


def test_a_second_delivery_is_answered_like_the_first_and_moves_nothing(
    provider: Provider,
) -> None:
    event = payment("twice")
    first, second = provider.send(event), provider.send(event)

    assert first == (200, {"transaction_id": first[1]["transaction_id"], "replayed": False})
    assert second == (200, {"transaction_id": first[1]["transaction_id"], "replayed": True})
    assert provider.postings("twice") == [("deposit", Decimal("20.00"))]


def test_a_payment_is_split_over_the_pockets_once(provider: Provider) -> None:
    with psycopg.connect(provider.conninfo) as conn:
        wallet = pgwallet.create_wallet(conn, "saver").wallet_id
        rent = pgwallet.create_pocket(conn, wallet, "rent", Decimal(50)).pocket_id
    event = payment("saver")
    answers = [provider.send(event), provider.send(event)]

    assert [status for status, _ in answers] == [200, 200]
    with psycopg.connect(provider.conninfo) as conn:
        assert pgwallet.balance(conn, rent) == Decimal("10.00")
        assert pgwallet.balance(conn, wallet) == Decimal("10.00")


def test_of_two_deliveries_at_the_same_time_one_waits_and_moves_nothing(
    provider: Provider,
) -> None:
    event = payment("at once")
    with psycopg.connect(provider.conninfo) as holder, ThreadPoolExecutor(2) as senders:
        wallet = pgwallet.create_wallet(holder, "at once").wallet_id
        holder.commit()
        # The first to come waits for the wallet, the second for the first one's key.
        pgwallet.deposit(holder, wallet, 1)
        answers = [senders.submit(provider.send, event) for _ in range(2)]
        wait_until_two_are_blocked(provider)
        holder.rollback()
        statuses = {answer.result()[0] for answer in answers}
        replayed = sorted(answer.result()[1]["replayed"] for answer in answers)

    assert (statuses, replayed) == ({200}, [False, True])
    assert provider.postings("at once") == [("deposit", Decimal("20.00"))]


def test_a_charge_back_before_its_payment_is_refused_until_the_payment_is_there(
    provider: Provider,
) -> None:
    paid = payment("out of order")
    earlier = payment("out of order", amount="5.00", occurred_at="2025-11-01T09:00:00+00:00")
    back = payment(
        "out of order", type="payment.charged_back", occurred_at="2025-11-05T09:00:00+00:00"
    )

    assert provider.send(back)[0] == 409
    assert provider.send(paid)[0] == 200
    assert [provider.send(back)[1]["replayed"] for _ in range(2)] == [False, True]
    assert provider.send(earlier)[0] == 200
    assert provider.postings("out of order") == [
        ("deposit", Decimal("5.00")),
        ("deposit", Decimal("20.00")),
        ("withdrawal", Decimal("-20.00")),
    ]


def test_an_event_id_with_another_amount_is_a_conflict(provider: Provider) -> None:
    event = payment("conflict")
    provider.send(event)
    status, answer = provider.send(event | {"amount": "2000.00"})

    assert (status, answer["code"]) == (409, "PW203")
    assert provider.postings("conflict") == [("deposit", Decimal("20.00"))]


def test_an_amount_that_the_currency_cannot_hold_is_refused(provider: Provider) -> None:
    status, answer = provider.send(payment("yen", currency="JPY", amount="20.50"))

    assert (status, answer["code"]) == (422, "PW001")


def test_an_event_of_no_interest_is_accepted_and_a_wrong_signature_is_not(
    provider: Provider,
) -> None:
    assert provider.send(payment("other", type="customer.updated")) == (200, "not for us")
    for guess in ("0" * 64, "é"):
        assert provider.send(payment("other"), guess) == (400, "wrong signature")
    assert provider.postings("other") == []


def wait_until_two_are_blocked(provider: Provider) -> None:
    deadline = time.monotonic() + DEADLINE
    with psycopg.connect(provider.conninfo, autocommit=True) as observer:
        while time.monotonic() < deadline:
            rows = observer.execute(
                "select from pg_stat_activity where usename = %s and wait_event_type = 'Lock'",
                [provider.app],
            ).fetchall()
            if len(rows) == 2:
                return
            time.sleep(0.01)
    raise AssertionError(f"two deliveries do not wait after {DEADLINE:.0f} s")
