"""Rules for making pockets, and for what of them can be changed."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model import drawing as draw
from tests.model.drawing import Amount, Id
from tests.model.machine import Machine


class PocketRules(Machine):
    """Each rule is one call, good or bad."""

    @rule(
        wallet=draw.IDS,
        name=draw.NAMES,
        percentage=draw.PERCENTAGES,
        pocket_type=st.sampled_from([None, None, "savings", draw.LONG]),
        saving_for=draw.SOME_OR_ALL,
        stop_at_target=draw.FLAGS,
        takes_rest=draw.FLAGS,
    )
    def create_pocket(
        self,
        wallet: Id,
        name: str | None,
        percentage: Decimal | str | None,
        pocket_type: str | None,
        saving_for: Amount,
        stop_at_target: bool | None,
        takes_rest: bool | None,
    ) -> None:
        wallet_id = self.id_of("wallet", wallet)
        self.remembered(
            "create_pocket",
            wallet_id=wallet_id,
            name=name,
            allocation_percentage=(
                Decimal(0) if takes_rest else self.percentage_of(percentage, wallet_id, None)
            ),
            pocket_type=pocket_type,
            target_amount=self.amount_of(saving_for, wallet_id),
            stop_at_target=stop_at_target,
            takes_rest=takes_rest,
        )

    @rule(pocket=draw.IDS, name=draw.NAMES)
    def rename_pocket(self, pocket: Id, name: str | None) -> None:
        self.call("rename_pocket", pocket_id=self.id_of("pocket", pocket), name=name)

    @rule(
        pocket=draw.IDS,
        percentage=draw.PERCENTAGES,
        takes_rest=draw.FLAGS,
        both=st.sampled_from([False, False, False, True]),
    )
    def set_allocation(
        self, pocket: Id, percentage: Decimal | str | None, takes_rest: bool | None, both: bool
    ) -> None:
        pocket_id = self.id_of("pocket", pocket)
        wallet_id = self._wallet_of(pocket_id)
        self.call(
            "set_allocation",
            pocket_id=pocket_id,
            allocation_percentage=(
                Decimal(0)
                if takes_rest and not both
                else self.percentage_of(percentage, wallet_id, pocket_id)
            ),
            takes_rest=takes_rest,
        )

    @rule(pocket=draw.IDS, saving_for=draw.SOME_OR_ALL, stop_at_target=draw.FLAGS)
    def set_target(self, pocket: Id, saving_for: Amount, stop_at_target: bool | None) -> None:
        pocket_id = self.id_of("pocket", pocket)
        self.call(
            "set_target",
            pocket_id=pocket_id,
            target_amount=self.amount_of(saving_for, self._wallet_of(pocket_id)),
            stop_at_target=stop_at_target,
        )

    def _wallet_of(self, pocket_id: int | None) -> int | None:
        known = self.books.pockets.get(pocket_id or 0)
        return known.wallet.account_id if known else None
