"""Rules for freezes, credit and closings."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model import drawing as draw
from tests.model.drawing import Amount, Id
from tests.model.machine import ORIGIN, Machine

HOLDERS = st.sampled_from(["wallet", "wallet", "project", "account"])


class AccountRules(Machine):
    """What holds for a wallet or a project as an account."""

    @rule(kind=HOLDERS, account=draw.IDS, reason=draw.REASONS)
    def freeze_account(self, kind: str, account: Id, reason: str | None) -> None:
        self.call("freeze_account", account_id=self.id_of(kind, account), reason=reason)

    @rule(kind=HOLDERS, account=draw.IDS, reason=draw.REASONS)
    def unfreeze_account(self, kind: str, account: Id, reason: str | None) -> None:
        """A frozen one, as a rule: else what was frozen stays so."""
        frozen = [each.account_id for each in self.books.accounts.values() if each.frozen]
        account_id = self.id_of(kind, account)
        if frozen and isinstance(account, int):
            account_id = frozen[account % len(frozen)]
        self.call("unfreeze_account", account_id=account_id, reason=reason)

    @rule(kind=HOLDERS, account=draw.IDS, limit=draw.CREDITS)
    def set_credit_limit(self, kind: str, account: Id, limit: Amount) -> None:
        account_id = self.id_of(kind, account)
        self.call(
            "set_credit_limit",
            account_id=account_id,
            credit_limit=self.amount_of(limit, account_id),
        )

    @rule(pocket=draw.IDS, **ORIGIN)
    def close_pocket(self, pocket: Id, **origin: Any) -> None:
        pocket_id = self.id_of("pocket", pocket)
        self.remembered("close_pocket", pocket_id=pocket_id, **self.origin_of(**origin))

    @rule(wallet=draw.IDS)
    def close_wallet(self, wallet: Id) -> None:
        self.call("close_wallet", wallet_id=self.id_of("wallet", wallet))
