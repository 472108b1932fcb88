"""A rule for every function, one for calls made again, and two for what a DBA or time does."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.model import drawing as draw
from tests.model.drawing import Amount, Id
from tests.model.machine import ORIGIN
from tests.model.repeating import changed
from tests.model.rules_accounts import AccountRules
from tests.model.rules_escrows import EscrowRules
from tests.model.rules_events import EventRules
from tests.model.rules_pockets import PocketRules
from tests.model.rules_reading import ReadingRules
from tests.model.rules_reversals import ReversalRules
from tests.model.rules_transfers import TransferRules

Element = tuple[Id, Amount, str | None]


class Rules(
    AccountRules, EscrowRules, EventRules, PocketRules, ReadingRules, ReversalRules, TransferRules
):
    """Each rule is one call, good or bad; those of other topics are in files of their own."""

    @initialize(
        currency=st.sampled_from(["EUR", "EUR", "JPY", "KWD", "TOKEN"]),
        split=draw.SPLITS,
        rates=draw.GOOD_RATES,
        frozen=st.sampled_from([None, None, None, 0, 1]),
    )
    def begin(self, currency: str, split: list[str], rates: draw.Rates, frozen: int | None) -> None:
        """A start that leads somewhere: each kind of thing, and each kind of keyed call."""
        other = "KWD" if currency == "EUR" else "EUR"
        ada, bob, foreign = (
            self.call("create_wallet", owner_id=owner, currency=each).wallet_id
            for owner, each in (("ada", currency), ("bob", currency), ("ada", other))
        )
        self._keyed("deposit", wallet_id=ada, amount=Decimal(200))
        self._keyed_arrays("deposit_many", [ada, bob, ada, foreign], ["7", "600", "793", "1000"])
        for number, percentage in enumerate(split):
            self.call(
                "create_pocket",
                wallet_id=ada,
                name=f"part {number}",
                allocation_percentage=Decimal(percentage),
            )
        self._keyed("allocate_deposit", wallet_id=ada, amount=Decimal(201), rounding="half_up")
        self._keyed_arrays("allocate_deposits", [ada, ada], ["100", "1"], rounding="half_up")
        mistake = self._keyed("deposit", wallet_id=ada, amount=Decimal(3))
        self._keyed("reverse_transaction", transaction_id=mistake.transaction_id)
        self._keyed("transfer", from_account_id=bob, to_account_id=ada, amount=Decimal(1))
        for reference in ("open", "succeeded", "failed"):
            project_id = self._create_project(
                reference=reference,
                currency=currency,
                commission_rate=rates[0],
                fee_rate=rates[1],
                max_pledge=Decimal(500),
                fee_fixed=Decimal(1) if reference == "succeeded" else None,
            )
            pledge = self._keyed(
                "pledge",
                wallet_id=bob,
                project_id=project_id,
                amount=Decimal(7),
                expires_at=draw.FUTURE,
            )
            self._keyed("release_escrow", escrow_id=pledge.escrow_id, amount=Decimal(5))
            self._keyed("refund_release", escrow_id=pledge.escrow_id, amount=Decimal(2))
            self._keyed("change_pledge", escrow_id=pledge.escrow_id, amount=Decimal(8))
            *_, pledged = self._keyed_arrays(
                "pledge_many", [ada, ada, bob], ["40", "3", "99"], project_id=project_id
            )
            self._keyed("refund_escrow", escrow_id=pledged.escrow_id, amount=Decimal(9))
            if reference == "open":
                self._closed_ones(currency, project_id)
            else:
                self.call("close_project", project_id=project_id, outcome=reference)
        # What draws alone meet late: the last of these is refused.
        if frozen is not None:
            self.call("freeze_account", account_id=[ada, bob][frozen], reason="court order 17")
        self.call("set_credit_limit", account_id=foreign, credit_limit=Decimal(100))
        self._keyed("withdraw", wallet_id=foreign, amount=Decimal(1050))
        self.call("dispute_escrow", escrow_id=pledged.escrow_id, reason="the card was stolen")
        self.call("resolve_dispute", escrow_id=pledged.escrow_id, outcome="rejected")
        self.call(
            "create_pocket", wallet_id=ada, name="gifts", allocation_percentage=Decimal("90.0001")
        )

    def _closed_ones(self, currency: str, project_id: int | None) -> None:
        """A pocket and a wallet, whose pledge to an open project is cancelled."""
        eve = self.call("create_wallet", owner_id="eve", currency=currency).wallet_id
        pocket_id = self.call(
            "create_pocket", wallet_id=eve, name="old", allocation_percentage=Decimal(0)
        ).pocket_id
        self._keyed("close_pocket", pocket_id=pocket_id)
        self._keyed("deposit", wallet_id=eve, amount=Decimal(2))
        pledge = self._keyed("pledge", wallet_id=eve, project_id=project_id, amount=Decimal(2))
        self._keyed("cancel_pledge", escrow_id=pledge.escrow_id)
        self._keyed("withdraw", wallet_id=eve, amount=Decimal(2))
        self.call("close_wallet", wallet_id=eve)

    def _keyed(self, function: str, /, **arguments: Any) -> Any:
        return self.remembered(function, **arguments, idempotency_key=self.key_of("fresh"))

    def _keyed_arrays(
        self, function: str, /, wallet_ids: list[int], amounts: list[str], **arguments: Any
    ) -> Any:
        return self.remembered(
            function,
            **arguments,
            wallet_ids=wallet_ids,
            amounts=[Decimal(amount) for amount in amounts],
            idempotency_keys=[self.key_of("fresh") for _ in wallet_ids],
        )

    @rule(owner=draw.OWNERS, currency=draw.CURRENCIES)
    def create_wallet(self, owner: str | None, currency: str | None) -> None:
        self.call("create_wallet", owner_id=owner, currency=currency)

    @rule(
        reference=draw.REFERENCES,
        currency=draw.CURRENCIES,
        rates=draw.PAIRS_OF_RATES,
        max_pledge=draw.SOME_OR_ALL,
        fee_fixed=draw.FIXED_FEES,
        project=draw.PROJECT_IDS,
    )
    def create_project(
        self,
        reference: str | None,
        currency: str | None,
        rates: draw.Rates,
        max_pledge: Amount,
        fee_fixed: Decimal | None,
        project: Id | None,
    ) -> None:
        self._create_project(
            reference=reference,
            currency=currency,
            commission_rate=rates[0],
            fee_rate=rates[1],
            max_pledge=self.amount_of(max_pledge, None),
            project_id=self.id_of("", project) if isinstance(project, str) else project,
            fee_fixed=fee_fixed,
        )

    def _create_project(self, **arguments: Any) -> int | None:
        project = self.remembered("create_project", **arguments)
        if project is None:
            return None
        record = self.books.projects[project.project_id]
        real_id = self.matching.accounts.real[project.project_id]
        self.know(record.escrow_account.account_id, self.escrow_account_of(real_id))
        return record.account.account_id

    def escrow_account_of(self, project_id: int) -> int:
        row = self.conn.execute(
            "select escrow_account_id from pgwallet.project where project_id = %s", [project_id]
        ).fetchone()
        assert row is not None
        return int(row[0])

    @rule(wallet=draw.IDS, amount=draw.AMOUNTS, **ORIGIN)
    def deposit(self, wallet: Id, amount: Amount, **origin: Any) -> None:
        self.in_or_out("deposit", "wallet", wallet, amount, origin)

    @rule(wallet=draw.IDS, amount=draw.AMOUNTS, **ORIGIN)
    def withdraw(self, wallet: Id, amount: Amount, **origin: Any) -> None:
        self.in_or_out("withdraw", "wallet", wallet, amount, origin)

    @rule(project=draw.IDS, amount=draw.AMOUNTS, **ORIGIN)
    def payout(self, project: Id, amount: Amount, **origin: Any) -> None:
        self.in_or_out("payout", "project", project, amount, origin)

    @rule(escrow=draw.IDS, amount=draw.SOME_OR_ALL, **ORIGIN)
    def release_escrow(self, escrow: Id, amount: Amount, **origin: Any) -> None:
        self.in_or_out("release_escrow", "escrow", escrow, amount, origin)

    @rule(escrow=draw.IDS, amount=draw.SOME_OR_ALL, **ORIGIN)
    def refund_escrow(self, escrow: Id, amount: Amount, **origin: Any) -> None:
        self.in_or_out("refund_escrow", "escrow", escrow, amount, origin)

    @rule(wallet=draw.IDS, amount=draw.AMOUNTS, rounding=draw.ROUNDINGS, **ORIGIN)
    def allocate_deposit(
        self, wallet: Id, amount: Amount, rounding: str | None, **origin: Any
    ) -> None:
        self.in_or_out("allocate_deposit", "wallet", wallet, amount, origin, rounding=rounding)

    @rule(pocket=draw.IDS, amount=draw.AMOUNTS, **ORIGIN)
    def transfer_to_pocket(self, pocket: Id, amount: Amount, **origin: Any) -> None:
        known = self.books.pockets.get(self.id_of("pocket", pocket) or 0)
        amount = self.amount_of(amount, known.wallet.account_id if known else None)
        self.in_or_out("transfer_to_pocket", "pocket", pocket, amount, origin)

    @rule(pocket=draw.IDS, amount=draw.AMOUNTS, **ORIGIN)
    def transfer_from_pocket(self, pocket: Id, amount: Amount, **origin: Any) -> None:
        self.in_or_out("transfer_from_pocket", "pocket", pocket, amount, origin)

    @rule(wallet=draw.IDS, amount=draw.AMOUNTS, rounding=draw.ROUNDINGS)
    def preview_allocation(self, wallet: Id, amount: Amount, rounding: str | None) -> None:
        wallet_id = self.id_of("wallet", wallet)
        amount = self.amount_of(amount, wallet_id)
        self.call("preview_allocation", wallet_id=wallet_id, amount=amount, rounding=rounding)

    @rule(
        wallet=draw.IDS,
        kind=draw.PLEDGED_TO,
        project=draw.IDS,
        amount=draw.PLEDGES,
        expires_at=draw.EXPIRIES,
        **ORIGIN,
    )
    def pledge(
        self,
        wallet: Id,
        kind: str,
        project: Id,
        amount: Amount,
        expires_at: datetime | None,
        **origin: Any,
    ) -> None:
        wallet_id = self.id_of("wallet", wallet)
        self.remembered(
            "pledge",
            wallet_id=wallet_id,
            project_id=self.id_of(kind, project),
            amount=self.amount_of(amount, wallet_id),
            expires_at=expires_at,
            **self.origin_of(**origin),
        )

    @rule(elements=draw.ELEMENTS, arrays=draw.ARRAYS)
    def deposit_many(self, elements: list[Element], arrays: str) -> None:
        self.remembered("deposit_many", **self._arrays(elements, arrays))

    @rule(elements=draw.ELEMENTS, arrays=draw.ARRAYS, rounding=draw.ROUNDINGS)
    def allocate_deposits(self, elements: list[Element], arrays: str, rounding: str | None) -> None:
        self.remembered("allocate_deposits", **self._arrays(elements, arrays), rounding=rounding)

    @rule(kind=draw.PLEDGED_TO, project=draw.IDS, elements=draw.ELEMENTS, arrays=draw.ARRAYS)
    def pledge_many(self, kind: str, project: Id, elements: list[Element], arrays: str) -> None:
        project_id = self.id_of(kind, project)
        self.remembered("pledge_many", project_id=project_id, **self._arrays(elements, arrays))

    @rule(project=draw.IDS, outcome=draw.OUTCOMES)
    def close_project(self, project: Id, outcome: str | None) -> None:
        project_id = self.id_of("project", project)
        self.call("close_project", project_id=project_id, outcome=outcome)

    @rule(project=draw.IDS, limit=draw.LIMITS, after=st.none() | st.integers(0, 9))
    def release_escrows(self, project: Id, limit: int | None, after: int | None) -> None:
        self._batch("release_escrows", project, limit, after)

    @rule(project=draw.IDS, limit=draw.LIMITS, after=st.none() | st.integers(0, 9))
    def refund_escrows(self, project: Id, limit: int | None, after: int | None) -> None:
        self._batch("refund_escrows", project, limit, after)

    def _batch(self, function: str, project: Id, limit: int | None, after: int | None) -> None:
        after_escrow_id = 0
        if after is not None and self.books.escrows:
            after_escrow_id = self.id_of("escrow", after) or 0
        self.call(
            function,
            project_id=self.id_of("project", project),
            limit=limit,
            after_escrow_id=after_escrow_id,
        )

    @rule(limit=draw.LIMITS)
    def refund_expired_escrows(self, limit: int | None) -> None:
        self.call("refund_expired_escrows", limit=limit)

    @rule(repeats=draw.REPEATS)
    def again(self, repeats: list[tuple[int, str]]) -> None:
        """Calls made before, the same or a little different."""
        for number, change in repeats:
            function, arguments = changed(*self.calls[number % len(self.calls)], change)
            self.call(function, **arguments)

    @rule(escrow=st.integers(0, 9))
    def an_escrow_expires(self, escrow: int) -> None:
        expiring = [each for each in self.books.escrows.values() if each.expires_at is not None]
        if expiring:
            chosen = expiring[escrow % len(expiring)]
            chosen.expires_at = draw.PAST
            self.touched = True
            self.conn.execute(
                "update pgwallet.escrow set expires_at = %s where escrow_id = %s",
                [draw.PAST, self.matching.accounts.real[chosen.escrow_id]],
            )

    @rule(
        rates=st.sampled_from([("0.05", "0.029"), ("0", "0.01"), ("0.5", "0.5"), ("0.3333", "0")]),
        fee_fixed=st.sampled_from([0, 0, 1]),
        max_pledge=st.sampled_from([100000, 50]),
        max_pockets=st.sampled_from([100, 100, 2, 1]),
    )
    def a_dba_changes_settings(
        self, rates: tuple[str, str], fee_fixed: int, max_pledge: int, max_pockets: int
    ) -> None:
        settings = self.books.settings
        before = replace(settings)
        settings.commission_rate, settings.fee_rate = map(Decimal, rates)
        settings.fee_fixed = Decimal(fee_fixed)
        settings.max_pledge = Decimal(max_pledge)
        settings.max_pockets_per_allocation = max_pockets
        if settings != before:
            self.books.note("update_settings", None)
        self.conn.execute(
            """
            update pgwallet.settings
            set commission_rate = %s, fee_rate = %s, fee_fixed = %s, max_pledge = %s,
                max_pockets_per_allocation = %s
            """,
            [settings.commission_rate, settings.fee_rate, fee_fixed, max_pledge, max_pockets],
        )

    def _arrays(self, elements: list[Element], arrays: str) -> dict[str, list[Any] | None]:
        wallet_ids = [self.id_of("wallet", wallet) for wallet, _, _ in elements]
        if arrays == "one wallet":
            wallet_ids = wallet_ids[:1] * len(wallet_ids)
        amounts = [
            self.amount_of(amount, wallet_id)
            for wallet_id, (_, amount, _) in zip(wallet_ids, elements, strict=True)
        ]
        keys = [self.key_of(key) for _, _, key in elements]
        return {
            "wallet_ids": wallet_ids[1:] if arrays == "an id short" else wallet_ids,
            "amounts": amounts,
            "idempotency_keys": (
                None if arrays == "without keys" else keys[1:] if arrays == "a key short" else keys
            ),
        }
