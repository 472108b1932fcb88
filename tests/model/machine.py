"""Runs each call on the reference and on the ledger, and compares all there is afterwards."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import psycopg
from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine, invariant

import pgwallet
from pgwallet.errors import PgWalletError
from tests.catalogue.calls import CALLS
from tests.model import drawing as draw
from tests.model import reference
from tests.model.drawing import Amount, Id, Part
from tests.model.matching import Matching
from tests.model.reference.money import EXPONENTS, money
from tests.model.reference.records import ProjectRecord

ORIGIN: dict[str, Any] = {"key": draw.KEYS, "metadata": draw.METADATA, "effective_at": draw.TIMES}

# In one query, since it is asked after every call. Of the accounts of other currencies it reads
# none, of escrows the value alone: what the table holds may have fewer decimals than results. What
# `balance` says of a balance that is kept, rules ask.
EVERYTHING = """
  select
    'account', clock_timestamp(),
    array[
      a.account_id::text, a.kind::text, a.currency,
      coalesce(a.balance, pgwallet.balance(a.account_id))::text
    ]
  from pgwallet.account as a
  where a.kind in ('wallet', 'pocket', 'project', 'escrow') or a.account_id = any (%s)
  union all
  select
    'escrow', clock_timestamp(),
    array[e.escrow_id::text, e.project_id::text, e.wallet_id::text, e.status::text]
    || array[
      trim_scale(e.amount)::text, trim_scale(e.released_amount)::text,
      trim_scale(e.refunded_amount)::text, trim_scale(e.commission_amount)::text,
      trim_scale(e.fee_amount)::text, trim_scale(e.net_amount)::text
    ]
  from pgwallet.escrow as e
"""


def normal(amount: Decimal) -> str:
    """The amount as trim_scale has it."""
    return f"{amount.normalize():f}"


class Warnings(logging.Handler):
    """What the ledger warned of during a call."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


