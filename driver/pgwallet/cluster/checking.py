"""Looks for what is wrong in a cluster: on each shard, and between shards."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

import pgwallet
from pgwallet.results import Violation

from .file import ClusterFile
from .members import identity_of, member
from .reading import by_first_column
from .torn import torn_parts

logger = logging.getLogger("pgwallet")

# What calls are held against: recorded money stays, and a key has one effect.
_RECORDED_STAYS = 5
_SHARDS_AGREE = 8

_BETWEEN = "select d.invariant, d.subject, d.detail from pgwallet_router._find_differences() as d"

# By bytes, as Python compares texts too; along the indexes of the keys. What a plan did on several
# shards is one call, that of its key.
_KEYS = """
select t.idempotency_key, t.kind || ' ' || t.transaction_id as use
from pgwallet.transaction as t
where t.idempotency_key is not null
  and not exists (select from pgwallet_shard.part as p where p.transaction_id = t.transaction_id)
union all
select p.idempotency_key, 'plan ' || p.plan_id
from pgwallet_shard.plan as p
where p.state <> 'undone'
order by 1
"""

# By bytes as well.
_OWNERS = """
select w.owner_id, w.wallet_id
from pgwallet.wallet as w
order by 1
"""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What used a key on a shard: `call` is such as "deposit 70368744177664", or a plan, of which
    other shards have parts."""

    shard: int
    call: str

    def __str__(self) -> str:
        return f"shard {self.shard}: {self.call}"


@dataclass(frozen=True, slots=True)
class SharedKey:
    """An idempotency key that calls on several shards have used, each with an effect of its own."""

    idempotency_key: str
    uses: tuple[KeyUse, ...]


def check(cluster: ClusterFile) -> list[Violation]:
    """Looks for broken invariants on each shard, for seals that do not fit, and between shards.

    Each shard writes down that it was checked, unless its connection may not write. Raises
    DeploymentError for one that is not reached, and psycopg's errors.
    """
    found: list[Violation] = []
    has_adopted = False
    for shard in cluster.shards:
        name = f"shard {shard.number}"
        with member(name, shard.conninfo) as conn:
            identity = identity_of(conn)
            has_adopted |= identity is not None and identity.is_adopted
            found += (
                replace(each, detail=f"On {name}: {each.detail}") for each in _check_ledger(conn)
            )
        logger.info("%s is checked", name)
    with member("router 0", cluster.routers[0]) as conn:
        # Whom routers have a user name on shards for.
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(cluster.owner)))
        found += (Violation(*row) for row in conn.execute(_BETWEEN))
    found += (
        Violation(_SHARDS_AGREE, f"plan {part.plan_id}", str(part)) for part in torn_parts(cluster)
    )
    if has_adopted:
        found += _owners_of_two(cluster)
    logger.info("what shards have to agree on is checked")
    return found


def _check_ledger(conn: psycopg.Connection) -> Iterator[Violation]:
    read_only = conn.execute("show transaction_read_only").fetchone() == ("on",)
    yield from (pgwallet.check_ledger if read_only else pgwallet.record_check)(conn)
    wrong = pgwallet.check_seals(conn)
    if wrong is not None:
        yield Violation(_RECORDED_STAYS, f"seal {wrong.seal_id}", wrong.detail)


def _owners_of_two(cluster: ClusterFile) -> Iterator[Violation]:
    """Whoever has a wallet on an adopted shard is looked up there alone, whatever their slot."""
    for _, rows in by_first_column(cluster, _OWNERS):
        for shard, _, wallet_id in rows:
            if rows[0][0] == 0 < shard:
                yield Violation(
                    _SHARDS_AGREE,
                    f"wallet {wallet_id}",
                    f"It is on shard {shard}, its owner is looked up on shard 0.",
                )


def shared_keys(cluster: ClusterFile) -> Iterator[SharedKey]:
    """The keys that were used on two shards or more, in their order.

    A key is unique in a shard alone: with wallets of two shards it names two calls. What one call
    did on several shards under its key, such as the parts of a payout, is not among them. It reads
    the keys of all shards side by side, some at a time.
    """
    for key, rows in by_first_column(cluster, _KEYS):
        if len(rows) > 1:
            yield SharedKey(key, tuple(KeyUse(shard, call) for shard, _, call in rows))
