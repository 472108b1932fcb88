"""A sound ledger with something of everything, to damage."""

import psycopg

import pgwallet
from tests.ledger.calling import funded, project, value

# Of the calls that have one: the transaction and its first posting are known by it.
KEYS = (
    *("salary", "cash", "split", "save", "spend", "share", "mistake", "undo"),
    *("pledge", "release", "refund", "attic"),
)


def ids_of_a_world(conn: psycopg.Connection) -> dict[str, int]:
    """A sound ledger with something of everything; the accounts have names of their own."""
    ada = funded(conn, "ada", 200)
    bob = funded(conn, "bob", 100)
    eve = pgwallet.create_wallet(conn, "eve").wallet_id
    yen = funded(conn, "yen", 1000, "JPY")
    holiday = pgwallet.create_pocket(conn, ada, "holiday", 50).pocket_id
    rent = pgwallet.create_pocket(conn, bob, "rent", 30).pocket_id
    film, song, hit, flop = (project(conn, name) for name in ("film", "song", "hit", "flop"))
    ids = {
        "ada": ada,
        "bob": bob,
        "eve": eve,
        "yen": yen,
        "holiday": holiday,
        "rent": rent,
        "film": film,
        "song": song,
        "hit": hit,
        "flop": flop,
    }

    pgwallet.deposit(conn, ada, 50, idempotency_key="salary")
    pgwallet.withdraw(conn, ada, 10, idempotency_key="cash")
    pgwallet.allocate_deposit(conn, ada, 20, idempotency_key="split")
    pgwallet.transfer_to_pocket(conn, rent, 10, idempotency_key="save")
    pgwallet.transfer_from_pocket(conn, rent, 3, idempotency_key="spend")
    pgwallet.transfer(conn, bob, ada, 4, idempotency_key="share")
    split = pgwallet.allocate_deposit(conn, ada, 4, idempotency_key="mistake").transaction_id
    assert split is not None
    pgwallet.reverse_transaction(conn, split, idempotency_key="undo")

    def pledged(wallet: int, to: int, amount: int, key: str | None = None) -> int:
        return pgwallet.pledge(conn, wallet, to, amount, idempotency_key=key).escrow_id

    ids["locked"] = pledged(ada, film, 30, "pledge")
    ids["twin"] = pledged(ada, song, 30)
    ids["other"] = pledged(bob, film, 12)
    ids["released"] = pledged(ada, film, 20)
    ids["refunded"] = pledged(bob, film, 20)
    ids["hit_of_ada"], ids["hit_of_bob"] = pledged(ada, hit, 40), pledged(bob, hit, 10)
    ids["flop_of_ada"], ids["flop_of_bob"] = pledged(ada, flop, 9), pledged(bob, flop, 9)
    pgwallet.release_escrow(conn, ids["released"], idempotency_key="release")
    pgwallet.refund_escrow(conn, ids["refunded"], idempotency_key="refund")
    pgwallet.payout(conn, film, 5, idempotency_key="payout")
    for closed, outcome in ((hit, "succeeded"), (flop, "failed")):
        pgwallet.close_project(conn, closed, outcome)
    conn.execute("select pgwallet.release_escrows(%s)", [hit])
    conn.execute("select pgwallet.refund_escrows(%s)", [flop])

    gone, debtor = funded(conn, "gone", 5), funded(conn, "debtor", 5)
    attic = pgwallet.create_pocket(conn, gone, "attic").pocket_id
    pgwallet.transfer_to_pocket(conn, attic, 5)
    pgwallet.close_pocket(conn, attic, "attic")
    pgwallet.withdraw(conn, gone, 5)
    pgwallet.close_wallet(conn, gone)
    pgwallet.set_credit_limit(conn, debtor, 5)
    pgwallet.withdraw(conn, debtor, 8)
    ids |= {"gone": gone, "attic": attic, "debtor": debtor}

    ids["outside"], ids["commission"], ids["fee"] = accounts_of(conn, "EUR")
    ids["yen_outside"], ids["yen_commission"], ids["yen_fee"] = accounts_of(conn, "JPY")
    for name in ("film", "song", "hit", "flop"):
        ids[f"escrows_of_{name}"] = value(
            conn, "select escrow_account_id from pgwallet.project where project_id = %s", ids[name]
        )
    for key in KEYS:
        ids[f"tx_{key}"] = value(
            conn, "select transaction_id from pgwallet.transaction where idempotency_key = %s", key
        )
        ids[f"posting_{key}"] = value(
            conn,
            "select min(posting_id) from pgwallet.posting where transaction_id = %s",
            ids[f"tx_{key}"],
        )
    ids["posting_commission"] = value(
        conn,
        "select min(posting_id) from pgwallet.posting where destination_account_id = %s",
        ids["commission"],
    )
    ids["tx_hit"] = last_of(conn, "release")
    ids["tx_flop"] = last_of(conn, "refund")
    ids["tx_yen"] = value(
        conn, "select transaction_id from pgwallet.posting where destination_account_id = %s", yen
    )
    ids |= corrected(conn, ada)
    return ids


def corrected(conn: psycopg.Connection, ada: int) -> dict[str, int]:
    """A project with a pledge that was raised, two releases that came back, and a dispute."""
    pgwallet.deposit(conn, ada, 100)
    tour = project(conn, "tour")
    names = ("raised", "charged", "kept", "disputed")
    ids = {name: pgwallet.pledge(conn, ada, tour, 20).escrow_id for name in names}
    ids["tx_raised"] = pgwallet.change_pledge(conn, ids["raised"], 25).transaction_id
    for name in ("charged", "kept"):
        pgwallet.release_escrow(conn, ids[name])
    ids["tx_charged"] = pgwallet.refund_release(conn, ids["charged"], 10).transaction_id
    pgwallet.refund_release(conn, ids["kept"], 10, keep_fees=True)
    pgwallet.dispute_escrow(conn, ids["disputed"], "the card was stolen")
    return {**ids, "tour": tour}


def accounts_of(conn: psycopg.Connection, currency: str) -> tuple[int, int, int]:
    row = conn.execute(
        "select external_account_id, commission_account_id, fee_account_id "
        "from pgwallet.currency where currency = %s",
        [currency],
    ).fetchone()
    assert row is not None
    return row


def last_of(conn: psycopg.Connection, kind: str) -> int:
    last: int = value(
        conn, "select max(transaction_id) from pgwallet.transaction where kind = %s", kind
    )
    return last