class Machine(RuleBasedStateMachine):
    """One ledger in one transaction, which is rolled back at the end, and its reference."""

    # How often each function ended in which way: ok, replayed or a SQLSTATE.
    met: ClassVar[Counter[tuple[str, str]]] = Counter()
    EVERYTHING = EVERYTHING

    def __init__(self, conn: psycopg.Connection) -> None:
        super().__init__()
        self.conn = conn
        self.books = reference.Books()
        self.matching = Matching()
        self.warnings = Warnings()
        logging.getLogger("pgwallet").addHandler(self.warnings)
        # What may be called again: the arguments of calls that only have an effect once.
        self.calls: list[tuple[str, dict[str, Any]]] = []
        # When a number of postings had been made.
        self.moments: dict[int, datetime] = {}
        self.agreed = True
        # Whether anything was done since balances and escrows were compared.
        self.touched = True
        self.fresh_keys = 0
        self.start()
        pgwallet.create_currency(conn, "TOKEN", EXPONENTS["TOKEN"], "Token")
        self.books.note("create_currency", None, None, None)
        for currency, *ids in conn.execute(
            """
            select currency, external_account_id, commission_account_id, fee_account_id
            from pgwallet.currency where currency = any(%s)
            """,
            [list(EXPONENTS)],
        ):
            for kind, account_id in zip(("external", "commission", "fee"), ids, strict=True):
                self.know(self.books.platform(kind, currency).account_id, account_id)

    def start(self) -> None:
        self.conn.execute("savepoint before_call")

    def end(self) -> None:
        self.conn.rollback()

    def know(self, expected: int, actual: int) -> None:
        self.matching.compare(expected, actual, "account.account_id")

    def call(self, function: str, /, **arguments: Any) -> Any:
        """Calls both and compares; returns the reference's result, None for a refusal."""
        self.agreed = False
        self.touched |= CALLS[function].changes_something
        self.warnings.said.clear()
        self.books.left_out = 0
        expected = self._expected(function, arguments)
        real = self.matching.translated(arguments)
        for name in {"at", "from_", "until"} & set(arguments):
            real[name] = self.moments.get(arguments[name])
        note(f"pgwallet.{function}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})")
        actual = self._actual(function, real)
        note(f"  -> {actual!r}")
        if isinstance(actual, PgWalletError) or isinstance(expected, PgWalletError):
            assert type(actual) is type(expected), f"{expected!r} expected, not {actual!r}"
            self.met[function, expected.sqlstate] += 1
            return None
        self.matching.compare(expected, actual, function)
        self._compare_warnings()
        rows = expected if isinstance(expected, list) else [expected]
        replayed = any(getattr(row, "replayed", False) for row in rows)
        self.met[function, "replayed" if replayed else "ok"] += 1
        return expected

    def _expected(self, function: str, arguments: dict[str, Any]) -> Any:
        try:
            return getattr(reference, function)(self.books, **arguments)
        except PgWalletError as error:
            return error

    def _actual(self, function: str, arguments: dict[str, Any]) -> Any:
        # By hand, in one round trip where conn.transaction() would take two.
        self.conn.execute("release savepoint before_call; savepoint before_call")
        try:
            return getattr(pgwallet, function)(self.conn, **arguments)
        except PgWalletError as error:
            self.conn.execute("rollback to savepoint before_call")
            return error

    def _compare_warnings(self) -> None:
        if not self.books.left_out:
            assert not self.warnings.said
        else:
            (said,) = self.warnings.said
            assert said.startswith(f"{self.books.left_out} pockets"), said

    @invariant()
    def everything_agrees(self) -> None:
        """All balances and escrows are the reference's, after whatever may change them."""
        if self.touched:
            self._compare_everything()
        self.agreed, self.touched = True, False

    def _compare_everything(self) -> None:
        real = self.matching.accounts.real
        rows = self.conn.execute(
            self.EVERYTHING.encode(), [[real[each] for each in self.books.accounts]]
        )
        found: dict[str, set[tuple[str, ...]]] = {"account": set(), "escrow": set()}
        for what, at, values in rows:
            found.setdefault(what, set()).add(tuple(values))
            self.moments[len(self.books.movements)] = at
        expected = {"account": set(self._accounts()), "escrow": set(self._escrows())}
        for what in expected | found:
            missing = expected.get(what, set()) - found[what]
            surplus = found[what] - expected.get(what, set())
            assert not missing | surplus, f"{what}: {missing} expected, not {surplus}"

    def _accounts(self) -> Iterator[tuple[str, ...]]:
        for account in self.books.accounts.values():
            account_id = str(self.matching.accounts.real[account.account_id])
            balance = f"{money(account.balance, account.currency):f}"
            yield account_id, account.kind, account.currency, balance

    def _escrows(self) -> Iterator[tuple[str, ...]]:
        for escrow in self.books.escrows.values():
            ids = (escrow.escrow_id, escrow.project.account.account_id, escrow.wallet.account_id)
            amounts = (
                escrow.amount,
                escrow.released,
                escrow.refunded,
                escrow.commission,
                escrow.fee,
                escrow.net,
            )
            yield (
                *(str(self.matching.accounts.real[each]) for each in ids),
                escrow.status,
                *(normal(money(amount, escrow.wallet.currency)) for amount in amounts),
            )

    def teardown(self) -> None:
        logging.getLogger("pgwallet").removeHandler(self.warnings)
        try:
            if self.agreed:
                # Once, since nothing takes back what is wrong once.
                assert self.call("record_check") == []
                for account_id in self.books.accounts:
                    self.call("statement", account_id=account_id, limit=10**6)
                self.call("list_events", limit=10**6)
        finally:
            self.end()

    # Calls of one form.

    def in_or_out(
        self,
        function: str,
        kind: str,
        drawn: Id,
        amount: Amount,
        origin: dict[str, Any],
        **more: Any,
    ) -> None:
        its_id = self.id_of(kind, drawn)
        self.remembered(
            function,
            **{f"{kind}_id": its_id},
            amount=self.amount_of(amount, its_id),
            **more,
            **self.origin_of(**origin),
        )

    def remembered(self, function: str, /, **arguments: Any) -> Any:
        """Calls, and keeps the call to be made again if that has no effect of its own."""
        result = self.call(function, **arguments)
        keys = arguments.get("idempotency_keys") or [arguments.get("idempotency_key")]
        again = any(keys) or function in ("create_pocket", "create_project")
        if result is not None and again:
            self.calls.append((function, arguments))
        return result

    # What was drawn, made into arguments.

    def id_of(self, kind: str, drawn: Id) -> int | None:
        """The id of one of the things of a kind, or a wrong one."""
        if isinstance(drawn, int):
            ids = self._ids_of(kind)
            return ids[drawn % len(ids)] if ids else -1
        if drawn in ("wallet", "pocket", "project", "escrow", "fee"):
            ids = self._ids_of(drawn)
            return ids[0] if ids else -1
        return {"null": None, "zero": 0, "negative": -1024, "huge": 2**64}[drawn]

    def _ids_of(self, kind: str) -> list[int]:
        if kind == "escrow":
            return list(self.books.escrows)
        if kind.startswith("open "):
            ids = self._ids_of(kind.removeprefix("open "))
            return [each for each in ids if self._project_of(each).shown.status == "open"] or ids
        return [
            account.account_id
            for account in self.books.accounts.values()
            if kind in (account.kind, "account")
        ]

    def _project_of(self, account_id: int) -> ProjectRecord:
        """The project itself, or that of an escrow."""
        escrow = self.books.escrows.get(account_id)
        return escrow.project if escrow else self.books.projects[account_id]

    def amount_of(self, amount: Amount, there_is_in: int | None) -> Decimal | None:
        """An amount in the currency of a thing, in proportion to what is in it or owed."""
        if not isinstance(amount, Part):
            return amount
        if there_is_in in self.books.escrows:
            escrow = self.books.escrows[there_is_in]
            return money(amount.in_units(escrow.left), escrow.wallet.currency)
        if there_is_in in self.books.accounts:
            account = self.books.accounts[there_is_in]
            return money(amount.in_units(abs(account.balance)), account.currency)
        return money(amount.in_units(0), "EUR")

    def key_of(self, key: str | None) -> str | None:
        if key != "fresh":
            return key
        self.fresh_keys += 1
        return f"key {self.fresh_keys}"

    def percentage_of(
        self, percentage: Decimal | str | None, wallet_id: int | None, pocket_id: int | None
    ) -> Decimal | None:
        """A percentage; the rest is what the other pockets of the wallet leave."""
        if not isinstance(percentage, str):
            return percentage
        others = (
            pocket.percentage
            for pocket in self.books.pockets.values()
            if pocket.wallet.account_id == wallet_id and pocket.account.account_id != pocket_id
        )
        rest = 100 - sum(others, Decimal(0))
        return rest if percentage == "rest" else rest + Decimal("0.0001")

    def origin_of(self, key: str | None, metadata: Any, effective_at: datetime | None) -> Any:
        return {
            "idempotency_key": self.key_of(key),
            "metadata": metadata,
            "effective_at": effective_at,
        }

    def after(self, kind: str, place: int | None) -> int:
        return 0 if place is None or not self._ids_of(kind) else self.id_of(kind, place) or 0
