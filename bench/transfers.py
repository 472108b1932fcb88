"""The jack hammer: many processes that move money between few wallets, in any direction.

python -m bench.transfers

Each transfer is a call and a commit of its own. Two that meet at a wallet take turns; none may end
in a deadlock, nor with money that came from nowhere.
"""

import argparse
import random
import time
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from multiprocessing import get_context
from uuid import uuid4

import psycopg
from rich.console import Console

import pgwallet
from bench import server

EACH_HOLDS = 1_000


def by_two_calls(conn: psycopg.Connection, source: int, target: int, amount: Decimal) -> None:
    """What there was before `transfer`: sorted by hand, and a transaction of three round trips."""
    steps = [(source, pgwallet.withdraw), (target, pgwallet.deposit)]
    with conn.transaction():
        for wallet_id, step in sorted(steps, key=lambda pair: pair[0]):
            step(conn, wallet_id, amount)


def hammer(conninfo: str, wallets: list[int], number: int, seed: int, two_calls: bool) -> int:
    """Makes so many transfers; returns how many found the wallet empty. A deadlock is raised."""
    chance = random.Random(seed)
    empty = 0
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for _ in range(number):
            source, target = chance.sample(wallets, 2)
            amount = Decimal(chance.randint(1, 1_000)) / 100
            try:
                if two_calls:
                    by_two_calls(conn, source, target, amount)
                else:
                    pgwallet.transfer(conn, source, target, amount)
            except pgwallet.InsufficientFunds:
                empty += 1
    return empty


def hammered(
    conninfo: str, processes: int, wallets: int, transfers: int, two_calls: bool = False
) -> tuple[float, int]:
    """Transfers a second, and how many found a wallet empty; the ledger is sound after them."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        ids = [pgwallet.create_wallet(conn, f"anvil {uuid4()}").wallet_id for _ in range(wallets)]
        pgwallet.deposit_many(conn, ids, [EACH_HOLDS] * wallets)
        share, rest = divmod(transfers, processes)
        with ProcessPoolExecutor(processes, get_context("spawn")) as workers:
            list(workers.map(abs, range(processes)))  # they are there before the clock runs
            start = time.perf_counter()
            empty = workers.map(
                hammer,
                [conninfo] * processes,
                [ids] * processes,
                [share + (place < rest) for place in range(processes)],
                range(processes),
                [two_calls] * processes,
            )
            missed = sum(empty)
            seconds = time.perf_counter() - start
        held = [pgwallet.balance(conn, wallet_id) for wallet_id in ids]
        if sum(held) != EACH_HOLDS * wallets or pgwallet.check_ledger(conn):
            raise AssertionError(f"money is lost or made: {held}")
    return transfers / seconds, missed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.transfers", description=__doc__)
    parser.add_argument("--processes", type=int, default=8, metavar="N")
    parser.add_argument("--wallets", type=int, default=5, metavar="N")
    parser.add_argument("--transfers", type=int, default=20_000, metavar="N")
    options = parser.parse_args()
    sizes = (options.processes, options.wallets, options.transfers)
    with server.started(log=200) as bench:
        for two_calls in (False, True):
            rate, missed = hammered(bench.conninfo, *sizes, two_calls)
            Console().print(
                f"{'withdraw and deposit' if two_calls else 'transfer'}: {rate:,.0f} a second by"
                f" {sizes[0]} processes between {sizes[1]} wallets, {sizes[2]:,} in all;"
                f" {missed:,} found a wallet empty; no deadlock, the ledger is sound"
            )


if __name__ == "__main__":
    main()
