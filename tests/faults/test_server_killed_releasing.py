"""A server that is killed while it releases a project loses no batch that it told of."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from queue import SimpleQueue

import psycopg
import pytest

from tests.conftest import Connect
from tests.faults.campaign import (
    BATCHES,
    Progress,
    campaign_in,
    check_complete,
    check_interrupted,
)
from tests.faults.releasing import Release, by_driver, by_procedure
from tests.faults.repeating import count, repeatedly
from tests.faults.server import KillableServer

PATIENCE = 60.0  # seconds


@repeatedly
@pytest.mark.parametrize("release", [by_driver, by_procedure])
def test_a_release_goes_on_after_a_crash_of_the_server(
    killable: KillableServer, connect: Connect, release: Release, number: int
) -> None:
    rng = random.Random(number)
    holder, releaser = connect(), connect(autocommit=True)
    campaign = campaign_in(holder, rng)
    heard: SimpleQueue[tuple[int, Decimal]] = SimpleQueue()
    with ThreadPoolExecutor(1) as threads, campaign.last_escrow_held(holder):
        running = threads.submit(release, releaser, campaign.project_id, heard.put)
        try:
            told = [heard.get(timeout=PATIENCE) for _ in range(rng.randint(1, BATCHES // 2))]
            time.sleep(rng.uniform(0, 0.03))  # a moment within one of the batches that follow
        finally:
            killable.kill()  # whatever has failed, this ends the release
        assert isinstance(running.exception(PATIENCE), psycopg.OperationalError)
    while not heard.empty():
        told.append(heard.get())

    killable.start()
    conn = connect()
    untold = check_interrupted(conn, campaign, told)
    assert untold <= 1
    count("server killed while it releases a project", untold)
    conn.commit()

    told_later: Progress = []
    release(connect(autocommit=True), campaign.project_id, told_later.append)
    check_complete(conn, campaign, told_later)
