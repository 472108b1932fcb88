"""A rule for transfers: between any two accounts, most often two that may."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model import drawing as draw
from tests.model.drawing import Amount, Id
from tests.model.machine import ORIGIN, Machine

PAIRS = draw.mostly(
    st.sampled_from(["wallet", "wallet", "pocket"]).map(lambda kind: (kind, kind)),
    st.sampled_from([("wallet", "pocket"), ("pocket", "wallet"), ("account", "account")]),
)


class TransferRules(Machine):
    @rule(
        kinds=PAIRS,
        payer=draw.IDS,
        payee=draw.IDS,
        amount=draw.AMOUNTS,
        **ORIGIN,
    )
    def transfer(
        self,
        kinds: tuple[str, str],
        payer: Id,
        payee: Id,
        amount: Amount,
        **origin: Any,
    ) -> None:
        ends = [self.id_of(kind, drawn) for kind, drawn in zip(kinds, (payer, payee), strict=True)]
        self.remembered(
            "transfer",
            from_account_id=ends[0],
            to_account_id=ends[1],
            amount=self.amount_of(amount, ends[0]),
            **self.origin_of(**origin),
        )
