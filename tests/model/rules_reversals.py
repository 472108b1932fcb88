"""A rule for reversals: of any transaction, most often one of the last."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model.machine import ORIGIN, Machine

LATEST = 8


class ReversalRules(Machine):
    """Taking back what other rules did."""

    @rule(latest=st.sampled_from([True, True, False]), place=st.integers(0, 99), **ORIGIN)
    def reverse_transaction(self, latest: bool, place: int, **origin: Any) -> None:
        ids = [*self.books.transactions]
        if latest:
            ids = ids[-LATEST:]
        transaction_id = [*ids, 2**62][place % (len(ids) + 1)]
        self.remembered(
            "reverse_transaction", transaction_id=transaction_id, **self.origin_of(**origin)
        )
