"""Every public function of the driver is reached by some command."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgwallet
from pgwallet.cli.importing import posts
from tests.cli.command import json_of, pgwallet_here
from tests.databases import as_owner


@contextmanager
def calls_noted() -> Iterator[set[tuple[object, str]]]:
    """The module and the name of every Python function called meanwhile."""
    noted: set[tuple[object, str]] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            noted.add((frame.f_globals.get("__name__"), frame.f_code.co_name))

    sys.setprofile(note)
    try:
        yield noted
    finally:
        sys.setprofile(None)


def every_command_once(url: str, file: Path) -> None:
    """The life of a ledger, told by the command line alone."""

    def run(*arguments: object) -> None:
        completed = pgwallet_here(*arguments, database_url=url)
        assert completed.returncode == 0, completed

    run("status")
    run("migrate")
    run("currency", "create", "POINTS", "0", "Loyalty points")
    run("currency", "list")
    ada = json_of("wallet", "create", "ada", database_url=url)["wallet_id"]
    rent = json_of("pocket", "create", ada, "rent", database_url=url)["pocket_id"]
    run("pocket", "set-allocation", rent, "50")
    bob = json_of("wallet", "create", "bob", database_url=url)["wallet_id"]
    run("pocket", "set-target", rent, "1500", "--stop-at-target")
    run("pocket", "set-target", rent, "--no-target")
    run("pocket", "rename", rent, "rent and power")
    run("deposit", ada, "100")
    run("allocate-deposit", ada, "10", "--dry-run")
    run("allocate-deposit", ada, "10")
    run("allocate-deposits", f"{ada}=10", f"{ada}=5")
    run("pocket", "transfer-to", rent, "2")
    run("pocket", "transfer-from", rent, "1")
    run("withdraw", ada, "1")
    run("transfer", ada, bob, "1")
    run("account", "freeze", ada, "court order 17")
    run("account", "unfreeze", ada, "order 17 was lifted")
    run("account", "set-credit-limit", ada, "50")
    eve = json_of("wallet", "create", "eve", database_url=url)["wallet_id"]
    spare = json_of("pocket", "create", eve, "spare", database_url=url)["pocket_id"]
    run("pocket", "close", spare)
    run("wallet", "close", eve)

    film, play = (
        json_of("project", "create", name, database_url=url)["project_id"]
        for name in ("film", "play")
    )
    escrow, *_ = (
        json_of("pledge", ada, project, 10, database_url=url)["escrow_id"]
        for project in (film, play, film, play)
    )
    changed, cancelled, charged_back = (
        json_of("pledge", ada, project, 3, database_url=url)["escrow_id"]
        for project in (film, play, play)
    )
    run("pledge", "change", changed, "2.50")
    run("pledge", "cancel", cancelled)
    run("escrow", "dispute", changed, "the card was stolen")
    run("escrow", "resolve-dispute", changed, "rejected")
    released = json_of("escrow", "release", charged_back, database_url=url)["transaction_id"]
    run("transaction", "escrows", released)
    run("escrow", "refund-release", charged_back, "--amount", "1", "--keep-fees")
    file.write_text("kind,owner_id,amount,reference\ndeposit,ada,5,\npledge,ada,5,film\n")
    run("import", file)
    run("escrow", "release", escrow, "--amount", "5")
    run("escrow", "refund", escrow)
    run("escrow", "refund-expired")
    for project, outcome, way in ((film, "succeeded", "release"), (play, "failed", "refund")):
        run("project", "close", project, outcome, "--yes")
        run("project", f"{way}-escrows", project, "--limit", 1)
        run("project", way, project, "--yes")
    run("project", "payout", film, "1")
    run("collect-earnings", "EUR", "commission", "0.10")

    run("wallet", "list", "ada")
    run("wallet", "show", ada)
    run("pocket", "list", ada)
    run("pledge", "list", "--wallet-id", ada)
    run("pledge", "show", escrow)
    run("project", "list")
    run("project", "show", film)
    run("project", "show", "--reference", "film")
    run("transaction", "show", 1)
    run("withdraw", ada, "1", "--idempotency-key", "once")
    run("transaction", "show", "--idempotency-key", "once")
    run("transaction", "reverse", json_of("deposit", ada, "1", database_url=url)["transaction_id"])
    run("balance", ada)
    run("balance", ada, "--at", "2026-01-01T00:00:00Z")
    run("statement", ada)
    run("events", "--subject-id", ada)
    run("feed", "--after", 3, "--limit", 10)
    run("wallet", "erase-owner", ada, "--yes")
    run("seal")
    run("seals")
    run("check")
    run("metrics")
    run("currency", "metrics")
    run("recovered", "--yes")


def test_every_public_function_is_reached_by_a_command(database: str, tmp_path: Path) -> None:
    with calls_noted() as noted:
        url = as_owner(database)
        every_command_once(url, tmp_path / "may.csv")
        # Where nothing can be written, another function checks. Poolers take no such options.
        options = f"{conninfo_to_dict(url)['options']} -c default_transaction_read_only=on"
        reading = make_conninfo(url, options=options)
        assert pgwallet_here("check", database_url=reading).returncode == 0
    public = {
        name
        for name in pgwallet.__all__
        if callable(function := getattr(pgwallet, name)) and not inspect.isclass(function)
    } - {"shard_of"}  # which only a router has
    reached = {name for name in public if (getattr(pgwallet, name).__module__, name) in noted}
    # An import calls these within the server.
    assert (posts.__name__, "post") in noted
    reached |= {name for name in public if f"pgwallet.{name}(" in "".join(posts.POSTED.values())}
    assert reached == public


def test_the_functions_that_give_rights_are_reached_too(database: str) -> None:
    with psycopg.connect(database) as conn:
        rows = conn.execute(
            """
            select substr(p.proname, 7)
            from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace and starts_with(p.proname, 'grant_')
            """
        ).fetchall()
    for (access,) in rows:
        # Who does not exist is refused by the function itself.
        completed = pgwallet_here("grant", access, "nobody here", database_url=as_owner(database))
        assert completed.returncode == 1
        assert f"The access asked for is {access}." in completed.stderr
    assert len(rows) == 4
