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
        payer_id = self.id_of(kinds[0], payer)
        self.remembered(
            "transfer",
            from_account_id=payer_id,
            to_account_id=self._payee(kinds[1], payee, payer_id),
            amount=self.amount_of(amount, payer_id),
            **self.origin_of(**origin),
        )

    def _payee(self, kind: str, drawn: Id, payer_id: int | None) -> int | None:
        """For two drawn in three, another account in the payer's currency, if there is one."""
        accounts = self.books.accounts
        if isinstance(drawn, int) and drawn % 3 and payer_id in accounts:
            others = [
                each
                for each in self._ids_of(kind)
                if each != payer_id and accounts[each].currency == accounts[payer_id].currency
            ]
            if others:
                return others[drawn % len(others)]
        return self.id_of(kind, drawn)
