"""Each call in ledgers of many sizes: what grows with the ledger, and what does not."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg

from bench.calls import COUNTS, Calls, sample
from bench.contest import Contest
from bench.contests import Sizes
from bench.crowd import Crowd
from bench.filling import fill
from bench.releases import Releases
from bench.server import Bench

SMALL = 10_000  # postings of the ledger that a large one is compared with
POCKETS = (1, 2, 5, 10, 20, 50, 100)
BY_WALLETS = ("deposit", "pledge", "transfer_to_pocket", "allocate_deposit", "balance")
BY_ESCROWS = ("pledge", "release_escrow", "refund_escrow", "pledge_many", "payout")
BY_POCKETS = ("allocate_deposit", "allocate_deposits", "transfer_to_pocket")

Ledgers = dict[int, Calls]


def contests(
    bench: Bench, made: Crowd, sizes: Sizes, told: Callable[[str], object]
) -> Iterator[Contest]:
    """The first contender of each is the largest ledger; `told` hears what is being filled."""
    by_postings: Ledgers = {}
    for postings in _decades(1_000, sizes.postings):
        told(f"filling a ledger with {postings:,} postings")
        conn = bench.ledger(f"postings_{postings}")
        fill(conn, postings, lambda _: None)
        by_postings[postings] = Calls(conn)
    for name in COUNTS:
        yield _contest(name, "postings", by_postings, {f"{SMALL:,}": 0.9})
    # The smallest has fewer wallets than one statement pays.
    by_more_postings = {n: calls for n, calls in by_postings.items() if n >= SMALL}
    yield _contest("bare_deposits", "postings", by_more_postings)

    by_wallets: Ledgers = {}
    for wallets in _decades(1_000, sizes.wallets):
        told(f"making {wallets:,} wallets")
        conn = bench.ledger(f"wallets_{wallets}")
        make_wallets(conn, wallets)
        by_wallets[wallets] = Calls(conn)
    for name in BY_WALLETS:
        yield _contest(name, "wallets", by_wallets)

    by_escrows: Ledgers = {}
    for escrows in _decades(10, sizes.many_escrows):
        told(f"pledging {escrows:,} times to a project")
        project_id = Releases(bench.conn, made, 0).filled(escrows)
        by_escrows[escrows] = Calls(bench.conn, project_id=project_id)
    for name in BY_ESCROWS:
        yield _contest(name, "escrows of the project", by_escrows)

    conn = bench.ledger("pockets")
    make_wallets(conn, 10_000)
    by_pockets = {pockets: Calls(conn, pockets=pockets) for pockets in POCKETS}
    for name in BY_POCKETS:
        yield _contest(name, "pockets of a wallet", by_pockets)


def warm_up(contest: Contest) -> None:
    """A round that does not count, and no checkpoint: after one, each page is written whole when it
    is touched first, and random wallets of a large ledger touch new pages for long.
    """
    for contender in contest.contenders.values():
        contender()


def _contest(
    name: str, axis: str, ledgers: Ledgers, at_least: dict[str, float] | None = None
) -> Contest:
    sizes = sorted(ledgers, reverse=True)
    contenders = {f"{size:,}": sample(ledgers[size], name) for size in sizes}
    return Contest(f"{name} by {axis}", "calls/s", contenders, at_least or {})


def _decades(first: int, last: int) -> list[int]:
    sizes = [first]
    while sizes[-1] * 10 <= last:
        sizes.append(sizes[-1] * 10)
    return sizes


def make_wallets(conn: psycopg.Connection, wallets: int) -> None:
    conn.execute(
        "select count(*) from generate_series(1, %s) as g (n) "
        "cross join lateral pgwallet.create_wallet(%s || g.n)",
        [wallets, f"{uuid4()} "],
    )
