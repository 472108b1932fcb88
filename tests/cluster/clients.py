"""Clients that write through a router while something is done to its cluster."""

import threading
import time
from collections.abc import Callable

import psycopg

import pgwallet


class Clients:
    """Each deposits into wallets on all shards, through the router, and counts what it was told."""

    def __init__(self, router: str, wallets: list[int], count: int) -> None:
        self.told = dict.fromkeys(wallets, 0)
        self.failures: list[Exception] = []
        self.longest = 0.0
        self._router = router
        self._counting = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _call(self, client: int) -> None:
        try:
            with psycopg.connect(self._router, autocommit=True) as conn:
                for number in range(10**9):
                    if self._ended.is_set():
                        return
                    wallet = [*self.told][number % len(self.told)]
                    began = time.monotonic()
                    pgwallet.deposit(conn, wallet, 1, f"{client} {number}")
                    took = time.monotonic() - began
                    with self._counting:
                        self.told[wallet] += 1
                        self.longest = max(self.longest, took)
                    time.sleep(0.005)
        except Exception as error:
            self.failures.append(error)


class Repeating:
    """Makes one call again and again on a connection, and counts how often."""

    def __init__(self, conninfo: str, call: Callable[[psycopg.Connection], object]) -> None:
        self.count = 0
        self.failures: list[Exception] = []
        self._conninfo = conninfo
        self._make = call
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._repeat)

    def __enter__(self) -> "Repeating":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _repeat(self) -> None:
        try:
            with psycopg.connect(self._conninfo, autocommit=True) as conn:
                while not self._ended.wait(0.005):
                    self._make(conn)
                    self.count += 1
        except Exception as error:
            self.failures.append(error)
