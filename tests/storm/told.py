"""What a client was told by a call, in a form that can be held against the ledger."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tests.storm.shared import CREDIT, Arguments, Fact, Plan, Shared

# By account: its id if it keeps a balance, else `escrow` and the project, or kind and currency.
Moved = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Told:
    """One transaction of which the client knows every movement.

    Without `kind`, what it knows is what the catalogue says of accounts that keep a balance;
    without `moved`, nothing of that.
    """

    kind: str | None
    transaction_id: int
    replayed: bool
    key: str | None
    moved: Moved | None
    balances: Moved = field(default_factory=dict)
    escrow_id: int | None = None


@dataclass(frozen=True, slots=True)
class RefundedBatch:
    """One transaction of which the client knows the sum (none over several currencies)."""

    transaction_id: int
    project_id: int | None
    escrow_count: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a procedure said in its notices: how many batches, and of how much in all."""

    kind: str
    project_id: int
    batches: int
    amount: Decimal


Record = Told | RefundedBatch | Settled | Fact
Reader = Callable[[Shared, Arguments, Any], Iterable[Record]]

DISPUTES = re.compile(r"project \d+: \d+ escrows are disputed and stay as they are, .*")
# What PL/Proxy writes before a warning.
FROM_A_SHARD = re.compile(r"[\w.]+\(\d+\): \[\w+\] REMOTE WARNING: ")
NOTICE = re.compile(r"project (\d+): (done, )?\d+ escrows (release|refund)e?d, ([0-9.]+) in all")


def told_by(shared: Shared, plan: Plan, result: Any) -> list[Record]:
    if plan.name in READERS:
        return list(READERS[plan.name](shared, plan.arguments, result))
    return list(_as_the_catalogue_says(plan, result))


def told_in_notices(notices: list[str]) -> list[Record]:
    batches: Counter[tuple[str, int]] = Counter()
    amounts: dict[tuple[str, int], Decimal] = {}
    for notice in notices:
        notice = FROM_A_SHARD.sub("", notice)
        if DISPUTES.fullmatch(notice) or notice.startswith("PL/Proxy: "):
            continue
        match = NOTICE.fullmatch(notice)
        assert match, notice
        settled = (match[3], int(match[1]))
        batches[settled] += not match[2]
        amounts[settled] = Decimal(match[4])
    return [Settled(*settled, batches[settled], amounts[settled]) for settled in amounts]


def sums(movements: Iterable[tuple[str, str, Decimal]]) -> Moved:
    """What movements, from one account to another, make of each account."""
    moved: Moved = {}
    for source, destination, amount in movements:
        moved[source] = moved.get(source, Decimal(0)) - amount
        moved[destination] = moved.get(destination, Decimal(0)) + amount
    return {account: amount for account, amount in moved.items() if amount}


def _as_the_catalogue_says(plan: Plan, result: Any) -> Iterable[Record]:
    if not plan.moves:
        return
    keys = plan.arguments.get("idempotency_keys", [plan.arguments.get("idempotency_key")])
    row, *_ = result if isinstance(result, list) else [result]
    yield Told(None, row.transaction_id, row.replayed, keys[0], plan.moves)


