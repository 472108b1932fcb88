"""Which call a worker makes next, and with which arguments: mostly valid, some not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.catalogue.call_of import without_prefix
from tests.catalogue.calls import CALLS, given_to
from tests.catalogue.kinds import (
    AMOUNT,
    EXPIRY,
    FEE,
    LIMIT,
    PERCENTAGE,
    RATE,
    TARGET,
    TIME,
    TRANSACTION,
)
from tests.storm.chances import NO_ID, Chances
from tests.storm.shared import CREDIT, Arguments, Plan, Shared

# How often a function is called that is called more or less often than others. A name with `call`
# in front is the procedure as a DBA runs it; without, what the driver has under this name.
USUAL = 20
OFTEN = {
    "deposit": 100,
    "withdraw": 60,
    "transfer": 60,
    "deposit_many": 40,
    "set_allocation": 30,
    "allocate_deposit": 80,
    "allocate_deposits": 30,
    "transfer_to_pocket": 50,
    "transfer_from_pocket": 50,
    "pledge": 200,
    "pledge_many": 50,
    "release_escrow": 50,
    "refund_escrow": 50,
    "payout": 40,
    "dispute_escrow": 30,
    "resolve_dispute": 30,
    "reverse_transaction": 50,
    # They take fifty times as long as a deposit.
    **dict.fromkeys(["check_ledger", "record_check", "check_seals"], 3),
    # What is frozen or closed does little else.
    **dict.fromkeys(["freeze_account", "close_wallet"], 3),
    "close_pocket": 10,
    **dict.fromkeys(["close_project", "release_project", "refund_project"], 7),
    **dict.fromkeys(["call release_project", "call refund_project"], 7),
}
# Workers call by the driver, which has none for these.
NOT_IN_DRIVER = ("list_rights", "list_sequences", "show_deployment")
# What wants a transaction of its own is called beside the storm.
OPERATION = [
    name for name in given_to("operator") if name not in NOT_IN_DRIVER and not CALLS[name].alone
]
PROCEDURES = [f"call {name}" for name in OPERATION if CALLS[name].signature.is_procedure]
WEIGHTS = {name: OFTEN.get(name, USUAL) for name in OPERATION + PROCEDURES}

# So many of the first owners may be erased.
ERASED = 100

NUMBERS = (AMOUNT, FEE, PERCENTAGE, RATE, TARGET)
# What the driver refuses to send at all, by a TypeError.
NOT_FROM_PYTHON = (TIME, EXPIRY)


def is_drawn_apart(name: str) -> bool:
    """Whether it has a method of its own, since its good call would not do."""
    return name.removeprefix("call ") in vars(Planner)


class Planner(Chances):
    """Draws calls: by the method that is named after the function, else as the catalogue has it."""

    def __init__(
        self,
        shared: Shared,
        chance: Random,
        weights: dict[str, int] = WEIGHTS,
        keyed: float = 0.5,
    ) -> None:
        """`keyed`: so many of the calls that may have a key have one."""
        super().__init__(shared, chance, keyed)
        self.weights = weights
        self.first = self.chance.sample(list(weights), len(weights))

    def next(self) -> Plan:
        """Each function once, then as often as it weighs; at times an earlier call again."""
        earlier = self.shared.an_earlier_plan(self.chance) if self.perhaps(0.1) else None
        if earlier and earlier.name in self.weights:
            return earlier if self.perhaps(0.9) else self.changed(earlier)
        if self.first:
            name = self.first.pop()
        else:
            (name,) = self.chance.choices(list(self.weights), list(self.weights.values()))
        plan = self.drawn(name)
        if self.perhaps(0.05):
            return self.spoiled(plan)
        if plan.arguments.get("idempotency_key"):
            self.shared.remember(plan)
        return plan

    def drawn(self, name: str) -> Plan:
        if is_drawn_apart(name):
            return Plan(name, self.noted(name, getattr(self, name.removeprefix("call "))()))
        call, world, amount = CALLS[name], self.a_world(), self.amount("EUR")
        arguments = call.good(world, amount)
        if call.is_keyed and (key := self.key()):
            arguments = call.keyed(arguments, key)
        moves = {str(getattr(world, one)): part * amount for one, part in call.moves.items()}
        return Plan(name, without_prefix(arguments), moves=moves)

    def noted(self, name: str, arguments: Arguments) -> Arguments:
        """With metadata at times, where the call takes them."""
        call = CALLS[name.removeprefix("call ")]
        if call.takes("p_metadata") and not call.is_bulk and self.perhaps(0.2):
            return {**arguments, "metadata": {"number": self.shared.number()}}
        return arguments

    def changed(self, plan: Plan) -> Plan:
        """The same key for another amount; what was first if the call has none."""
        if plan.moves or "amount" not in plan.arguments:
            return plan
        amount = plan.arguments["amount"]
        return replace(plan, arguments={**plan.arguments, "amount": (amount or 0) + 1})

    def spoiled(self, plan: Plan) -> Plan:
        choices = list(self.wrong_arguments(plan))
        if not choices:
            return plan
        name, values = self.chance.choice(choices)
        return Plan(plan.name, {**plan.arguments, name: self.chance.choice(values)}, spoiled=True)

    def wrong_arguments(self, plan: Plan) -> Iterator[tuple[str, list[Any]]]:
        """By argument, what must be refused for it."""
        call, world = CALLS[plan.name.removeprefix("call ")], self.a_world()
        for argument in call.arguments:
            name, kind = argument.name.removeprefix("p_"), call.kind(argument)
            if name not in plan.arguments or kind in NOT_FROM_PYTHON:
                continue
            if argument.is_array:
                if name == "amounts":
                    yield name, [[*plan.arguments[name], 1]]  # longer than the other arrays
                continue
            wrong = [value(world) for value in kind.wrong]
            if kind is TRANSACTION:  # by now one may well have the id of an account
                wrong.remove(world.wallet)
            if kind in NUMBERS:
                wrong = [Decimal(value) for value in wrong]
            if kind.refuses_null and not argument.takes_null and kind is not LIMIT:
                wrong.append(None)
            if wrong:
                yield name, wrong

    def with_new_keys(self, plan: Plan) -> Plan:
        """The same call with keys that nobody else uses."""
        if plan.spoiled:  # maybe by its key
            return plan
        arguments = dict(plan.arguments)
        if arguments.get("idempotency_key"):
            arguments["idempotency_key"] = self.new_key()
        if keys := arguments.get("idempotency_keys"):
            arguments["idempotency_keys"] = [key and self.new_key() for key in keys]
        return replace(plan, arguments=arguments)

    def create_wallet(self) -> Arguments:
        """Of an owner who is not erased, since they would get another wallet."""
        return {"owner_id": f"owner {self.chance.randrange(ERASED, 250)}", "currency": "EUR"}

    def collect_earnings(self) -> Arguments:
        """A little of it: what is released is little, too."""
        return {
            "currency": "EUR",
            "account": self.chance.choice(["commission", "fee"]),
            "amount": Decimal(self.chance.randint(1, 20)).scaleb(-2),
            "idempotency_key": self.key(),
        }

    def erase_owner(self) -> Arguments:
        return {"wallet_id": self.often_a_busy_one(self.shared.wallets["EUR"][:ERASED])}

    def create_pocket(self) -> Arguments:
        return {
            "wallet_id": self.a_wallet(),
            "name": self.a_name(),
            **self.a_share(10),
            **self.a_target(),
        }

    def rename_pocket(self) -> Arguments:
        return {"pocket_id": self.a_pocket(), "name": self.a_name()}

    def set_allocation(self) -> Arguments:
        return {"pocket_id": self.a_pocket(), **self.a_share(90)}

    def set_target(self) -> Arguments:
        return {"pocket_id": self.a_pocket(), "target_amount": None, **self.a_target()}

    def create_project(self) -> Arguments:
        """One that is there, or the next one, which another worker may be about to make."""
        currency = self.a_currency()
        number = self.shared.latest[currency] + self.chance.randint(-5, 1)
        return self.project(f"{currency} {max(1, number)}")

    def project(self, reference: str) -> Arguments:
        currency, number = reference.split()
        rates = [(None, None), (0, 0), (Decimal("0.0333"), Decimal("0.0125"))][int(number) % 3]
        return {
            "reference": reference,
            "currency": currency,
            "commission_rate": rates[0],
            "fee_rate": rates[1],
            "max_pledge": 25,
            "fee_fixed": [None, 1][int(number) % 2],
        }

    def freeze_account(self) -> Arguments:
        """One of a few, so that most stay free."""
        few = [*self.shared.wallets["EUR"][10:14], *self.shared.open[1:3]]
        return {"account_id": self.chance.choice(few), "reason": "court order 17"}

    unfreeze_account = freeze_account

    def set_credit_limit(self) -> Arguments:
        limit = self.chance.choice([0, 5, CREDIT])
        account_id = self.chance.choice([self.a_wallet(), self.a_project(0.5)])
        return {"account_id": account_id, "credit_limit": limit}

    def close_pocket(self) -> Arguments:
        return {"pocket_id": self.a_pocket(), "idempotency_key": self.key()}

    def close_wallet(self) -> Arguments:
        """Mostly one of the newest, which nobody has paid into yet."""
        return {"wallet_id": self.chance.choice(self.shared.wallets["EUR"][-10:])}

    def deposit(self) -> Arguments:
        wallet_id = self.a_wallet()
        amount = self.amount(self.shared.currency[wallet_id])
        return {"wallet_id": wallet_id, "amount": amount, "idempotency_key": self.key()}

    withdraw = deposit

    def allocate_deposit(self) -> Arguments:
        return {**self.deposit(), "rounding": self.a_rounding()}

    def preview_allocation(self) -> Arguments:
        arguments = self.allocate_deposit()
        del arguments["idempotency_key"]
        return arguments

    def transfer_to_pocket(self) -> Arguments:
        pocket_id = self.a_pocket()
        amount = self.amount(self.shared.currency[pocket_id])
        return {"pocket_id": pocket_id, "amount": amount, "idempotency_key": self.key()}

    transfer_from_pocket = transfer_to_pocket

    def transfer(self) -> Arguments:
        """Between wallets, mostly of one currency, or pockets, mostly of one wallet."""
        if self.perhaps(0.7):
            source = self.a_wallet()
            currency = self.shared.currency[source] if self.perhaps(0.95) else None
            target = self.a_wallet(currency)
        else:
            source = self.a_pocket()
            its_wallet = self.shared.wallet_of[source]
            others = self.shared.pockets_of[its_wallet]
            target = self.chance.choice(others if self.perhaps(0.95) else self.shared.pockets)
        return {
            "from_account_id": source,
            "to_account_id": target,
            "amount": self.amount(self.shared.currency[source]),
            "idempotency_key": self.key(),
        }

    def reverse_transaction(self) -> Arguments:
        transaction_id = self.shared.an_earlier_transaction(self.chance)
        return {"transaction_id": transaction_id, "idempotency_key": self.key()}

    def pledge(self) -> Arguments:
        project_id = self.an_open_project()
        currency = self.shared.currency[project_id]
        seconds = self.chance.uniform(1, 10)
        return {
            "wallet_id": self.a_wallet(currency if self.perhaps(0.98) else None),
            "project_id": project_id,
            "amount": self.amount(currency),
            "expires_at": datetime.now(UTC) + timedelta(seconds=seconds)
            if self.perhaps(0.3)
            else None,
            "idempotency_key": self.key(),
        }

    def deposit_many(self) -> Arguments:
        elements = self.elements("deposit_many", None)
        if elements and self.perhaps(0.3):
            elements.append(elements[0])  # one key twice within the call
        return self.arrays(elements)

    def allocate_deposits(self) -> Arguments:
        """A wallet once at most: rows do not say which of its elements they belong to."""
        once = {element.wallet_id: element for element in self.elements("allocations", None)}
        return {**self.arrays(list(once.values())), "rounding": "half_up"}

    def pledge_many(self) -> Arguments:
        project_id = self.an_open_project()
        currency = self.shared.currency[project_id]
        elements = self.elements(f"pledge_many {project_id}", currency)
        return {"project_id": project_id, **self.arrays(elements)}

    def release_escrow(self) -> Arguments:
        escrow_id = self.shared.an_escrow(self.chance)
        amount = None
        if escrow_id and self.perhaps(0.4):
            amount = self.amount(self.shared.currency[self.shared.project_of[escrow_id]])
        return {"escrow_id": escrow_id, "amount": amount, "idempotency_key": self.key()}

    refund_escrow = release_escrow

    def refund_release(self) -> Arguments:
        return {**self.release_escrow(), "keep_fees": self.perhaps(0.3)}

    def change_pledge(self) -> Arguments:
        arguments = self.cancel_pledge()
        currency = "EUR"
        if escrow_id := arguments["escrow_id"]:
            currency = self.shared.currency[self.shared.project_of[escrow_id]]
        return {**arguments, "amount": self.amount(currency)}

    def cancel_pledge(self) -> Arguments:
        """Mostly of an open project."""
        escrow_id = self.shared.an_open_escrow(self.chance) if self.perhaps(0.8) else None
        escrow_id = escrow_id or self.shared.an_escrow(self.chance)
        return {"escrow_id": escrow_id, "idempotency_key": self.key()}

    def dispute_escrow(self) -> Arguments:
        return {"escrow_id": self.shared.an_escrow(self.chance), "reason": "the card was stolen"}

    def resolve_dispute(self) -> Arguments:
        """One of the last that were disputed, which others may have resolved since."""
        disputed = self.shared.disputed[-5:]
        escrow_id = self.chance.choice(disputed) if disputed else NO_ID
        return {"escrow_id": escrow_id, "outcome": self.chance.choice(["upheld", "rejected"])}

    def close_project(self) -> Arguments:
        outcome = self.chance.choice(["succeeded", "failed"])
        return {"project_id": self.a_project(0.3), "outcome": outcome}

    def release_escrows(self) -> Arguments:
        limit = self.chance.choice([1, 5, 100])
        return {"project_id": self.a_project(0.1, "succeeded"), "limit": limit}

    def refund_escrows(self) -> Arguments:
        limit = self.chance.choice([1, 5, 100])
        return {"project_id": self.a_project(0.1, "failed"), "limit": limit}

    def refund_expired_escrows(self) -> Arguments:
        return {"limit": self.chance.choice([1, 5, 100])}

    def release_project(self) -> Arguments:
        size = self.chance.choice([2, 10, 100])
        return {"project_id": self.a_project(0.3, "succeeded"), "batch_size": size}

    def refund_project(self) -> Arguments:
        size = self.chance.choice([2, 10, 100])
        return {"project_id": self.a_project(0.3, "failed"), "batch_size": size}

    def payout(self) -> Arguments:
        project_id = self.a_project(0.3)
        amount = self.amount(self.shared.currency[project_id])
        return {"project_id": project_id, "amount": amount, "idempotency_key": self.key()}

    def balance(self) -> Arguments:
        return {"account_id": self.an_account()}

    def balance_at(self) -> Arguments:
        at = datetime.now(UTC) - timedelta(seconds=self.chance.uniform(0, 5))
        return {"account_id": self.an_account(), "at": at}

    def statement(self) -> Arguments:
        return {"account_id": self.an_account(), "limit": self.chance.choice([1, 20, 1000])}

    def check_ledger(self) -> Arguments:
        return {}
