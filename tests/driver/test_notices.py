"""What the server warns of reaches the logger pgwallet, once."""

import asyncio
import logging
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.driver.calling import CallIt


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelno) == ("pgwallet", logging.WARNING)
    ]


def test_an_allocation_over_200_pockets_warns_that_100_were_left_out(
    call: CallIt, caplog: pytest.LogCaptureFixture
) -> None:
    wallet_id = call(pgwallet.create_wallet, "ada").wallet_id
    for number in range(200):
        call(pgwallet.create_pocket, wallet_id, f"pocket {number}", Decimal("0.5"))
    call(pgwallet.deposit, wallet_id, 1000)
    assert warnings_of(caplog) == []
    allocation = call(pgwallet.allocate_deposit, wallet_id, 1000)
    assert len(allocation.shares) == 100
    assert allocation.remaining == 500
    (warning,) = warnings_of(caplog)
    assert "100" in warning
    call(pgwallet.deposit, wallet_id, 1)
    assert len(warnings_of(caplog)) == 1


# Stands in for any function of the ledger that warns, and can fail after it.
NOISY = """
create or replace function pgwallet.balance(p_account_id bigint) returns numeric
language plpgsql as
$function$
begin
  raise warning 'careful, 100%%' using detail = 'Of it.', hint = 'Look.';
  raise notice 'by the way';
  if p_account_id = 0 then
    raise exception using errcode = 'PW105', message = 'none';
  end if;
  return 1;
end
$function$
"""


def test_levels_follow_the_severity(
    conn: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    conn.execute(NOISY)
    with caplog.at_level(logging.DEBUG, "pgwallet"):
        pgwallet.balance(conn, 1)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "careful, 100%\nDETAIL: Of it.\nHINT: Look."),
        ("INFO", "by the way"),
    ]


@pytest.mark.parametrize("account_id", [0, 1], ids=["after an error", "after a result"])
def test_the_callers_own_notices_are_left_alone(
    conn: psycopg.Connection, caplog: pytest.LogCaptureFixture, account_id: int
) -> None:
    conn.execute(NOISY)
    heard: list[str | None] = []
    conn.add_notice_handler(lambda notice: heard.append(notice.message_primary))
    try:
        pgwallet.balance(conn, account_id)
    except pgwallet.AccountNotFound:
        conn.rollback()
    assert heard == ["careful, 100%", "by the way"]
    assert warnings_of(caplog) == ["careful, 100%\nDETAIL: Of it.\nHINT: Look."]
    conn.execute("do $$ begin raise warning 'not of the ledger'; end $$")
    assert len(heard) == 3
    assert len(warnings_of(caplog)) == 1


def test_tasks_that_share_a_connection_log_each_warning_once(
    shared_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def share() -> None:
        async with await psycopg.AsyncConnection.connect(shared_database) as aconn:
            await aconn.execute(NOISY)
            await asyncio.gather(*(pgwallet.balance(aconn, 1) for _ in range(5)))
            await aconn.rollback()

    asyncio.run(share())
    assert len(warnings_of(caplog)) == 5


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("pgwallet_remote.allocate_deposit(5): [shard2] REMOTE WARNING: 3 left out", "3 left out"),
        ("pgwallet_remote.f(1): [db 1] REMOTE NOTICE: a(1): [b] c", "a(1): [b] c"),
        ("he said: f(1): [x] REMOTE NOTICE: y", "he said: f(1): [x] REMOTE NOTICE: y"),
    ],
)
def test_what_a_router_writes_before_a_notice_of_a_shard_is_left_out(
    conn: psycopg.Connection, caplog: pytest.LogCaptureFixture, said: str, logged: str
) -> None:
    of_a_shard = NOISY.replace("careful, 100%%", said).replace(
        "'Of it.'", "'Remote detail: Of it.'"
    )
    conn.execute(of_a_shard.replace("'Look.'", "'Remote hint: Look.'").encode())
    pgwallet.balance(conn, 1)
    assert warnings_of(caplog) == [f"{logged}\nDETAIL: Of it.\nHINT: Look."]
