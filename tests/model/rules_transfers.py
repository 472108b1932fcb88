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
STATES = st.sampled_from(
    4 * [(None, None)] + [("frozen", None), ("closed", None), (None, "closed"), (None, "frozen")]
)


class TransferRules(Machine):
    @rule(
        kinds=PAIRS,
        payer=draw.IDS,
        payee=draw.IDS,
        amount=draw.AMOUNTS,
        states=STATES,
        **ORIGIN,
    )
    def transfer(
        self,
        kinds: tuple[str, str],
        payer: Id,
        payee: Id,
        amount: Amount,
        states: tuple[str | None, str | None],
        **origin: Any,
    ) -> None:
        ends = [self.id_of(kind, drawn) for kind, drawn in zip(kinds, (payer, payee), strict=True)]
        for account_id, state in zip(ends, states, strict=True):
            self._mark(account_id, state, True)
        self.remembered(
            "transfer",
            from_account_id=ends[0],
            to_account_id=ends[1],
            amount=self.amount_of(amount, ends[0]),
            **self.origin_of(**origin),
        )
        for account_id, state in zip(ends, states, strict=True):
            self._mark(account_id, state, False)

    def _mark(self, account_id: int | None, state: str | None, now: bool) -> None:
        """By hand, for this call alone."""
        account = self.books.accounts.get(account_id or 0)
        if account is None or state is None:
            return
        setattr(account, state, now)
        self.conn.execute(
            f"update pgwallet.account set {state}_at = %s where account_id = %s".encode(),
            [draw.PAST if now else None, self.matching.accounts.real[account.account_id]],
        )
