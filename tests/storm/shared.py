"""What the workers of a storm share: the ids they know, and what is worth repeating."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

Arguments = dict[str, Any]

# With two decimals, none and three.
CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3}

WALLETS = {"EUR": 160, "JPY": 20, "KWD": 20}
PROJECTS = {"EUR": 8, "JPY": 1, "KWD": 1}
REMEMBERED = 300
# What an account may owe at most, in major units.
CREDIT = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A call to make. `spoiled`: one of its arguments is malformed, so it must be refused.

    `moves`: what it makes of accounts that keep a balance, if the catalogue says so.
    """

    name: str
    arguments: Arguments
    spoiled: bool = False
    moves: dict[str, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """One place in the arrays of a bulk call."""

    wallet_id: int
    amount: Any
    key: str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """What a client was told of one thing, and every other client must be told as well."""

    what: str
    of: Any
    value: Any


def recent(known: list[T], few: int, chance: Random) -> list[T]:
    """All, or at times a few that others may be about to use for the first time."""
    return known[-few:] if chance.random() < 0.5 else known


class Shared:
    """Grows while the storm goes on; its methods may be called from every worker at once."""

    def __init__(self) -> None:
        self.wallets: dict[str, list[int]] = {currency: [] for currency in CURRENCIES}
        self.pockets: list[int] = []
        self.projects: list[int] = []
        self.open: list[int] = []  # the first one is hot
        self.closed: list[int] = []
        self.outcomes: dict[int, str] = {}  # of a closed project
        self.currency: dict[int, str] = {}  # of a wallet, a pocket or a project
        self.wallet_of: dict[int, int] = {}  # the wallet of a pocket
        self.pockets_of: dict[int, list[int]] = defaultdict(list)  # of a wallet
        self.project_of: dict[int, int] = {}  # the project of an escrow
        self.disputed: list[int] = []  # escrows, the latest last
        self.backer_of: dict[int, int] = {}  # the wallet of an escrow
        self.latest: dict[str, int] = dict.fromkeys(CURRENCIES, 0)  # reference of a project
        self._unsettled: list[int] = []
        self._moved: dict[int, dict[str, Decimal]] = {}  # by transactions, the latest last
        self._keyed: list[Plan] = []
        self._elements: dict[str, list[Element]] = defaultdict(list)
        self._number = 0
        self._lock = Lock()

    def number(self) -> int:
        """One that nobody else has."""
        with self._lock:
            self._number += 1
            return self._number

    def learn(self, fact: Fact) -> None:
        with self._lock:
            if fact.what == "wallet":
                self._add(fact.value, fact.of[1], self.wallets[fact.of[1]])
            elif fact.what == "pocket":
                if fact.of not in self.wallet_of:
                    self.pockets_of[fact.value].append(fact.of)
                self.wallet_of[fact.of] = fact.value
                self._add(fact.of, self.currency[fact.value], self.pockets)
            elif fact.what == "project":
                self._add(fact.value, fact.of.split()[0], self.projects)
            elif fact.what == "outcome":
                self.outcomes[fact.of] = fact.value
            elif fact.what == "escrow" and fact.of not in self.project_of:
                self.backer_of[fact.of], self.project_of[fact.of] = fact.value
                self._unsettled.append(fact.of)

    def _add(self, account_id: int, currency: str, known: list[int]) -> None:
        if account_id not in self.currency:
            self.currency[account_id] = currency
            known.append(account_id)

    def next_reference(self, currency: str) -> str:
        with self._lock:
            self.latest[currency] += 1
            return f"{currency} {self.latest[currency]}"

    def leave(self, project_id: int) -> int | None:
        """Where a project stood that has just been closed, told to one worker only."""
        with self._lock:
            if project_id in self.closed or project_id not in self.open:
                return None
            self.closed.append(project_id)
            return self.open.index(project_id)

    def an_escrow(self, chance: Random) -> int | None:
        """Mostly one that nobody has settled yet; two workers may well come to the same."""
        with self._lock:
            if not self._unsettled:
                return None
            place = chance.randrange(len(self._unsettled))
            escrow_id = self._unsettled[place]
            if chance.random() < 0.5:
                self._unsettled[place] = self._unsettled[-1]
                self._unsettled.pop()
            return escrow_id

    def an_open_escrow(self, chance: Random) -> int | None:
        """One in EUR, of a project that may still be open, if one is found at once."""
        with self._lock:
            some = chance.sample(self._unsettled, min(20, len(self._unsettled)))
        open_projects = self.open_in("EUR")
        return next((each for each in some if self.project_of[each] in open_projects), None)

    def open_in(self, currency: str) -> list[int]:
        return [each for each in self.open if self.currency[each] == currency]

    def remember_movement(self, transaction_id: int, moved: dict[str, Decimal]) -> None:
        with self._lock:
            self._moved[transaction_id] = moved

    def moved_by(self, transaction_id: int) -> dict[str, Decimal]:
        with self._lock:
            return self._moved[transaction_id]

    def an_earlier_transaction(self, chance: Random) -> int:
        """Mostly one of the last, whose money may still be there; two may come to the same."""
        with self._lock:
            return chance.choice(recent(list(self._moved)[-REMEMBERED:], 20, chance))

    def remember(self, plan: Plan) -> None:
        """Keeps a plan with a key before it is carried out, so that others race for the key."""
        with self._lock:
            self._keyed.append(plan)
            del self._keyed[:-REMEMBERED]

    def an_earlier_plan(self, chance: Random) -> Plan | None:
        with self._lock:
            return chance.choice(recent(self._keyed, 10, chance)) if self._keyed else None

    def remember_elements(self, pool: str, elements: list[Element]) -> None:
        with self._lock:
            self._elements[pool] += [element for element in elements if element.key]
            del self._elements[pool][:-REMEMBERED]

    def earlier_elements(self, pool: str, chance: Random, count: int) -> list[Element]:
        with self._lock:
            known = recent(self._elements[pool], 30, chance)
            return chance.sample(known, min(count, len(known)))
