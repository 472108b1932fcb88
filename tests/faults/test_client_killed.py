"""A client that is killed while it releases a project leaves whole batches, and no locks."""

import random
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from psycopg.conninfo import make_conninfo

from tests.conftest import Connect
from tests.faults.campaign import (
    BATCH_SIZE,
    BATCHES,
    campaign_in,
    check_complete,
    check_interrupted,
    progress_in,
)
from tests.faults.repeating import count, repeatedly
from tests.faults.server import KillableServer
from tests.faults.watching import wait_until_gone
from tests.ledger.calling import value

# Says the same as the procedure does.
RELEASE = """
import sys, psycopg, pgwallet
conninfo, project_id, batch_size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
count, amount = 0, 0
with psycopg.connect(conninfo) as conn:
    for batch in pgwallet.release_project(conn, project_id, batch_size):
        count, amount = count + batch.escrow_count, amount + batch.gross_amount
        print(f"project {project_id}: {count} escrows released, {amount} in all", flush=True)
"""

Command = list[str]
MakeCommand = Callable[[KillableServer, str, int], Command]


def python(server: KillableServer, conninfo: str, project_id: int) -> Command:
    return [sys.executable, "-c", RELEASE, conninfo, str(project_id), str(BATCH_SIZE)]


def psql(server: KillableServer, conninfo: str, project_id: int) -> Command:
    call = f"call pgwallet.release_project({project_id}, {BATCH_SIZE})"
    return [str(server.programs / "psql"), "--no-psqlrc", "--dbname", conninfo, "--command", call]


@repeatedly
@pytest.mark.parametrize("client", [python, psql])
def test_a_release_goes_on_after_its_client_was_killed(
    killable: KillableServer, database: str, connect: Connect, client: MakeCommand, number: int
) -> None:
    rng = random.Random(number)
    conn, holder = connect(), connect()
    campaign = campaign_in(conn, rng)
    # Without the option, a session that has come as far as to wait for the held escrow would not
    # notice that its client is gone.
    conninfo = make_conninfo(
        database, application_name="killed", options="-c client_connection_check_interval=100ms"
    )
    command = client(killable, conninfo, campaign.project_id)
    with (
        campaign.last_escrow_held(holder),
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            output = [process.stdout.readline() for _ in range(rng.randint(1, BATCHES // 2))]
            time.sleep(rng.uniform(0, 0.03))  # a moment within one of the batches that follow
        finally:
            process.kill()
        output += process.stdout.readlines()
        wait_until_gone(conn, "killed")
        conn.commit()
        others = [conn.info.backend_pid, holder.info.backend_pid]
        assert value(conn, "select count(*) from pg_locks where pid <> all (%s)", others) == 0
        untold = check_interrupted(conn, campaign, progress_in("".join(output)))
        # The procedure waits for nobody to read its notices.
        assert untold <= 1 or client is psql
        count("client killed while it releases a project", untold)
        conn.commit()

    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    check_complete(conn, campaign, progress_in(finished.stdout + finished.stderr))
