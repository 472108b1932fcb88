"""Comparing what the ledger says with what the reference says, whose ids are its own."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

from pgwallet.results import StatementRow
from tests.model.reference.books import ANYTHING
from tests.model.reference.reading import NO_TIME

ACCOUNTS = (
    "wallet_id",
    "pocket_id",
    "project_id",
    "escrow_id",
    "account_id",
    "from_account_id",
    "to_account_id",
    "counterpart_id",
    "subject_id",
    "last_escrow_id",
    "after_escrow_id",
    "after_project_id",
)
# Rates and percentages are compared by value, and so is what the driver itself adds up; all
# else carries exactly the currency's decimals.
BY_VALUE = ("allocation_percentage", "commission_rate", "fee_rate", "allocated", "remaining")


class Ids:
    """Which id of the ledger stands for which of the reference, learnt one to one."""

    def __init__(self) -> None:
        self.real: dict[int, int] = {0: 0}

    def agree(self, expected: int, actual: int) -> bool:
        """Takes note of an id that both see for the first time."""
        if expected not in self.real and actual not in self.real.values():
            self.real[expected] = actual
        return self.real.get(expected) == actual

    def real_of(self, value: int | None) -> int | None:
        return None if value is None else self.real.get(value, value)


class Matching:
    def __init__(self) -> None:
        self.accounts = Ids()
        self.transactions = Ids()
        self.postings = Ids()
        self.events = Ids()
        self._slots: dict[int, int] = {0: 0}

    def translated(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A call's arguments with the ledger's ids in place of the reference's."""
        real: dict[str, Any] = {}
        for name, value in arguments.items():
            ids = self._ids(name)
            if name == "wallet_ids":
                real[name] = [self.accounts.real_of(each) for each in value]
            else:
                real[name] = value if ids is None else ids.real_of(value)
        return real

    def compare(self, expected: Any, actual: Any, name: str = "result") -> None:
        """Fails at the first thing in which two results differ."""
        if isinstance(expected, StatementRow) and expected.effective_at == NO_TIME:
            expected = replace(expected, effective_at=actual.created_at)
        if isinstance(expected, list | tuple):
            assert len(expected) == len(actual), f"{name}: {expected} expected, not {actual}"
            for place, (one, other) in enumerate(zip(expected, actual, strict=True)):
                self.compare(one, other, f"{name}[{place}]")
        elif is_dataclass(expected):
            assert actual.__class__ is expected.__class__, f"{name}: {expected}, not {actual}"
            for each in fields(expected):
                value, theirs = getattr(expected, each.name), getattr(actual, each.name)
                self.compare(value, theirs, f"{name}.{each.name}")
        elif isinstance(expected, dict) and ANYTHING in expected.values():
            assert expected.keys() == actual.keys(), f"{name}: {expected} expected, not {actual}"
            for key, value in expected.items():
                self.compare(value, actual[key], f"{name}.{key}")
        elif expected == NO_TIME:
            assert actual is not None, f"{name}: a time expected"
        elif expected is not ANYTHING:
            self._compare_value(expected, actual, name)

    def _compare_value(self, expected: Any, actual: Any, name: str) -> None:
        field = name.rpartition(".")[2]
        ids = self._ids(field)
        if ids is not None and expected is not None:
            agree = ids.agree(expected, actual) and self._agree_on_slot(field, expected, actual)
        elif isinstance(expected, Decimal) and field not in BY_VALUE:
            agree = str(expected) == str(actual)
        else:
            agree = bool(expected == actual)
        assert agree, f"{name}: {expected!r} expected, not {actual!r}"

    def _ids(self, name: str) -> Ids | None:
        if name in ACCOUNTS:
            return self.accounts
        if name in (
            "transaction_id",
            "since_transaction_id",
            "settled_by",
            "reversed_transaction_id",
            "reversed_by",
        ):
            return self.transactions
        if name in ("posting_id", "after_posting_id"):
            return self.postings
        if name in ("event_id", "after_event_id"):
            return self.events
        return None

    def _agree_on_slot(self, field: str, expected: int, actual: int) -> bool:
        """Whether the id tells to which wallet it belongs."""
        slot = actual % 1024
        return field not in ACCOUNTS or self._slots.setdefault(expected % 1024, slot) == slot
