"""Holds what the clients of a storm were told against what the ledger has."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg

import pgwallet
from tests.storm.recorded import Recorded, in_whole_calls, recorded
from tests.storm.shared import Fact, Plan
from tests.storm.told import RefundedBatch, Settled, Told, sums
from tests.storm.workers import Storm

# Each balance is the one before it and what moved: the order of ids is the order of balances.
OUT_OF_ORDER = """
select m.account_id, m.posting_id, m.balance, m.amount
from (
  select
    p.account_id, p.posting_id, p.balance, p.amount,
    coalesce(lag(p.balance) over (partition by p.account_id order by p.posting_id), 0) as before
  from (
    select o.source_account_id, o.posting_id, o.source_balance, -o.amount
    from pgwallet.posting as o
    union all
    select i.destination_account_id, i.posting_id, i.destination_balance, i.amount
    from pgwallet.posting as i
  ) as p (account_id, posting_id, balance, amount)
  inner join pgwallet.account as a on a.account_id = p.account_id
  where a.balance is not null
) as m
where m.balance <> m.before + m.amount or m.balance < -20  -- the storm's CREDIT
"""

# Postings and closings take their times under the same lock.
TOO_LATE = """
select t.transaction_id, t.kind, p.project_id, p.status, o.created_at - p.closed_at
from pgwallet.project as p
inner join pgwallet.posting as o
  on p.escrow_account_id in (o.source_account_id, o.destination_account_id)
inner join pgwallet.transaction as t on t.transaction_id = o.transaction_id
where o.created_at > p.closed_at
  and (t.kind in ('pledge', 'pledge_change') or (t.kind = 'release' and p.status = 'failed'))
"""

# A release records its transaction before it looks at the time; a batch names no escrow.
AFTER_EXPIRY = """
select e.escrow_id, e.released_amount, e.expires_at
from pgwallet.escrow as e
inner join pgwallet.project as p on p.project_id = e.project_id
where e.expires_at <= coalesce(p.closed_at, clock_timestamp())
  and e.released_amount > coalesce((
    select sum(o.amount)
    from pgwallet.transaction as t
    inner join pgwallet.posting as o on o.transaction_id = t.transaction_id
    where t.kind = 'release' and t.escrow_id = e.escrow_id and t.created_at <= e.expires_at
  ), 0)
"""

# What settles several escrows, or one without a key.
BATCHES = {
    *("release_escrows", "refund_escrows", "refund_expired_escrows", "resolve_dispute"),
    *("release_project", "refund_project", "call release_project", "call refund_project"),
}
# Without an answer of these, nobody may have been told of what they made.
MAKERS = {
    "wallet": {"create_wallet", "erase_owner"},
    "pocket": {"create_pocket"},
    "project": {"create_project"},
    "escrow": {"pledge", "pledge_many"},
    "outcome": {"close_project"},
}
FACTS = {
    "wallet": "select w.owner_id, w.currency, w.wallet_id from pgwallet.wallet as w",
    "pocket": "select k.pocket_id, k.wallet_id from pgwallet.pocket as k",
    "project": "select p.reference, p.project_id from pgwallet.project as p",
    "outcome": "select p.project_id, p.status::text from pgwallet.project as p",
    "escrow": "select e.escrow_id, e.wallet_id, e.project_id from pgwallet.escrow as e",
}

ESCROWS = """
select e.escrow_id, e.project_id, e.wallet_id, e.amount,
  e.released_amount, e.refunded_amount, e.net_amount