def _paid_in(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    wallet_id = a["wallet_id"]
    moved = sums([(_external(shared, wallet_id), str(wallet_id), a["amount"])])
    balances = {str(wallet_id): r.balance}
    yield Told("deposit", r.transaction_id, r.replayed, a["idempotency_key"], moved, balances)


def _paid_out(kind: str, account: str) -> Reader:
    def read(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
        account_id = a[account]
        moved = sums([(str(account_id), _external(shared, account_id), a["amount"])])
        balances = {str(account_id): r.balance}
        yield Told(kind, r.transaction_id, r.replayed, a["idempotency_key"], moved, balances)

    return read


def _collected(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    ends = (f"{a['account']} {a['currency']}", f"external {a['currency']}")
    key, moved = a.get("idempotency_key"), sums([(*ends, a["amount"])])
    yield Told("collection", r.transaction_id, r.replayed, key, moved)


def _paid_in_many(shared: Shared, a: Arguments, rows: Any) -> Iterable[Record]:
    for row, amount, key in zip(rows, a["amounts"], a["idempotency_keys"], strict=True):
        wallet = str(row.wallet_id)
        moved = sums([(_external(shared, row.wallet_id), wallet, amount)])
        yield Told("deposit", row.transaction_id, row.replayed, key, moved, {wallet: row.balance})


def _allocated(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    yield _shares(a["wallet_id"], a["idempotency_key"], r.transaction_id, r.replayed, r.shares)


def _allocated_many(shared: Shared, a: Arguments, rows: Any) -> Iterable[Record]:
    for wallet_id, key in zip(a["wallet_ids"], a["idempotency_keys"], strict=True):
        of_it = [row for row in rows if row.wallet_id == wallet_id]
        shares = [row for row in of_it if row.pocket_id is not None]
        yield _shares(wallet_id, key, of_it[0].transaction_id, of_it[0].replayed, shares)


def _shares(
    wallet_id: int, key: str | None, transaction_id: int, replayed: bool, shares: Any
) -> Record:
    moved = sums((str(wallet_id), str(share.pocket_id), share.amount) for share in shares)
    balances = {str(share.pocket_id): share.balance for share in shares}
    return Told("allocation", transaction_id, replayed, key, moved, balances)


def _transferred(kind: str) -> Reader:
    def read(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
        pocket, wallet = str(a["pocket_id"]), str(shared.wallet_of[a["pocket_id"]])
        ends = (wallet, pocket) if kind == "transfer_to_pocket" else (pocket, wallet)
        moved = sums([(*ends, a["amount"])])
        balances = {pocket: r.balance, wallet: r.wallet_balance}
        yield Told(kind, r.transaction_id, r.replayed, a["idempotency_key"], moved, balances)

    return read


def _transferred_between(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    source, target = str(a["from_account_id"]), str(a["to_account_id"])
    moved = sums([(source, target, a["amount"])])
    balances = {source: r.from_balance, target: r.to_balance}
    yield Told("transfer", r.transaction_id, r.replayed, a["idempotency_key"], moved, balances)


def _reversed(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    moved = shared.moved_by(r.reversed_transaction_id)
    back = {account: -amount for account, amount in moved.items()}
    yield Told("reversal", r.transaction_id, r.replayed, a["idempotency_key"], back)


def _pledged(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    yield from _escrow(r, a["project_id"], a["amount"], a["idempotency_key"])


def _pledged_many(shared: Shared, a: Arguments, rows: Any) -> Iterable[Record]:
    for row, amount, key in zip(rows, a["amounts"], a["idempotency_keys"], strict=True):
        yield from _escrow(row, a["project_id"], amount, key)


def _escrow(r: Any, project_id: int, amount: Decimal, key: str | None) -> Iterable[Record]:
    wallet = str(r.wallet_id)
    moved = sums([(wallet, f"escrow {project_id}", amount)])
    balances = {wallet: r.balance}
    yield Told("pledge", r.transaction_id, r.replayed, key, moved, balances, r.escrow_id)
    yield Fact("escrow", r.escrow_id, (r.wallet_id, project_id))


def _changed(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    """By how much it was changed only the ledger knows."""
    key = a["idempotency_key"]
    yield Told("pledge_change", r.transaction_id, r.replayed, key, None, {}, r.escrow_id)


def _taken_back(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    wallet, currency = str(r.wallet_id), shared.currency[r.project_id]
    moved = sums(
        [
            (str(r.project_id), wallet, r.net_amount),
            (f"commission {currency}", wallet, r.commission_amount),
            (f"fee {currency}", wallet, r.fee_amount),
        ]
    )
    key, balances = a["idempotency_key"], {wallet: r.balance}
    yield Told("release_refund", r.transaction_id, r.replayed, key, moved, balances, r.escrow_id)


def _disputed(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    shared.disputed.append(r.escrow_id)
    return []


def _resolved(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    if r.transaction_id is not None:
        yield from _refunded(shared, {"idempotency_key": None}, r)


def _released(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    moved = _parts(shared, r.project_id, r)
    key = a["idempotency_key"]
    yield Told("release", r.transaction_id, r.replayed, key, moved, {}, r.escrow_id)


def _released_batch(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    if r.escrow_count:
        moved = _parts(shared, a["project_id"], r)
        yield Told("release", r.transaction_id, r.replayed, None, moved)


def _parts(shared: Shared, project_id: int, r: Any) -> Moved:
    escrow, currency = f"escrow {project_id}", shared.currency[project_id]
    return sums(
        [
            (escrow, str(project_id), r.net_amount),
            (escrow, f"commission {currency}", r.commission_amount),
            (escrow, f"fee {currency}", r.fee_amount),
        ]
    )


def _refunded(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    wallet, project_id = str(r.wallet_id), shared.project_of[r.escrow_id]
    moved = sums([(f"escrow {project_id}", wallet, r.refunded_amount)])
    key, balances = a["idempotency_key"], {wallet: r.balance}
    yield Told("refund", r.transaction_id, r.replayed, key, moved, balances, r.escrow_id)


def _refunded_batch(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    if r.escrow_count:
        project_id = a.get("project_id")
        yield RefundedBatch(r.transaction_id, project_id, r.escrow_count, r.refunded_amount)


def _wallet(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    yield Fact("wallet", (r.owner_id, r.currency), r.wallet_id)


def _pocket(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    """Of its name nobody is sure: it may be renamed, or closed and followed by another."""
    yield Fact("pocket", r.pocket_id, r.wallet_id)


def _pocket_closed(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    pocket, wallet = str(r.pocket_id), str(r.wallet_id)
    moved = sums([(pocket, wallet, r.amount)])
    balances = {pocket: Decimal(0), wallet: r.wallet_balance} if r.amount else {}
    key = a["idempotency_key"]
    yield Told("pocket_closing", r.transaction_id, r.replayed, key, moved, balances)


def _limited(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    assert r.balance >= -r.credit_limit, r
    return []


def _state(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    return []


def _project(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    yield Fact("project", r.reference, r.project_id)


def _closed(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    yield Fact("outcome", r.project_id, r.status)


def _previewed(shared: Shared, a: Arguments, r: Any) -> Iterable[Record]:
    assert 0 <= r.allocated <= a["amount"], r
    return []


def _balance(shared: Shared, a: Arguments, balance: Any) -> Iterable[Record]:
    assert balance >= -CREDIT, balance
    return []


def _statement(shared: Shared, a: Arguments, rows: Any) -> Iterable[Record]:
    for row, following in pairwise(rows):
        assert row.posting_id < following.posting_id, rows
        # Of what has parts on several shards no line tells a balance.
        if row.balance is not None:
            assert row.balance + following.amount == following.balance, rows
    return []


def _sound(shared: Shared, a: Arguments, violations: Any) -> Iterable[Record]:
    assert violations == [], violations
    return []


def _external(shared: Shared, account_id: int) -> str:
    return f"external {shared.currency[account_id]}"


READERS: dict[str, Reader] = {
    "create_wallet": _wallet,
    "erase_owner": _wallet,
    "create_pocket": _pocket,
    "rename_pocket": _pocket,
    "set_allocation": _pocket,
    "set_target": _pocket,
    "close_pocket": _pocket_closed,
    "close_wallet": _wallet,
    "create_project": _project,
    "freeze_account": _state,
    "unfreeze_account": _state,
    "set_credit_limit": _limited,
    "deposit": _paid_in,
    "withdraw": _paid_out("withdrawal", "wallet_id"),
    "deposit_many": _paid_in_many,
    "allocate_deposit": _allocated,
    "allocate_deposits": _allocated_many,
    "preview_allocation": _previewed,
    "transfer": _transferred_between,
    "transfer_to_pocket": _transferred("transfer_to_pocket"),
    "transfer_from_pocket": _transferred("transfer_from_pocket"),
    "pledge": _pledged,
    "pledge_many": _pledged_many,
    "release_escrow": _released,
    "refund_escrow": _refunded,
    "close_project": _closed,
    "release_escrows": _released_batch,
    "refund_escrows": _refunded_batch,
    "refund_expired_escrows": _refunded_batch,
    "release_project": _released_batch,
    "refund_project": _refunded_batch,
    "payout": _paid_out("payout", "project_id"),
    "collect_earnings": _collected,
    "balance": _balance,
    "balance_at": _balance,
    "statement": _statement,
    "check_ledger": _sound,
    "reverse_transaction": _reversed,
    "change_pledge": _changed,
    "cancel_pledge": _refunded,
    "refund_release": _taken_back,
    "dispute_escrow": _disputed,
    "resolve_dispute": _resolved,
}
