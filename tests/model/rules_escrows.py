"""Rules for pledges that change or go back, for releases that are refunded, and for disputes."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model import drawing as draw
from tests.model.drawing import Amount, Id, Part
from tests.model.machine import ORIGIN, Machine
from tests.model.reference.money import money


class EscrowRules(Machine):
    """Each rule is one call, good or bad."""

    @rule(kind=draw.CHANGED, escrow=draw.IDS, amount=draw.CHANGES_OF_PLEDGES, **ORIGIN)
    def change_pledge(
        self, kind: str, escrow: Id, amount: tuple[str, Amount], **origin: Any
    ) -> None:
        escrow_id = self.id_of(kind, escrow)
        self.remembered(
            "change_pledge",
            escrow_id=escrow_id,
            amount=self._part_of(amount[1], escrow_id, amount[0]),
            **self.origin_of(**origin),
        )

    @rule(escrow=draw.IDS, **ORIGIN)
    def cancel_pledge(self, escrow: Id, **origin: Any) -> None:
        self.remembered(
            "cancel_pledge", escrow_id=self.id_of("escrow", escrow), **self.origin_of(**origin)
        )

    @rule(escrow=draw.IDS, amount=draw.SOME_OR_ALL, keep_fees=st.booleans(), **ORIGIN)
    def refund_release(self, escrow: Id, amount: Amount, keep_fees: bool, **origin: Any) -> None:
        escrow_id = self.id_of("escrow", escrow)
        self.remembered(
            "refund_release",
            escrow_id=escrow_id,
            amount=self._part_of(amount, escrow_id, "released"),
            keep_fees=keep_fees,
            **self.origin_of(**origin),
        )

    def _part_of(self, amount: Amount, escrow_id: int | None, of: str) -> Decimal | None:
        """In proportion to what was pledged, released of it, or could be pledged."""
        escrow = self.books.escrows.get(escrow_id or 0)
        if escrow is None or not isinstance(amount, Part):
            return self.amount_of(amount, None)
        return money(amount.in_units(getattr(escrow, of)), escrow.wallet.currency)

    @rule(escrow=draw.IDS, reason=draw.REASONS)
    def dispute_escrow(self, escrow: Id, reason: str | None) -> None:
        self.call("dispute_escrow", escrow_id=self.id_of("escrow", escrow), reason=reason)

    @rule(escrow=draw.IDS, outcome=draw.DISPUTE_OUTCOMES)
    def resolve_dispute(self, escrow: Id, outcome: str | None) -> None:
        """Mostly of a disputed one, if there is any."""
        disputed = [each for each, known in self.books.escrows.items() if known.disputed]
        escrow_id = self.id_of("escrow", escrow)
        if disputed and isinstance(escrow, int):
            escrow_id = disputed[escrow % len(disputed)]
        self.call("resolve_dispute", escrow_id=escrow_id, outcome=outcome)

    @rule(
        transaction=st.none() | st.integers(0, 99),
        after=st.none() | st.integers(0, 9),
        limit=draw.LIMITS,
    )
    def list_settled_escrows(
        self, transaction: int | None, after: int | None, limit: int | None
    ) -> None:
        transactions = [*sorted(self.matching.transactions.real), 2**62]
        self.call(
            "list_settled_escrows",
            transaction_id=None
            if transaction is None
            else transactions[transaction % len(transactions)],
            after_escrow_id=self.after("escrow", after),
            limit=limit,
        )
