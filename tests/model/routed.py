"""The same rules through a router: each call is committed, and all that has a name is on one shard.

There a router says what one database says. What several shards do together has tests of its own,
and the storm.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import psycopg

import pgwallet
from pgwallet.errors import PgWalletError
from pgwallet.results import StatementRow
from tests import clusters
from tests.model.reference.books import ANYTHING
from tests.model.rules import Rules

NAMED = ("owner_id", "reference")
# What the rules call owners and projects.
NAMES = (
    *("ada", "bob", "eve"),
    *("open", "succeeded", "failed", "bridge", "tower", "well", "road"),
)
# Each shard has its own, and so has what is done on all of them.
APART = ("list_events", "list_seals", "check_seals")
HOME = "select pgwallet_router._home_of(%s)"
# Of the accounts in escrow each shard has its own, and money in that of the shard of all names.
ESCROW_ACCOUNT = "select escrow_account_id from pgwallet.project where project_id = %s"
EVERYTHING = """
  select
    'account', clock_timestamp(),
    array[
      a.account_id::text, a.kind::text, a.currency,
      coalesce(a.balance, pgwallet.balance(a.account_id))::text
    ]
  from pgwallet.account as a
  where a.kind in ('wallet', 'pocket', 'project') or a.account_id = any (%s)
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


def names_of_one_shard(conn: psycopg.Connection) -> dict[str, str]:
    """For each name that the rules use one that is at home on the shard of the first."""
    home = None
    found: dict[str, str] = {}
    for name in NAMES:
        for number in range(1000):
            (shard,) = conn.execute(HOME, [f"{name} {number}"]).fetchone() or (None,)
            home = shard if home is None else home
            if shard == home:
                found[name] = f"{name} {number}"
                break
    return found


class Routed(Rules):
    """`undo` makes the shards as they were before; `shard` is a connection to that of the names."""

    EVERYTHING = EVERYTHING
    names: dict[str, str]
    shard: psycopg.Connection
    undo: Callable[[], None]

    def call(self, function: str, /, **arguments: Any) -> Any:
        """A key of a plan is at home on another shard than that of a wallet, and is another."""
        key = arguments.get("idempotency_key")
        if function in clusters.PLANNED and key in ("a", "b", "c"):
            arguments["idempotency_key"] = f"plan {key}"
        return super().call(function, **arguments)

    def start(self) -> None:
        self.undo()

    def end(self) -> None:
        pass

    def _actual(self, function: str, arguments: dict[str, Any]) -> Any:
        for each in NAMED:
            if each in arguments:
                arguments[each] = self.names.get(arguments[each], arguments[each])
        try:
            return self._renamed(getattr(pgwallet, function)(self.conn, **arguments))
        except PgWalletError as error:
            return error

    def _expected(self, function: str, arguments: dict[str, Any]) -> Any:
        expected = super()._expected(function, arguments)
        account = self.books.accounts.get(arguments.get("account_id") or 0)
        if function == "statement" and account and account.kind not in ("wallet", "pocket"):
            # The balance of what is everywhere is on no line: each shard has a part of it.
            expected = (
                [
                    replace(row, balance=None) if isinstance(row, StatementRow) else row
                    for row in expected
                ]
                if isinstance(expected, list)
                else expected
            )
        is_apart = function in APART and not isinstance(expected, PgWalletError)
        return ANYTHING if is_apart else expected

    def _renamed(self, result: Any) -> Any:
        if isinstance(result, list):
            return [self._renamed(each) for each in result]
        if not is_dataclass(result) or isinstance(result, type):
            return result
        back = {real: name for name, real in self.names.items()}
        own = {each.name for each in fields(result)}
        changed = {
            each: back.get(getattr(result, each), getattr(result, each))
            for each in NAMED
            if each in own
        }
        return replace(result, **changed)

    def escrow_account_of(self, project_id: int) -> int:
        row = self.shard.execute(ESCROW_ACCOUNT, [project_id]).fetchone()
        assert row is not None
        return int(row[0])
