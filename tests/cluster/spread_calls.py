"""A call of each function that writes on several shards: broken off anywhere, the same call again
has to leave what it leaves when nothing happens."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import LiteralString

import psycopg
from psycopg import sql

import pgwallet
from tests.cluster.conftest import wallets_on_all_shards
from tests.databases import OWNER

Call = Callable[[psycopg.Connection], object]

# What is called, and what shows in the end what it has done: the same in each round.
Made = tuple[Call, Call]
Make = Callable[[psycopg.Connection, str], Made]

RATE = Decimal("0.1")
_codes = count(1)


def creating_a_currency(conn: psycopg.Connection, suffix: str) -> Made:
    code = f"CUT{next(_codes)}"

    def accounts(conn: psycopg.Connection) -> object:
        made = pgwallet.create_currency(conn, code, 3, "Cut off")
        wallets = wallets_on_all_shards(conn, f"in {code}", code)
        pgwallet.deposit_many(conn, wallets, [1] * len(wallets), [f"{code} {w}" for w in wallets])
        return made.exponent, pgwallet.balance(conn, made.external_account_id)

    return lambda conn: pgwallet.create_currency(conn, code, 3, "Cut off"), accounts


def creating(conn: psycopg.Connection, suffix: str) -> Made:
    def project(conn: psycopg.Connection) -> object:
        made = pgwallet.create_project(conn, suffix, commission_rate=RATE)
        return made.commission_rate, made.status

    return lambda conn: pgwallet.create_project(conn, suffix, commission_rate=RATE), project


def closing(conn: psycopg.Connection, suffix: str) -> Made:
    project = pgwallet.create_project(conn, suffix).project_id

    def outcome(conn: psycopg.Connection) -> object:
        try:
            pgwallet.close_project(conn, project, "failed")
        except pgwallet.ProjectClosed:
            return pgwallet.close_project(conn, project, "succeeded").status
        return "twice"

    return lambda conn: pgwallet.close_project(conn, project, "succeeded"), outcome


def depositing(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, suffix)
    keys = _keys(wallets, suffix)
    return (
        lambda conn: pgwallet.deposit_many(conn, wallets, [10] * len(wallets), keys),
        lambda conn: _balances(conn, *wallets),
    )


def allocating(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, suffix)
    pockets = [
        pgwallet.create_pocket(conn, wallet, "half", allocation_percentage=50).pocket_id
        for wallet in wallets
    ]
    keys = _keys(wallets, suffix)
    return (
        lambda conn: pgwallet.allocate_deposits(conn, wallets, [10] * len(wallets), keys),
        lambda conn: _balances(conn, *wallets, *pockets),
    )


def pledging(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, suffix)
    project = pgwallet.create_project(conn, suffix).project_id
    keys = _keys(wallets, suffix)
    return (
        lambda conn: pgwallet.pledge_many(conn, project, wallets, [10] * len(wallets), keys),
        lambda conn: (
            _balances(conn, *wallets),
            pgwallet.get_project(conn, project).locked_amount,
        ),
    )


def releasing(conn: psycopg.Connection, suffix: str) -> Made:
    wallets, project = _backed(conn, suffix)
    pgwallet.close_project(conn, project, "succeeded")
    return (
        lambda conn: [*pgwallet.release_project(conn, project)],
        lambda conn: _balances(conn, project, *wallets),
    )


def refunding(conn: psycopg.Connection, suffix: str) -> Made:
    wallets, project = _backed(conn, suffix)
    pgwallet.close_project(conn, project, "failed")
    return (
        lambda conn: [*pgwallet.refund_project(conn, project)],
        lambda conn: _balances(conn, project, *wallets),
    )


def releasing_by_procedure(conn: psycopg.Connection, suffix: str) -> Made:
    return _settling_by(conn, suffix, "release_project")


def refunding_by_procedure(conn: psycopg.Connection, suffix: str) -> Made:
    return _settling_by(conn, suffix, "refund_project")


def _settling_by(conn: psycopg.Connection, suffix: str, procedure: str) -> Made:
    wallets, project = _backed(conn, suffix)
    return (
        lambda conn: conn.execute(f"call pgwallet.{procedure}(%s)".encode(), [project]),
        lambda conn: _balances(conn, project, *wallets),
    )


def refunding_what_expired(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, suffix)
    project = pgwallet.create_project(conn, suffix).project_id
    for margin in (0.2, 1, 5, 25):
        # On a busy machine it may be over before the last shard has its pledge.
        soon = datetime.now(UTC) + timedelta(seconds=margin)
        keys, expiries = _keys(wallets, suffix), [soon] * len(wallets)
        with suppress(pgwallet.InvalidArgument):
            pgwallet.pledge_many(conn, project, wallets, [10] * len(wallets), keys, expiries)
            break
    time.sleep(max(0, (soon - datetime.now(UTC)).total_seconds()))

    def refund_all(conn: psycopg.Connection) -> None:
        while pgwallet.refund_expired_escrows(conn).escrow_count:
            pass

    return refund_all, lambda conn: _balances(conn, project, *wallets)


def paying_out(conn: psycopg.Connection, suffix: str) -> Made:
    _, project = _released(conn, suffix)
    return (
        lambda conn: pgwallet.payout(conn, project, 155, suffix),
        lambda conn: _balances(conn, project),
    )


def returning_a_payout(conn: psycopg.Connection, suffix: str) -> Made:
    _, project = _released(conn, suffix)
    paid = pgwallet.payout(conn, project, 155, suffix).transaction_id
    return (
        lambda conn: pgwallet.reverse_transaction(conn, paid, f"{suffix} back"),
        lambda conn: _balances(conn, project),
    )


def transferring(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, suffix)
    return (
        lambda conn: pgwallet.transfer(conn, wallets[0], wallets[3], 30, suffix),
        lambda conn: _balances(conn, *wallets),
    )


def returning_a_transfer(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, suffix)
    sent = pgwallet.transfer(conn, wallets[0], wallets[3], 30, suffix).transaction_id
    return (
        lambda conn: pgwallet.reverse_transaction(conn, sent, f"{suffix} back"),
        lambda conn: _balances(conn, *wallets),
    )


def completing(conn: psycopg.Connection, suffix: str) -> Made:
    """A transfer whose plan was written down, and nothing of it done."""
    wallets = _spread(conn, suffix)
    _, _, _, to = wallets
    _by_owner(
        conn,
        """
        select pgwallet_router._plan(
          k.key, format('transfer(%%s, %%s, 30)', k.from_id, k.to_id),
          jsonb_build_array(
            jsonb_build_object(
              'shard', 0, 'do', 'send', 'wallet_id', k.from_id, 'amount', 30, 'key', k.key
            ),
            jsonb_build_object(
              'shard', 3, 'do', 'receive', 'wallet_id', k.to_id, 'amount', 30, 'key', k.key
            )
          )
        )
        from (select %(key)s::text, %(from)s::bigint, %(to)s::bigint) as k (key, from_id, to_id)
        """,
        {"key": suffix, "from": wallets[0], "to": to},
    )

    def complete(conn: psycopg.Connection) -> None:
        """A failure on one shard is a row, so that the other plans are completed."""
        rows = conn.execute("select failure from pgwallet.complete_plans('0')").fetchall()
        if failures := [failure for (failure,) in rows if failure]:
            raise psycopg.errors.TransactionResolutionUnknown(failures[0])

    return complete, lambda conn: _balances(conn, *wallets)


def collecting(conn: psycopg.Connection, suffix: str) -> Made:
    code = f"CUT{next(_codes)}"
    currency = pgwallet.create_currency(conn, code, 2, "Collected")
    _released(conn, suffix, code)
    return (
        lambda conn: pgwallet.collect_earnings(conn, code, "commission", 18, suffix),
        lambda conn: _balances(conn, currency.commission_account_id),
    )


def freezing(conn: psycopg.Connection, suffix: str) -> Made:
    wallets, project = _backed(conn, suffix)

    def refused(conn: psycopg.Connection) -> object:
        states = []
        for wallet in wallets:
            try:
                pgwallet.pledge(conn, wallet, project, 1)
            except pgwallet.AccountFrozen as error:
                states.append(error.sqlstate)
        return states

    return lambda conn: pgwallet.freeze_account(conn, project, "court order 17"), refused


def unfreezing(conn: psycopg.Connection, suffix: str) -> Made:
    wallets, project = _backed(conn, suffix)
    pgwallet.freeze_account(conn, project, "court order 17")

    def pledged(conn: psycopg.Connection) -> object:
        keys = _keys(wallets, f"{suffix} after")
        rows = pgwallet.pledge_many(conn, project, wallets, [1] * len(wallets), keys)
        return [row.balance for row in rows]

    return lambda conn: pgwallet.unfreeze_account(conn, project, "court order 18"), pledged


def crediting(conn: psycopg.Connection, suffix: str) -> Made:
    """A project owes what was paid out on credit."""
    project = pgwallet.create_project(conn, suffix).project_id
    return (
        lambda conn: pgwallet.set_credit_limit(conn, project, 50),
        lambda conn: pgwallet.payout(conn, project, 50, f"{suffix} on credit").balance,
    )


def changing_settings(conn: psycopg.Connection, suffix: str) -> Made:
    return _changing("settings")


def changing_a_currency(conn: psycopg.Connection, suffix: str) -> Made:
    return _changing("currency", "where currency = 'SEK'")


def _changing(view: str, which: str = "") -> Made:
    def limit(amount: int) -> bytes:
        return f"update pgwallet.{view} set max_pledge = {amount} {which}".encode()

    def changed(conn: psycopg.Connection) -> object:
        """As it is, and whether on all shards; then it is as it was."""
        shown = f"select max_pledge from pgwallet.{view} {which}".encode()
        rows = conn.execute(shown).fetchall()
        differing = [row.subject for row in pgwallet.check_ledger(conn) if row.invariant == 8]
        conn.execute(limit(10000))
        return rows, differing

    return lambda conn: conn.execute(limit(7000)), changed


def sealing(conn: psycopg.Connection, suffix: str) -> Made:
    _spread(conn, suffix)

    def left(conn: psycopg.Connection) -> object:
        return conn.execute("select from pgwallet.seal_ledger()").fetchall()

    return lambda conn: conn.execute("select from pgwallet.seal_ledger()").fetchall(), left


def checking(conn: psycopg.Connection, suffix: str) -> Made:
    """What it leaves is when the shard was checked whose check is the longest ago."""
    begun = conn.execute("select clock_timestamp()").fetchall()

    def checked(conn: psycopg.Connection) -> object:
        return conn.execute(
            "select m.checked_at > %s from pgwallet.ledger_metrics() as m", begun[0]
        ).fetchall()

    return lambda conn: pgwallet.record_check(conn), checked


# By what is called; settings and currencies are views.
CASES: dict[str, tuple[Make, ...]] = {
    "allocate_deposits": (allocating,),
    "close_project": (closing,),
    "collect_earnings": (collecting,),
    "complete_plans": (completing,),
    "create_currency": (creating_a_currency,),
    "create_project": (creating,),
    "currency": (changing_a_currency,),
    "deposit_many": (depositing,),
    "freeze_account": (freezing,),
    "payout": (paying_out,),
    "pledge_many": (pledging,),
    "record_check": (checking,),
    "refund_escrows": (refunding,),
    "refund_expired_escrows": (refunding_what_expired,),
    "refund_project": (refunding_by_procedure,),
    "release_escrows": (releasing,),
    "release_project": (releasing_by_procedure,),
    "reverse_transaction": (returning_a_payout, returning_a_transfer),
    "seal_ledger": (sealing,),
    "set_credit_limit": (crediting,),
    "settings": (changing_settings,),
    "transfer": (transferring,),
    "unfreeze_account": (unfreezing,),
}
ALL = tuple(make for cases in CASES.values() for make in cases)


def _by_owner(
    conn: psycopg.Connection, query: LiteralString, parameters: dict[str, object]
) -> None:
    """What only the owner of the router may do."""
    with conn.transaction():
        conn.execute(sql.SQL("set local role {}").format(sql.Identifier(OWNER)))
        conn.execute(query, parameters)


def _spread(conn: psycopg.Connection, suffix: str, currency: str = "EUR") -> list[int]:
    """A wallet with 100 on each shard."""
    wallets = wallets_on_all_shards(conn, suffix, currency)
    keys = [f"{suffix} first {wallet}" for wallet in wallets]
    pgwallet.deposit_many(conn, wallets, [100] * len(wallets), keys)
    return wallets


def _keys(wallets: list[int], suffix: str) -> list[str]:
    return [f"{suffix} {wallet}" for wallet in wallets]


def _backed(conn: psycopg.Connection, suffix: str, currency: str = "EUR") -> tuple[list[int], int]:
    """Wallets, one a shard, each with a pledge of 50 to a project, whose rates are a tenth."""
    wallets = _spread(conn, suffix, currency)
    project = pgwallet.create_project(
        conn, suffix, currency, commission_rate=RATE, fee_rate=RATE, fee_fixed=0
    ).project_id
    keys = [f"{suffix} backed {wallet}" for wallet in wallets]
    pgwallet.pledge_many(conn, project, wallets, [50] * len(wallets), keys)
    return wallets, project


def _released(
    conn: psycopg.Connection, suffix: str, currency: str = "EUR"
) -> tuple[list[int], int]:
    """The same, with 160 released to the project."""
    wallets, project = _backed(conn, suffix, currency)
    pgwallet.close_project(conn, project, "succeeded")
    for _ in pgwallet.release_project(conn, project):
        pass
    return wallets, project


def _balances(conn: psycopg.Connection, *accounts: int) -> object:
    return [pgwallet.balance(conn, account) for account in accounts]
