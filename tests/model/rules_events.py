"""Rules about events, about owners who are erased, and about what the platform collects."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model import drawing as draw
from tests.model.drawing import Amount, Id
from tests.model.machine import ORIGIN, Machine


class EventRules(Machine):
    """What the ledger wrote down is what the reference noted."""

    @rule(wallet=draw.IDS)
    def erase_owner(self, wallet: Id) -> None:
        self.call("erase_owner", wallet_id=self.id_of("wallet", wallet))

    @rule(
        kind=st.sampled_from(["wallet", "pocket", "project", None]),
        subject=draw.IDS,
        after=st.integers(0, 30),
        limit=draw.LIMITS,
    )
    def list_events(self, kind: str | None, subject: Id, after: int, limit: int | None) -> None:
        events = sorted(self.matching.events.real)
        self.call(
            "list_events",
            subject_id=self.id_of(kind, subject) if kind else None,
            after_event_id=events[after % len(events)],
            limit=limit,
        )

    @rule(
        other=st.sampled_from([True, False, False, False]),
        currency=draw.CURRENCIES,
        account=st.sampled_from(["commission", "commission", "fee", "external"]),
        amount=draw.AMOUNTS,
        **ORIGIN,
    )
    def collect_earnings(
        self, other: bool, currency: str | None, account: str, amount: Amount, **origin: Any
    ) -> None:
        """Mostly in the currency in which most is released."""
        if not other:
            currency = next(iter(self.books.wallets.values())).account.currency
        earned = self.books.platforms.get((account, currency or ""))
        self.remembered(
            "collect_earnings",
            currency=currency,
            account=account,
            amount=self.amount_of(amount, earned.account_id if earned else None),
            **self.origin_of(**origin),
        )
