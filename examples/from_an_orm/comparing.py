"""Each old row against what the ledger has posted for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from .naming import Naming
from .old import Connection

WALLETS, POCKETS, ESCROWS = KINDS = ("wallets", "pockets", "locked escrows")


@dataclass(slots=True)
class Figures:
    """A row of the table at the end."""

    old_rows: int = 0
    old_amount: Decimal = Decimal(0)
    new_rows: int = 0
    new_amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Difference:
    """An old row whose money is not, or not all, where it should be; None where nothing is."""

    row: str
    meant_for: str
    old_amount: Decimal
    new_amount: Decimal | None


@dataclass(slots=True)
class Comparison:
    figures: dict[str, Figures] = field(default_factory=lambda: {kind: Figures() for kind in KINDS})
    differences: list[Difference] = field(default_factory=list)

    @property
    def total(self) -> Figures:
        rows = self.figures.values()
        return Figures(
            sum(row.old_rows for row in rows),
            sum((row.old_amount for row in rows), Decimal(0)),
            sum(row.new_rows for row in rows),
            sum((row.new_amount for row in rows), Decimal(0)),
        )

    @property
    def agrees(self) -> bool:
        return not self.differences and all(
            (row.old_rows, row.old_amount) == (row.new_rows, row.new_amount)
            for row in self.figures.values()
        )


# Straight from the old tables, without a join: a row that belongs to nobody counts too.
_TOTALS = """
select 'wallets', count(*), coalesce(sum(w.balance), 0)
from old_wallet as w
where %(ids)s::bigint[] is null or w.id = any (%(ids)s)
union all
select 'pockets', count(*), coalesce(sum(p.current_amount), 0)
from old_pocket as p
where %(ids)s::bigint[] is null or p.wallet_id = any (%(ids)s)
union all
select 'locked escrows', count(*), coalesce(sum(e.amount), 0)
from old_escrow as e
where e.status = 'LOCKED'
  and (
    %(ids)s::bigint[] is null
    or e.pledge_transaction_id in (
      select t.id from old_transaction as t where t.wallet_id = any (%(ids)s)
    )
  )
"""

# What the move put into each wallet, less what it passed on. Not the balance: the wallet may be in
# use already.
_NEW_WALLETS = """
with opening as (
  select u.id, p.destination_account_id as wallet_id, p.amount
  from unnest(%(ids)s::bigint[], %(keys)s::text[]) as u (id, idempotency_key)
  inner join pgwallet.transaction as t on t.idempotency_key = u.idempotency_key
  inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
),

passed_on as (
  select p.source_account_id as wallet_id, sum(p.amount) as amount
  from pgwallet.transaction as t
  inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
  where t.idempotency_key = any (%(part_keys)s)
  group by p.source_account_id
)

select u.id, coalesce(o.amount, 0) - coalesce(f.amount, 0)
from unnest(%(ids)s::bigint[], %(owners)s::text[]) as u (id, owner_id)
inner join pgwallet.wallet as w on w.owner_id = u.owner_id and w.currency = %(currency)s
left join opening as o on o.id = u.id and o.wallet_id = w.wallet_id
left join passed_on as f on f.wallet_id = w.wallet_id
"""

_NEW_POCKETS = """
select u.id, coalesce(p.amount, 0)
from unnest(%(ids)s::bigint[], %(owners)s::text[], %(names)s::text[], %(keys)s::text[])
  as u (id, owner_id, name, idempotency_key)
inner join pgwallet.wallet as w on w.owner_id = u.owner_id and w.currency = %(currency)s
inner join pgwallet.pocket as k on k.wallet_id = w.wallet_id and k.name = u.name
left join pgwallet.transaction as t on t.idempotency_key = u.idempotency_key
left join pgwallet.posting as p
  on p.transaction_id = t.transaction_id and p.source_account_id = w.wallet_id
  and p.destination_account_id = k.pocket_id
"""

_NEW_ESCROWS = """
select u.id, p.amount
from unnest(%(ids)s::bigint[], %(owners)s::text[], %(references)s::text[], %(keys)s::text[])
  as u (id, owner_id, reference, idempotency_key)