from pgwallet.escrow as e
"""

BALANCES = """
select a.account_id::text, a.kind::text, a.balance
from pgwallet.account as a where a.balance is not null
"""


Escrow = tuple[Any, ...]


def settle_all(storm: Storm) -> None:
    """Releases or refunds every project to the end, and what has expired."""
    worker = storm.worker(-1)
    with storm.connect() as conn:
        while disputed := pgwallet.list_escrows(conn, status="disputed"):
            for escrow in disputed:
                arguments = {"escrow_id": escrow.escrow_id, "outcome": "rejected"}
                worker.alone(conn, Plan("resolve_dispute", arguments))
        for project_id in storm.shared.projects:
            arguments = {"project_id": project_id, "batch_size": 100}
            try:
                worker.alone(conn, Plan("release_project", arguments))
            except pgwallet.ProjectClosed:
                worker.alone(conn, Plan("refund_project", arguments))
        while worker.alone(conn, Plan("refund_expired_escrows", {"limit": 1000})):
            pass


def differences(
    storm: Storm, conn: psycopg.Connection, shards: Sequence[psycopg.Connection] = ()
) -> list[str]:
    """What does not agree; nothing, after a storm in which nothing was lost.

    `shards` are the databases that the ledger is in, if it is in several.
    """
    places = shards or [conn]
    ledger = {number: each for place in places for number, each in recorded(place).items()}
    if shards:
        ledger = in_whole_calls(ledger, shards, _known(storm))
    told = [in_full(record, ledger) for record in storm.records if isinstance(record, Told)]
    unheard = _unheard(storm, ledger)
    found = [str(violation) for violation in pgwallet.check_ledger(conn)]
    found += _seals(conn)
    found += _transactions(storm, told, ledger)
    found += _refunded_batches(storm, ledger)
    found += _nothing_else(storm, {number: ledger[number] for number in ledger.keys() - unheard})
    for place in places:
        found += _order_of_balances(place)
        found += _too_late(place)
    found += _facts(storm, places)
    told += [_as_if_told(number, ledger[number]) for number in unheard]
    escrows = [escrow for place in places for escrow in place.execute(ESCROWS)]
    found += _escrows(storm, told, ledger, escrows)
    found += _balances(told, escrows, places)
    return found


def _seals(conn: psycopg.Connection) -> Iterator[str]:
    """Each covers what it says, though all the others went on while it was made."""
    if not pgwallet.list_seals(conn):
        yield "nothing was sealed"
    if wrong := pgwallet.check_seals(conn):
        yield str(wrong)


def in_full(record: Told, ledger: dict[int, Recorded]) -> Told:
    """With every movement, if those of which the catalogue speaks were as it says."""
    there = ledger.get(record.transaction_id)
    if there is None or (record.kind is not None and record.moved is not None):
        return record
    moved = sums(there.movements)
    if record.moved is None:
        return replace(record, moved=moved)
    if {one: amount for one, amount in moved.items() if one.isdigit()} != record.moved:
        return record
    return replace(record, kind=there.kind, moved=moved, escrow_id=there.escrow_id)


def keys_of(plan: Plan) -> set[str]:
    arguments = plan.arguments
    return {*arguments.get("idempotency_keys", []), arguments.get("idempotency_key")} - {None}


def _has_unsure_batches(storm: Storm) -> bool:
    """Then which batches were told in notices alone, and which not at all, is not known."""
    return any(plan.name in BATCHES for plan in storm.unsure)


def _unheard(storm: Storm, ledger: dict[int, Recorded]) -> set[int]:
    """What was done of the calls that gave no answer, and was told by replays at most."""
    known = {
        record.transaction_id
        for record in storm.records
        if isinstance(record, RefundedBatch) or (isinstance(record, Told) and not record.replayed)
    }
    keys = {key for plan in storm.unsure for key in keys_of(plan)}
    has_batches = _has_unsure_batches(storm)
    return {
        number
        for number, there in ledger.items()
        if number not in known
        and (
            there.key in keys if there.key else has_batches and there.kind in ("release", "refund")
        )
    }


def _as_if_told(number: int, there: Recorded) -> Told:
    return Told(there.kind, number, False, there.key, sums(there.movements), {}, there.escrow_id)


def _known(storm: Storm) -> set[int]:
    return {
        record.transaction_id
        for record in storm.records
        if isinstance(record, Told | RefundedBatch)
    }


def _transactions(storm: Storm, told: list[Told], ledger: dict[int, Recorded]) -> Iterator[str]:
    """Every one exists as it was told; one client made it, and all others replayed that one."""
    unsure = {key for plan in storm.unsure for key in keys_of(plan)}
    made = Counter(record.transaction_id for record in told if not record.replayed)
    yield from (f"made {count} times: {number}" for number, count in made.items() if count > 1)
    for record in told:
        there = ledger.get(record.transaction_id)
        if there is None:
            yield f"lost: {record}"
        elif not (
            (there.kind, there.key) == (record.kind, record.key)
            and record.escrow_id == there.escrow_id
            and sums(there.movements) == record.moved
            and {
                account: balance
                for account, balance in record.balances.items()
                if not storm.has_parts(account)
            }.items()
            <= there.balances.items()
        ):
            yield f"otherwise than told: {record} is {there}"
        if record.replayed and not (
            record.key and (record.transaction_id in made or record.key in unsure)
        ):
            yield f"a replay of what no client was told: {record}"


def _refunded_batches(storm: Storm, ledger: dict[int, Recorded]) -> Iterator[str]:
    for record in storm.records:
        if isinstance(record, RefundedBatch):
            there = ledger.get(record.transaction_id)
            if there is None:
                yield f"lost: {record}"
                continue
            amounts = [amount for _, _, amount in there.movements]
            if (
                (there.kind, there.key, there.escrow_id) != ("refund", None, None)
                or len(amounts) != record.escrow_count
                or record.amount not in (None, sum(amounts))
            ):
                yield f"otherwise than told: {record} is {there}"


def _nothing_else(storm: Storm, ledger: dict[int, Recorded]) -> Iterator[str]:
    """What no client was told by its id is in a notice."""
    known = _known(storm)
    yield from (f"rolled back, but there: {number}" for number in storm.undone if number in ledger)

    batches: Counter[tuple[str, str]] = Counter()
    amounts: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for record in storm.records:
        if isinstance(record, Settled) and not _has_unsure_batches(storm):
            batch = (record.kind, f"escrow {record.project_id}")
            batches[batch] += record.batches
            amounts[batch] += record.amount
    for transaction_id, there in ledger.items():
        if transaction_id in known:
            continue
        escrows = {source for source, _, _ in there.movements}
        if there.kind in ("release", "refund") and there.escrow_id is None and len(escrows) == 1:
            batch = (there.kind, escrows.pop())
            batches[batch] -= 1
            amounts[batch] -= sum(amount for _, _, amount in there.movements)
        else:
            yield f"no client was told of {transaction_id}: {there}"
    for batch, count in batches.items():
        if count or amounts[batch]:
            yield f"{batch}: {count} batches of {amounts[batch]} in notices alone"


def _too_late(conn: psycopg.Connection) -> Iterator[str]:
    for number, kind, project_id, status, late in conn.execute(TOO_LATE):
        yield f"{kind} {number} {late} after project {project_id} had {status}"
    for escrow_id, released, expires_at in conn.execute(AFTER_EXPIRY):
        yield f"escrow {escrow_id}: of {released} released, some after its expiry at {expires_at}"


def _facts(storm: Storm, places: Sequence[psycopg.Connection]) -> Iterator[str]:
    """All clients were told the same, and of all there is."""
    unsure = {plan.name for plan in storm.unsure}
    told: dict[str, dict[Any, set[Any]]] = defaultdict(lambda: defaultdict(set))
    for record in storm.records:
        if isinstance(record, Fact):
            told[record.what][record.of].add(record.value)
    made_up = {of: wallet for of, wallet in told["wallet"].items() if of[0].startswith("erased-")}
    for of, wallet in [*told["wallet"].items()]:
        # Whose wallet it was before it was erased.
        if of not in made_up and wallet in made_up.values():
            del told["wallet"][of]
    for what, query in FACTS.items():
        there: dict[Any, set[Any]] = defaultdict(set)
        for row in (row for place in places for row in place.execute(query.encode())):
            of, value = (row[0], row[1:]) if what == "escrow" else (row[:-1], row[-1])
            there[of[0] if isinstance(of, tuple) and len(of) == 1 else of].add(value)
        for of in told[what].keys() | (there.keys() if what != "outcome" else set()):
            if of not in told[what] and MAKERS[what] & unsure:
                continue
            if told[what].get(of) != there.get(of):
                yield f"{what} {of}: told {told[what].get(of)}, there {there.get(of)}"


def _escrows(
    storm: Storm, told: list[Told], ledger: dict[int, Recorded], escrows: list[Escrow]
) -> Iterator[str]:
    """Each one is settled once, by what the clients were told."""
    singly: defaultdict[tuple[str, int | None], Decimal] = defaultdict(Decimal)
    by_project: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    project_of = {escrow_id: project_id for escrow_id, project_id, *_ in escrows}
    for record in told:
        if record.kind in ("release", "refund") and not record.replayed:
            for account, amount in (record.moved or {}).items():
                if account.startswith("escrow "):
                    by_project[record.kind, int(account.split()[1])] -= amount
                    singly[record.kind, record.escrow_id] -= amount
        elif record.kind == "release_refund" and record.escrow_id and not record.replayed:
            back = [each for each in (record.moved or {}).values() if each > 0]
            amount = sum(back, Decimal(0))
            for kind, more in (("release", -amount), ("refund", amount)):
                by_project[kind, project_of[record.escrow_id]] += more
                singly[kind, record.escrow_id] += more
    for other in storm.records:
        if isinstance(other, Settled) and not _has_unsure_batches(storm):
            by_project[other.kind, other.project_id] += other.amount
        elif isinstance(other, RefundedBatch) and other.transaction_id in ledger:
            for source, _, amount in ledger[other.transaction_id].movements:
                by_project["refund", int(source.split()[1])] += amount
                if other.project_id not in (None, int(source.split()[1])):
                    yield f"from another project: {other}"
    for escrow_id, project_id, _, amount, released, refunded, _ in escrows:
        by_project["release", project_id] -= released
        by_project["refund", project_id] -= refunded
        if released + refunded != amount:
            yield f"escrow {escrow_id}: {released} and {refunded} of {amount}"
        if singly["release", escrow_id] > released or singly["refund", escrow_id] > refunded:
            yield f"escrow {escrow_id}: told more than {released} released, {refunded} refunded"
    yield from (f"{what}: told {more} more" for what, more in by_project.items() if more)


def _balances(
    told: list[Told], escrows: list[Escrow], places: Sequence[psycopg.Connection]
) -> Iterator[str]:
    """Each is the sum of what clients were told, and for batches of what the escrows say."""
    expected: defaultdict[str, Decimal] = defaultdict(Decimal)
    for record in told:
        settled = ("release", "refund", "release_refund")
        if record.kind not in settled and not record.replayed:
            for account, amount in (record.moved or {}).items():
                expected[account] += amount
    for _, project_id, wallet_id, _, _, refunded, net in escrows:
        expected[str(wallet_id)] += refunded
        expected[str(project_id)] += net
    held: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for account, kind, balance in (row for place in places for row in place.execute(BALANCES)):
        held[kind, account] += balance
    for (kind, account), balance in held.items():
        if balance != expected[account]:
            yield f"{kind} {account} holds {balance}, told {expected[account]}"


def _order_of_balances(conn: psycopg.Connection) -> Iterator[str]:
    for account, posting, balance, amount in conn.execute(OUT_OF_ORDER):
        yield f"posting {posting} of {account}: {amount} makes {balance}"
