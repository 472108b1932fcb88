"""The FastAPI example over HTTP, with its lifespan, on a real pool."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response
from psycopg.conninfo import make_conninfo

import pgwallet
from examples.fastapi_app import app
from tests.conftest import Connect

FAIL_AT_COMMIT = """
create function public.fail() returns trigger language plpgsql as $$
begin
  raise exception 'too late';
end
$$;
create constraint trigger fail after insert on pgwallet.posting
deferrable initially deferred for each row execute function public.fail();
"""


class Shop:
    """Sends requests to the app, several at once if asked to."""

    def __init__(self, runner: asyncio.Runner, client: AsyncClient) -> None:
        self._runner = runner
        self._client = client

    def get(self, path: str) -> Response:
        return self._runner.run(self._client.get(path))

    def post(self, path: str, body: dict[str, Any], key: str | None = "key") -> Response:
        (response,) = self.post_all(path, [(body, key)])
        return response

    def post_all(
        self, path: str, requests: list[tuple[dict[str, Any], str | None]]
    ) -> list[Response]:
        async def send() -> list[Response]:
            return await asyncio.gather(
                *(
                    self._client.post(
                        path, json=body, headers={} if key is None else {"Idempotency-Key": key}
                    )
                    for body, key in requests
                )
            )

        return self._runner.run(send())


@pytest.fixture
def shop(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    # A lock that is not free at once is as good as one held for long.
    conninfo = make_conninfo(database, options="-c lock_timeout=200ms")
    monkeypatch.setenv("PGWALLET_DATABASE_URL", conninfo)
    transport = ASGITransport(app, raise_app_exceptions=False)
    with asyncio.Runner() as runner:
        client = AsyncClient(transport=transport, base_url="http://shop")
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        try:
            yield Shop(runner, client)
        finally:
            runner.run(client.aclose())
            runner.run(lifespan.__aexit__(None, None, None))


@pytest.fixture
def wallet_id(connect: Connect) -> int:
    """A wallet with 100 EUR."""
    conn = connect()
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, wallet_id, 100)
    conn.commit()
    return wallet_id


def balance(connect: Connect, wallet_id: int) -> Decimal:
    return pgwallet.balance(connect(autocommit=True), wallet_id)


def stock(connect: Connect, item: str) -> int:
    row = connect().execute("select stock from shop_item where item = %s", [item]).fetchone()
    assert row is not None
    return int(row[0])


def put_on_sale(connect: Connect, item: str, price: int, number: int) -> None:
    with connect() as conn:
        conn.execute(
            """
            insert into shop_item values (%s, %s, %s)
            on conflict (item) do update set stock = excluded.stock
            """,
            [item, price, number],
        )


def test_amounts_come_and_go_as_exact_text(shop: Shop, connect: Connect) -> None:
    wallet = shop.post("/wallets", {"owner_id": "eve"}, key=None).json()
    answer = shop.post(f"/wallets/{wallet['wallet_id']}/deposits", {"amount": "1234567890123.10"})

    assert wallet["balance"] == "0.00"
    assert answer.status_code == 200
    assert answer.json()["balance"] == "1234567890123.10"
    path = f"/wallets/{wallet['wallet_id']}/balance"
    assert shop.get(path).json() == {"balance": "1234567890123.10"}
    assert balance(connect, wallet["wallet_id"]) == Decimal("1234567890123.10")


def test_a_json_number_with_a_fraction_is_refused(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    fraction = shop.post(f"/wallets/{wallet_id}/deposits", {"amount": 0.1})
    whole = shop.post(f"/wallets/{wallet_id}/deposits", {"amount": 5})

    assert fraction.status_code == 422
    assert "as a string" in fraction.text
    assert whole.status_code == 200
    assert balance(connect, wallet_id) == 105


def test_a_deposit_that_is_sent_five_times_at_once_moves_money_once(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    answers = shop.post_all(f"/wallets/{wallet_id}/deposits", [({"amount": "5"}, "salary")] * 5)

    assert [answer.status_code for answer in answers] == [200] * 5
    assert sorted(answer.json()["replayed"] for answer in answers) == [False] + [True] * 4
    assert len({answer.json()["transaction_id"] for answer in answers}) == 1
    assert balance(connect, wallet_id) == 105


def test_a_salary_that_is_sent_again_is_split_once(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    with connect() as conn:
        rent = pgwallet.create_pocket(conn, wallet_id, "rent", Decimal(50)).pocket_id
    answers = shop.post_all(f"/wallets/{wallet_id}/salaries", [({"amount": "80.01"}, "pay")] * 3)

    assert [answer.status_code for answer in answers] == [200] * 3
    expected = {"pockets": {"rent": "40.01"}, "remaining": "40.00"}
    assert [answer.json() for answer in answers] == [expected] * 3
    assert balance(connect, wallet_id) == Decimal("140.00")
    assert balance(connect, rent) == Decimal("40.01")


def test_without_a_key_no_money_moves(shop: Shop, connect: Connect, wallet_id: int) -> None:
    answer = shop.post(f"/wallets/{wallet_id}/deposits", {"amount": "5"}, key=None)

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.text
    assert balance(connect, wallet_id) == 100


def test_a_refusal_is_a_problem_with_the_ledgers_words(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    film = shop_project(connect)
    answer = shop.post(f"/projects/{film}/pledges", {"wallet_id": wallet_id, "amount": "500"})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "status": 409,
        "title": "InsufficientFunds",
        "code": "PW201",
        "message": f"wallet {wallet_id} does not hold enough",
        "detail": "Its balance is 100.00, the amount 500.00.",
        "hint": "Take a smaller amount, or pay in first.",
    }


def shop_project(connect: Connect) -> int:
    with connect() as conn:
        return pgwallet.create_project(conn, "film", max_pledge=1000).project_id


@pytest.mark.parametrize(
    ("amount", "status", "code"),
    [("0.001", 422, "PW001"), ("-1", 422, "PW001"), ("1001", 422, "PW301"), ("60", 200, None)],
)
def test_each_kind_of_refusal_has_its_status(
    shop: Shop, connect: Connect, wallet_id: int, amount: str, status: int, code: str | None
) -> None:
    film = shop_project(connect)
    answer = shop.post(f"/projects/{film}/pledges", {"wallet_id": wallet_id, "amount": amount})

    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_what_is_not_there_is_a_404_and_a_key_used_otherwise_a_409(
    shop: Shop, wallet_id: int
) -> None:
    missing = shop.get("/wallets/1/balance")
    first = shop.post(f"/wallets/{wallet_id}/deposits", {"amount": "5"}, "k")
    other = shop.post(f"/wallets/{wallet_id}/deposits", {"amount": "6"}, "k")

    assert (missing.status_code, missing.json()["code"]) == (404, "PW105")
    assert first.status_code == 200
    assert (other.status_code, other.json()["code"]) == (409, "PW203")


def test_what_is_sold_out_costs_nothing_and_leaves_the_key_free(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    put_on_sale(connect, "lamp", 30, 0)
    refused = shop.post("/orders", {"wallet_id": wallet_id, "item": "lamp"}, "order-1")
    after = balance(connect, wallet_id)
    put_on_sale(connect, "lamp", 30, 1)
    sold = shop.post("/orders", {"wallet_id": wallet_id, "item": "lamp"}, "order-1")

    assert (refused.status_code, refused.json()) == (409, {"detail": "sold out"})
    assert after == 100
    assert (sold.status_code, sold.json()["balance"]) == (200, "70.00")
    assert stock(connect, "lamp") == 0


def test_an_order_sent_again_is_one_order(shop: Shop, connect: Connect, wallet_id: int) -> None:
    put_on_sale(connect, "lamp", 30, 5)
    order = {"wallet_id": wallet_id, "item": "lamp"}
    answers = shop.post_all("/orders", [(order, "order-1")] * 4)

    assert [answer.status_code for answer in answers] == [200] * 4
    assert sorted(answer.json()["replayed"] for answer in answers) == [False, True, True, True]
    assert stock(connect, "lamp") == 4
    assert balance(connect, wallet_id) == 70


def test_ten_orders_at_once_sell_what_there_is_and_no_more(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    put_on_sale(connect, "pen", 2, 3)
    order = {"wallet_id": wallet_id, "item": "pen"}
    answers = shop.post_all("/orders", [(order, f"order-{number}") for number in range(10)])

    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [409] * 7
    assert stock(connect, "pen") == 0
    assert balance(connect, wallet_id) == 94


def test_nothing_is_answered_before_it_is_committed(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    with connect() as conn:
        conn.execute(FAIL_AT_COMMIT.encode())
    answer = shop.post(f"/wallets/{wallet_id}/deposits", {"amount": "5"})

    assert answer.status_code == 500
    assert balance(connect, wallet_id) == 100


def test_a_lock_held_for_too_long_is_a_503_that_may_be_repeated(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    with connect() as other:
        pgwallet.deposit(other, wallet_id, 1)
        busy = shop.post(f"/wallets/{wallet_id}/deposits", {"amount": "5"})
    free = shop.post(f"/wallets/{wallet_id}/deposits", {"amount": "5"})

    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    assert free.status_code == 200
    assert balance(connect, wallet_id) == 106


def test_a_user_s_page_shows_what_is_theirs(shop: Shop, connect: Connect, wallet_id: int) -> None:
    with connect() as conn:
        pgwallet.create_pocket(conn, wallet_id, "rent", 50)
    film = shop_project(connect)
    shop.post(f"/wallets/{wallet_id}/salaries", {"amount": "10"}, "may")
    shop.post(f"/projects/{film}/pledges", {"wallet_id": wallet_id, "amount": "30"})
    (account,) = shop.get("/users/ada").json()

    assert account["wallet"]["balance"] == "75.00"
    assert [(pocket["name"], pocket["balance"]) for pocket in account["pockets"]] == [
        ("rent", "5.00")
    ]
    assert [(pledge["reference"], pledge["status"]) for pledge in account["pledges"]] == [
        ("film", "locked")
    ]
    assert [(row["kind"], row["amount"]) for row in account["movements"]] == [
        ("pledge", "-30.00"),
        ("allocation", "-5.00"),
        ("deposit", "10.00"),
        ("deposit", "100.00"),
    ]
    assert shop.get("/users/eve").json() == []


def test_a_pledge_is_cancelled_by_whom_it_is_of_and_once(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    film = shop_project(connect)
    pledge = {"wallet_id": wallet_id, "amount": "30"}
    escrow = shop.post(f"/projects/{film}/pledges", pledge).json()["escrow_id"]
    shop.post("/wallets", {"owner_id": "eve"}, key=None)
    stranger = shop.post(f"/users/eve/pledges/{escrow}/cancellation", {}, "mine")
    answers = shop.post_all(f"/users/ada/pledges/{escrow}/cancellation", [({}, "mine")] * 3)

    assert stranger.status_code == 404
    assert [answer.status_code for answer in answers] == [200] * 3
    assert sorted(answer.json()["replayed"] for answer in answers) == [False, True, True]
    assert balance(connect, wallet_id) == 100
    (account,) = shop.get("/users/ada").json()
    assert [pledge["status"] for pledge in account["pledges"]] == ["refunded"]


def test_after_its_project_has_closed_a_pledge_is_not_cancelled(
    shop: Shop, connect: Connect, wallet_id: int
) -> None:
    film = shop_project(connect)
    pledge = {"wallet_id": wallet_id, "amount": "30"}
    escrow = shop.post(f"/projects/{film}/pledges", pledge).json()["escrow_id"]
    with connect() as conn:
        pgwallet.close_project(conn, film, "succeeded")
    answer = shop.post(f"/users/ada/pledges/{escrow}/cancellation", {}, "mine")

    assert (answer.status_code, answer.json()["code"]) == (409, "PW204")
    assert balance(connect, wallet_id) == 70