inner join pgwallet.wallet as w on w.owner_id = u.owner_id and w.currency = %(currency)s
inner join pgwallet.project as j on j.reference = u.reference
inner join pgwallet.transaction as t on t.idempotency_key = u.idempotency_key
inner join pgwallet.posting as p
  on p.transaction_id = t.transaction_id and p.source_account_id = w.wallet_id
  and p.destination_account_id = j.escrow_account_id
"""

_OLD_WALLETS = """
select w.id, w.user_id, w.balance from old_wallet as w where w.id = any (%s) order by w.id
"""
_OLD_POCKETS = """
select p.id, p.wallet_id, btrim(p.name), p.current_amount
from old_pocket as p where p.wallet_id = any (%s) order by p.id
"""
_OLD_ESCROWS = """
select e.id, e.wallet_id, e.project_id, e.amount
from old_pledge as e where e.wallet_id = any (%s) and e.status = 'LOCKED' order by e.id
"""


def totals(old: Connection, wallet_ids: list[int] | None) -> Comparison:
    """A comparison that knows the old sums, of all or of some wallets, and nothing new yet."""
    comparison = Comparison()
    for kind, rows, amount in old.execute(_TOTALS, {"ids": wallet_ids}):
        comparison.figures[kind] = Figures(rows, amount)
    return comparison


def compare(
    comparison: Comparison, old: Connection, new: Connection, ids: list[int], naming: Naming
) -> None:
    """Adds what the ledger has for these wallets, and each row for which that is something else."""
    wallets = old.execute(_OLD_WALLETS, [ids]).fetchall()
    pockets = old.execute(_OLD_POCKETS, [ids]).fetchall()
    escrows = old.execute(_OLD_ESCROWS, [ids]).fetchall()
    owners = {wallet_id: naming.owner(user_id) for wallet_id, user_id, _ in wallets}
    pocket_keys = [naming.pocket_key(pocket_id) for pocket_id, *_ in pockets]
    escrow_keys = [naming.escrow_key(escrow_id) for escrow_id, *_ in escrows]

    found = new.execute(
        _NEW_WALLETS,
        {
            "ids": list(owners),
            "owners": list(owners.values()),
            "keys": [naming.wallet_key(wallet_id) for wallet_id in owners],
            "part_keys": pocket_keys + escrow_keys,
            "currency": naming.currency,
        },
    )
    expected = [(wallet_id, owners[wallet_id], amount) for wallet_id, _, amount in wallets]
    _enter(comparison, WALLETS, "wallet", expected, dict(found.fetchall()))

    found = new.execute(
        _NEW_POCKETS,
        {
            "ids": [pocket_id for pocket_id, *_ in pockets],
            "owners": [owners[wallet_id] for _, wallet_id, *_ in pockets],
            "names": [name for _, _, name, _ in pockets],
            "keys": pocket_keys,
            "currency": naming.currency,
        },
    )
    expected = [
        (pocket_id, f"{owners[wallet_id]}: {name}", amount)
        for pocket_id, wallet_id, name, amount in pockets
    ]
    _enter(comparison, POCKETS, "pocket", expected, dict(found.fetchall()))

    found = new.execute(
        _NEW_ESCROWS,
        {
            "ids": [escrow_id for escrow_id, *_ in escrows],
            "owners": [owners[wallet_id] for _, wallet_id, *_ in escrows],
            "references": [naming.reference(project_id) for _, _, project_id, _ in escrows],
            "keys": escrow_keys,
            "currency": naming.currency,
        },
    )
    expected = [
        (escrow_id, f"{owners[wallet_id]} for {naming.reference(project_id)}", amount)
        for escrow_id, wallet_id, project_id, amount in escrows
    ]
    _enter(comparison, ESCROWS, "escrow", expected, dict(found.fetchall()))


def _enter(
    comparison: Comparison,
    kind: str,
    row: str,
    expected: list[tuple[int, str, Decimal]],
    found: Mapping[int, Decimal],
) -> None:
    figures = comparison.figures[kind]
    figures.new_rows += len(found)
    figures.new_amount += sum(found.values(), Decimal(0))
    for old_id, meant_for, old_amount in expected:
        new_amount = found.get(old_id)
        if new_amount != old_amount:
            comparison.differences.append(
                Difference(f"{row} {old_id}", meant_for, old_amount, new_amount)
            )
