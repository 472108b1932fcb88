"""Customers, operators and a reaper: each repeats a call until it was told how it ended. The
book has what they were told."""

import logging
import random
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from threading import Event, Lock
from typing import TypeVar

import psycopg

import pgwallet
from tests.cluster.killing import Client

COMMISSION = Decimal("0.1")  # of pledges of tens, so that nothing is rounded

logger = logging.getLogger("pgwallet")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pledged:
    wallet: int
    project: int
    amount: Decimal


@dataclass(slots=True)
class Book:
    """What everybody was told: amounts by wallet and by project, and each pledge by its id."""

    conninfo: str
    currency: str
    wallets: list[int]
    in_wallets: Counter[int] = field(default_factory=Counter)
    paid_out: Counter[int] = field(default_factory=Counter)
    collected: Decimal = Decimal(0)
    pledges: dict[int, Pledged] = field(default_factory=dict)
    open: list[int] = field(default_factory=list)
    outcomes: dict[int, str] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    over: Event = field(default_factory=Event)
    writing: Lock = field(default_factory=Lock)
    failures: list[BaseException] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)

    def key(self) -> str:
        return f"{self.currency} {next(self.numbers)}"


class Person:
    """Calls again and again, until the storm is over."""

    def __init__(self, book: Book, seed: str) -> None:
        self.book = book
        self.chance = random.Random(seed)
        self.client = Client(book.conninfo)

    def work(self) -> None:
        with closing(self.client):
            try:
                while not self.book.over.is_set():
                    self.turn()
            except BaseException as error:
                logger.exception("the storm is over")
                self.book.failures.append(error)
                self.book.over.set()
            self.book.repeats += self.client.repeats

    def turn(self) -> None:
        raise NotImplementedError

    def told(self, call: Callable[[psycopg.Connection], T]) -> T | None:
        """What the call returned; none where the ledger refused it."""
        try:
            done = self.client(call)
        except (
            pgwallet.InsufficientFunds,
            pgwallet.ProjectClosed,
            pgwallet.ProjectNotClosed,
            pgwallet.NotReversible,
        ) as refused:
            self.book.calls[refused.sqlstate] += 1
            return None
        self.book.calls["done"] += 1
        return done


class Customer(Person):
    def turn(self) -> None:
        self.chance.choice([self.deposit, self.withdraw, self.transfer, self.pledge])()

    def deposit(self) -> None:
        wallet, amount, key = self.wallet(), 10 * self.chance.randint(1, 9), self.book.key()
        if self.told(lambda conn: pgwallet.deposit(conn, wallet, amount, key)):
            self.moved(wallet, amount)

    def withdraw(self) -> None:
        wallet, amount, key = self.wallet(), 10 * self.chance.randint(1, 9), self.book.key()
        if self.told(lambda conn: pgwallet.withdraw(conn, wallet, amount, key)):
            self.moved(wallet, -amount)

    def transfer(self) -> None:
        """At times it is taken back."""
        source, target = self.chance.sample(self.book.wallets, 2)
        amount, key = 10 * self.chance.randint(1, 40), self.book.key()
        sent = self.told(lambda conn: pgwallet.transfer(conn, source, target, amount, key))
        if sent is None:
            return
        self.moved(source, -amount)
        self.moved(target, amount)
        if self.chance.random() < 0.2:
            back = f"{key} back"
            if self.told(
                lambda conn: pgwallet.reverse_transaction(conn, sent.transaction_id, back)
            ):
                self.moved(source, amount)
                self.moved(target, -amount)

    def pledge(self) -> None:
        if not self.book.open:
            return
        wallet, project = self.wallet(), self.chance.choice(self.book.open)
        amount, key = 10 * self.chance.randint(1, 9), self.book.key()
        lasting = self.chance.uniform(0.5, 3) if self.chance.random() < 0.2 else None

        def make(conn: psycopg.Connection) -> pgwallet.Pledge:
            # Anew for each attempt, since one that is over is refused; a key does not compare it.
            expiry = datetime.now(UTC) + timedelta(seconds=lasting) if lasting else None
            return pgwallet.pledge(
                conn, wallet, project, amount, idempotency_key=key, expires_at=expiry
            )

        made = self.told(make)
        if made:
            with self.book.writing:
                self.book.pledges[made.escrow_id] = Pledged(wallet, project, Decimal(amount))

    def wallet(self) -> int:
        return self.chance.choice(self.book.wallets)

    def moved(self, wallet: int, amount: int) -> None:
        with self.book.writing:
            self.book.in_wallets[wallet] += amount


class Operator(Person):
    """Several close the same projects, with other outcomes."""

    def turn(self) -> None:
        if len(self.book.open) < 4:
            self.create()
        else:
            self.settle(self.chance.choice(self.book.open))

    def create(self) -> None:
        reference = self.book.key()
        made = self.told(
            lambda conn: pgwallet.create_project(
                conn,
                reference,
                self.book.currency,
                commission_rate=COMMISSION,
                fee_rate=0,
                fee_fixed=0,
            )
        )
        assert made
        with self.book.writing:
            self.book.open.append(made.project_id)

    def settle(self, project: int) -> None:
        outcome = self.chance.choice(["succeeded", "failed"])
        if not self.told(lambda conn: pgwallet.close_project(conn, project, outcome)):
            return
        with self.book.writing:
            assert self.book.outcomes.setdefault(project, outcome) == outcome
            if project in self.book.open:
                self.book.open.remove(project)
        self.told(lambda conn: settled(conn, project, outcome))
        if outcome == "succeeded":
            self.pay(project)

    def pay(self, project: int) -> None:
        """Most of what it has."""
        has = self.client(lambda conn: pgwallet.balance(conn, project))
        amount, key = int(has * 3 // 4), self.book.key()
        if amount <= 0:
            return
        if self.told(lambda conn: pgwallet.payout(conn, project, amount, key)):
            with self.book.writing:
                self.book.paid_out[project] += amount
        earned = self.book.key()
        if self.told(
            lambda conn: pgwallet.collect_earnings(
                conn, self.book.currency, "commission", 5, earned
            )
        ):
            with self.book.writing:
                self.book.collected += 5


class Reaper(Person):
    """Refunds what has expired, and completes what was left."""

    def turn(self) -> None:
        self.told(pgwallet.refund_expired_escrows)
        self.told(lambda conn: conn.execute("select from pgwallet.complete_plans('1 second')"))
        self.book.over.wait(0.2)


def settled(conn: psycopg.Connection, project: int, outcome: str) -> bool:
    settle = pgwallet.release_project if outcome == "succeeded" else pgwallet.refund_project
    for _ in settle(conn, project, batch_size=20):
        pass
    return True
