"""What a call of the storm is put together from: ids that its clients know, amounts, names."""

from decimal import Decimal
from random import Random

from tests.catalogue.world import World
from tests.storm.shared import CURRENCIES, Arguments, Element, Shared

# So many wallets, and their pockets, that many workers want at once.
BUSY = 4
NO_ID = 1
ESCROWS = (
    *("escrow", "succeeded_escrow", "failed_escrow", "settled_escrow"),
    *("disputed_escrow", "small_escrow", "released_escrow"),
)


class Chances:
    """Draws one value at a time from what the clients have told each other."""

    def __init__(self, shared: Shared, chance: Random, keyed: float) -> None:
        self.shared = shared
        self.chance = chance
        self.keyed = keyed

    def perhaps(self, probability: float) -> bool:
        return self.chance.random() < probability

    def a_world(self) -> World:
        """Where calls of the catalogue may be made, put together from what the workers know."""
        shared = self.shared
        wallet, yen_wallet = self.a_wallet("EUR"), self.a_wallet("JPY")
        open_project = self.chance.choice(shared.open_in("EUR"))
        if escrow := shared.an_open_escrow(self.chance):
            wallet, open_project = shared.backer_of[escrow], shared.project_of[escrow]
        return World(
            suffix=f" {shared.number()}",
            wallet=wallet,
            yen_wallet=yen_wallet,
            friend=self.a_wallet("EUR"),
            empty_wallet=self.a_wallet("EUR"),
            spare_pocket=NO_ID,
            pocket=self.chance.choice(shared.pockets_of.get(wallet, [NO_ID])),
            yen_pocket=self.chance.choice(shared.pockets_of.get(yen_wallet, [NO_ID])),
            open=open_project,
            yen_project=self.chance.choice(shared.open_in("JPY")),
            succeeded=self.a_project(0, "succeeded"),
            failed=self.a_project(0, "failed"),
            charged=open_project,
            **dict.fromkeys(ESCROWS, escrow or NO_ID),
            **dict.fromkeys(
                ("transaction", "spent", "release", "reversed", "reversal"),
                shared.an_earlier_transaction(self.chance),
            ),
        )

    def new_key(self) -> str:
        return f"key {self.shared.number()}"

    def key(self) -> str | None:
        return self.new_key() if self.perhaps(self.keyed) else None

    def a_currency(self) -> str:
        return self.chance.choices(list(CURRENCIES), [8, 1, 1])[0]

    def often_a_busy_one(self, known: list[int]) -> int:
        return self.chance.choice(known[:BUSY] if self.perhaps(0.3) else known)

    def a_wallet(self, currency: str | None = None) -> int:
        return self.often_a_busy_one(self.shared.wallets[currency or self.a_currency()])

    def an_open_project(self) -> int:
        return self.shared.open[0] if self.perhaps(0.5) else self.chance.choice(self.shared.open)

    def a_project(self, open_too: float, outcome: str | None = None) -> int:
        """An open one, or one of the last that were closed, mostly with this outcome."""
        if self.perhaps(open_too):
            return self.chance.choice(self.shared.open)
        closed = self.shared.closed[-15:]
        if outcome and self.perhaps(0.8):
            closed = [
                each for each in closed if self.shared.outcomes.get(each) == outcome
            ] or closed
        return self.chance.choice(closed)

    def an_account(self) -> int:
        return self.chance.choice([self.a_wallet(), self.a_pocket(), self.a_project(0.5)])

    def a_pocket(self) -> int:
        return self.often_a_busy_one(self.shared.pockets)

    def amount(self, currency: str) -> Decimal:
        """Up to 26, and so at times above the limit of a pledge; rarely more than anyone has."""
        exponent = CURRENCIES[currency]
        units = self.chance.randint(1, 26 * 10**exponent)
        return Decimal(units * (10_000 if self.perhaps(0.01) else 1)).scaleb(-exponent)

    def a_name(self) -> str:
        """One of a few, so that several want the same."""
        return f"pocket {self.chance.randint(1, 8)}"

    def a_share(self, most: int) -> Arguments:
        if self.perhaps(0.1):
            return {"allocation_percentage": 0, "takes_rest": True}
        return {"allocation_percentage": Decimal(self.chance.randint(0, most * 100)).scaleb(-2)}

    def a_target(self) -> Arguments:
        """Near to what pockets hold, and for most none."""
        if self.perhaps(0.8):
            return {}
        return {"target_amount": self.chance.randint(1, 500), "stop_at_target": self.perhaps(0.8)}

    def a_rounding(self) -> str:
        return self.chance.choice(["half_up", "largest_remainder"])

    def elements(self, pool: str, currency: str | None) -> list[Element]:
        """New ones and, out of earlier calls, old ones; in any order."""
        size = self.chance.choice([0, 1, 2, 5, 10, 20, 60])
        new = []
        for _ in range(size):
            wallet_id = self.a_wallet(currency)
            amount = self.amount(self.shared.currency[wallet_id])
            new.append(Element(wallet_id, amount, self.key()))
        elements = new + self.shared.earlier_elements(
            pool, self.chance, self.chance.choice([0, 2, 15])
        )
        self.shared.remember_elements(pool, new)
        self.chance.shuffle(elements)
        return elements

    @staticmethod
    def arrays(elements: list[Element]) -> Arguments:
        return {
            "wallet_ids": [element.wallet_id for element in elements],
            "amounts": [element.amount for element in elements],
            "idempotency_keys": [element.key for element in elements],
        }
