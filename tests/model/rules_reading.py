"""Rules that change nothing: they read accounts, history and figures, and check them."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model import drawing as draw
from tests.model.drawing import Id
from tests.model.machine import Machine


class ReadingRules(Machine):
    """What anybody reads is what the reference reads."""

    @rule(
        account=draw.ACCOUNT_IDS,
        moment=st.none() | st.integers(0, 99),
        after=st.integers(0, 9),
        limit=draw.LIMITS,
        newest_first=st.booleans(),
        between=st.none() | st.tuples(st.integers(0, 99), st.integers(0, 99)),
        by=draw.BASES,
    )
    def read(
        self,
        account: Id,
        moment: int | None,
        after: int,
        limit: int | None,
        newest_first: bool,
        between: tuple[int, int] | None,
        by: str | None,
    ) -> None:
        account_id = self.id_of("account", account)
        self.call("balance", account_id=account_id)
        moments = sorted(self.moments)
        at = None if moment is None else moments[moment % len(moments)]
        self.call("balance_at", account_id=account_id, at=at, by=by)
        postings = sorted(self.matching.postings.real)
        after_id = postings[after % len(postings)]
        first, last = (moments[each % len(moments)] for each in between or (0, 0))
        self.call(
            "statement",
            account_id=account_id,
            after_posting_id=after_id,
            limit=limit,
            newest_first=newest_first,
            from_=first if between else None,
            until=last if between else None,
            by=by,
        )
        transactions = sorted(self.matching.transactions.real)
        self.call("check_ledger", since_transaction_id=transactions[after % len(transactions)])
        self.call("check_seals", since_seal_id=after % 2, until_seal_id=after // 2)
        self.call("list_seals", after_seal_id=after, limit=limit, newest_first=newest_first)

    @rule(records=st.integers(0, 3))
    def watch(self, records: int) -> None:
        if records == 0:  # It takes as long as ten other calls, and each example ends with one.
            self.call("record_check")
        self.call("currency_metrics")
        self.call("ledger_metrics")

    @rule(
        owner=draw.OWNERS,
        reference=draw.REFERENCES,
        key=st.sampled_from(["a", "b", "key 1", "key 2", "key 5", "", None]),
        transaction=st.none() | st.integers(0, 99),
    )
    def look_up(
        self, owner: str | None, reference: str | None, key: str | None, transaction: int | None
    ) -> None:
        self.call("list_wallets", owner_id=owner)
        self.call("find_project", reference=reference)
        self.call("find_transaction", idempotency_key=key)
        transactions = [*sorted(self.matching.transactions.real), 2**62]
        transaction_id = (
            None if transaction is None else transactions[transaction % len(transactions)]
        )
        self.call("get_transaction", transaction_id=transaction_id)

    @rule(
        wallet=st.none() | draw.IDS,
        project=st.none() | draw.IDS,
        escrow=draw.IDS,
        after=st.none() | st.integers(0, 9),
        limit=draw.LIMITS,
        status=draw.STATUSES,
    )
    def look_around(
        self,
        wallet: Id | None,
        project: Id | None,
        escrow: Id,
        after: int | None,
        limit: int | None,
        status: str | None,
    ) -> None:
        wallet_id = None if wallet is None else self.id_of("wallet", wallet)
        project_id = None if project is None else self.id_of("project", project)
        self.call("list_pockets", wallet_id=wallet_id)
        self.call("get_project", project_id=project_id)
        self.call("get_escrow", escrow_id=self.id_of("escrow", escrow))
        self.call(
            "list_escrows",
            wallet_id=wallet_id,
            project_id=project_id,
            status=status,
            after_escrow_id=self.after("escrow", after),
            limit=limit,
        )
        self.call(
            "list_projects",
            status=status,
            after_project_id=self.after("project", after),
            limit=limit,
        )
