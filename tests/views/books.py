"""A varied ledger, and books kept beside it from what each call was told to do and answered."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import psycopg

import pgwallet

ZERO = Decimal(0)
EXPONENTS = {"EUR": 2, "JPY": 0, "KWD": 3}
OWNERS = ("ada", "bob", "eve")


@dataclass(slots=True)
class Escrow:
    wallet_id: int
    project_id: int
    amount: Decimal
    released: Decimal = ZERO
    refunded: Decimal = ZERO
    commission: Decimal = ZERO
    fee: Decimal = ZERO
    net: Decimal = ZERO
    disputed: bool = False

    @property
    def left(self) -> Decimal:
        return self.amount - self.released - self.refunded

    @property
    def status(self) -> str:
        if self.left:
            return "disputed" if self.disputed else "locked"
        if not self.refunded:
            return "released"
        return "settled" if self.released else "refunded"


class Books:
    """Every amount that was moved, by account, by escrow and by currency."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.conn = conn
        self.currency: dict[int, str] = {}  # of wallets, pockets and projects
        self.held: defaultdict[int, Decimal] = defaultdict(Decimal)
        self.wallets: dict[int, str] = {}
        self.pockets: dict[int, int] = {}
        self.projects: dict[int, tuple[Decimal, Decimal]] = {}
        self.limits: dict[int, Decimal] = {}
        self.escrows: dict[int, Escrow] = {}
        self.paid_out: defaultdict[int, Decimal] = defaultdict(Decimal)
        self.moved: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.counted: defaultdict[tuple[str, str], int] = defaultdict(int)

    def count(self, currency: str, what: str, amount: Decimal) -> None:
        self.moved[currency, what] += amount
        self.counted[currency, what] += 1

    def open_wallet(self, owner: str, currency: str) -> int:
        wallet_id = pgwallet.create_wallet(self.conn, owner, currency).wallet_id
        self.wallets[wallet_id] = owner
        self.currency[wallet_id] = currency
        return wallet_id

    def add_pocket(self, wallet_id: int, name: str, percentage: Decimal) -> int:
        pocket_id = pgwallet.create_pocket(self.conn, wallet_id, name, percentage).pocket_id
        self.pockets[pocket_id] = wallet_id
        self.currency[pocket_id] = self.currency[wallet_id]
        return pocket_id

    def open_project(
        self, reference: str, currency: str, commission: str, fee: str, max_pledge: Decimal
    ) -> int:
        rates = Decimal(commission), Decimal(fee)
        project = pgwallet.create_project(self.conn, reference, currency, *rates, max_pledge)
        project_id = project.project_id
        self.projects[project_id] = rates
        self.limits[project_id] = max_pledge
        self.currency[project_id] = currency
        return project_id

    def deposit(self, wallet_ids: list[int], amounts: list[Decimal]) -> None:
        if len(wallet_ids) == 1:
            pgwallet.deposit(self.conn, wallet_ids[0], amounts[0])
        else:
            pgwallet.deposit_many(self.conn, wallet_ids, amounts)
        for wallet_id, amount in zip(wallet_ids, amounts, strict=True):
            self.held[wallet_id] += amount
            self.count(self.currency[wallet_id], "deposit", amount)

    def withdraw(self, wallet_id: int, amount: Decimal) -> None:
        pgwallet.withdraw(self.conn, wallet_id, amount)
        self.held[wallet_id] -= amount
        self.count(self.currency[wallet_id], "withdrawal", amount)

    def transfer(self, source: int, target: int, amount: Decimal) -> int:
        done = pgwallet.transfer(self.conn, source, target, amount)
        self.held[source] -= amount
        self.held[target] += amount
        return done.transaction_id

    def taken_back(self, wallets: list[int], project_id: int, amount: Decimal) -> None:
        """Makes one of each kind that can be taken back, and takes it back: nothing is left of it.

        For what was deposited and paid out, counts and amounts are less again.
        """
        first, second = wallets[:2]
        pocket_id = next(one for one, wallet in self.pockets.items() if wallet == first)
        allocation = pgwallet.allocate_deposit(self.conn, first, amount).transaction_id
        made = [
            pgwallet.deposit(self.conn, first, amount).transaction_id,
            pgwallet.withdraw(self.conn, first, amount).transaction_id,
            pgwallet.payout(self.conn, project_id, amount).transaction_id,
            pgwallet.transfer(self.conn, first, second, amount).transaction_id,
            pgwallet.transfer_to_pocket(self.conn, pocket_id, amount).transaction_id,
        ]
        for transaction_id in [*made, allocation or 0]:
            pgwallet.reverse_transaction(self.conn, transaction_id)

    def allocate(self, wallet_id: int, amount: Decimal) -> None:
        for share in pgwallet.allocate_deposit(self.conn, wallet_id, amount).shares:
            self.held[wallet_id] -= share.amount
            self.held[share.pocket_id] += share.amount

    def put_aside(self, pocket_id: int, amount: Decimal) -> None:
        pgwallet.transfer_to_pocket(self.conn, pocket_id, amount)
        self.held[self.pockets[pocket_id]] -= amount
        self.held[pocket_id] += amount

    def take_back(self, pocket_id: int, amount: Decimal) -> None:
        pgwallet.transfer_from_pocket(self.conn, pocket_id, amount)
        self.held[pocket_id] -= amount
        self.held[self.pockets[pocket_id]] += amount

    def pledge(self, project_id: int, wallet_ids: list[int], amounts: list[Decimal]) -> None:
        if len(wallet_ids) == 1:
            made = pgwallet.pledge(self.conn, wallet_ids[0], project_id, amounts[0])
            escrow_ids = [made.escrow_id]
        else:
            rows = pgwallet.pledge_many(self.conn, project_id, wallet_ids, amounts)
            escrow_ids = [row.escrow_id for row in rows]
        for escrow_id, wallet_id, amount in zip(escrow_ids, wallet_ids, amounts, strict=True):
            self.escrows[escrow_id] = Escrow(wallet_id, project_id, amount)
            self.held[wallet_id] -= amount
            self.count(self.currency[wallet_id], "pledge", amount)

    def _settled(self, escrow: Escrow, amount: Decimal) -> tuple[Decimal, Decimal, Decimal]:
        """Takes commission and fee by the book: of all that was released, less what was taken."""
        unit = Decimal(1).scaleb(-EXPONENTS[self.currency[escrow.project_id]])
        commission_rate, fee_rate = self.projects[escrow.project_id]
        whole = escrow.released + amount
        due = (whole * commission_rate).quantize(unit, ROUND_HALF_UP) - escrow.commission
        commission = max(ZERO, min(amount, due))
        due = (whole * fee_rate).quantize(unit, ROUND_HALF_UP) - escrow.fee
        fee = max(ZERO, min(amount - commission, due))
        net = amount - commission - fee
        escrow.released += amount
        escrow.commission += commission
        escrow.fee += fee
        escrow.net += net
        self.held[escrow.project_id] += net
        return commission, fee, net

    def release(self, escrow_id: int, amount: Decimal) -> None:
        answer = pgwallet.release_escrow(self.conn, escrow_id, amount)
        escrow = self.escrows[escrow_id]
        parts = self._settled(escrow, amount)
        assert parts == (answer.commission_amount, answer.fee_amount, answer.net_amount)
        self._count_release(self.currency[escrow.project_id], parts)

    def _count_release(self, currency: str, parts: tuple[Decimal, ...]) -> None:
        self.moved[currency, "released"] += sum(parts)
        for what, part in zip(("commission", "fee", "net"), parts, strict=True):
            self.moved[currency, what] += part
        self.counted[currency, "release"] += parts[-1] > 0

    def refund(self, escrow_id: int, amount: Decimal) -> None:
        pgwallet.refund_escrow(self.conn, escrow_id, amount)
        self._refunded(self.escrows[escrow_id], amount)

    def _refunded(self, escrow: Escrow, amount: Decimal) -> None:
        escrow.refunded += amount
        self.held[escrow.wallet_id] += amount
        self.count(self.currency[escrow.project_id], "refund", amount)

    def change(self, escrow_id: int, more: Decimal) -> None:
        escrow = self.escrows[escrow_id]
        pgwallet.change_pledge(self.conn, escrow_id, escrow.amount + more)
        escrow.amount += more
        self.held[escrow.wallet_id] -= more
        self.moved[self.currency[escrow.project_id], "pledge"] += more

    def charge_back(self, escrow_id: int, amount: Decimal, keep_fees: bool) -> None:
        back = pgwallet.refund_release(self.conn, escrow_id, amount, keep_fees)
        escrow, currency = self.escrows[escrow_id], self.currency[back.project_id]
        parts = (back.commission_amount, back.fee_amount, back.net_amount)
        assert sum(parts) == amount
        escrow.released -= amount
        escrow.refunded += amount
        escrow.commission -= back.commission_amount
        escrow.fee -= back.fee_amount
        escrow.net -= back.net_amount
        self.held[escrow.wallet_id] += amount
        self.held[escrow.project_id] -= back.net_amount
        self.moved[currency, "released"] -= amount
        self.moved[currency, "refund"] += amount
        for what, part in zip(("commission", "fee", "net"), parts, strict=True):
            self.moved[currency, what] -= part

    def dispute(self, escrow_id: int) -> None:
        pgwallet.dispute_escrow(self.conn, escrow_id, "the card was stolen")
        self.escrows[escrow_id].disputed = True

    def close(self, project_id: int, outcome: str, batch: int) -> None:
        """Ends a project and settles one batch of its escrows, from the first."""
        pgwallet.close_project(self.conn, project_id, outcome)
        ids = sorted(i for i, e in self.escrows.items() if e.project_id == project_id and e.left)
        escrows = [self.escrows[escrow_id] for escrow_id in ids[:batch]]
        if outcome == "failed":
            refunds = pgwallet.refund_escrows(self.conn, project_id, batch)
            assert refunds.refunded_amount == sum(escrow.left for escrow in escrows)
            for escrow in escrows:
                self._refunded(escrow, escrow.left)
            return
        answer = pgwallet.release_escrows(self.conn, project_id, batch)
        parts = [self._settled(escrow, escrow.left) for escrow in escrows]
        sums = tuple(sum(column, ZERO) for column in zip(*parts, strict=True))
        assert sums == (answer.commission_amount, answer.fee_amount, answer.net_amount)
        self._count_release(self.currency[project_id], sums)

    def pay_out(self, project_id: int, amount: Decimal) -> None:
        pgwallet.payout(self.conn, project_id, amount)
        self.held[project_id] -= amount
        self.paid_out[project_id] += amount
        self.count(self.currency[project_id], "payout", amount)

    def collect(self, currency: str, account: str, amount: Decimal) -> None:
        pgwallet.collect_earnings(self.conn, currency, account, amount)
        self.count(currency, "collection", amount)


def varied_ledger(conn: psycopg.Connection) -> Books:
    """Some hundred calls in three currencies, always the same; one wallet and project idle."""
    books = Books(conn)
    chance = Random(5)

    for currency, exponent in EXPONENTS.items():
        unit = Decimal(1).scaleb(-exponent)

        def part(whole: Decimal, unit: Decimal = unit) -> Decimal:
            return unit * chance.randint(1, max(1, int(whole / unit)))

        wallets = [books.open_wallet(owner, currency) for owner in OWNERS]
        for wallet_id in wallets[:2]:
            books.add_pocket(wallet_id, "rent", Decimal("33.3333"))
            books.add_pocket(wallet_id, "fun", Decimal("12.5"))
        books.deposit(wallets, [unit * chance.randint(60_000, 90_000) for _ in wallets])
        for wallet_id in wallets:
            books.deposit([wallet_id], [unit * chance.randint(60_000, 90_000)])
            books.withdraw(wallet_id, part(books.held[wallet_id] / 4))
            books.allocate(wallet_id, part(books.held[wallet_id] / 2))
        for pocket_id, wallet_id in books.pockets.items():
            if wallet_id in wallets and books.held[pocket_id]:
                books.take_back(pocket_id, part(books.held[pocket_id]))
                books.put_aside(pocket_id, unit)

        # What a closed pocket held is in the wallet again.
        spare = pgwallet.create_pocket(conn, wallets[0], "spare").pocket_id
        pgwallet.transfer_to_pocket(conn, spare, unit)
        pgwallet.close_pocket(conn, spare)

        projects = [
            books.open_project(f"{name} {currency}", currency, commission, fee, unit * most)
            for most, (name, commission, fee) in enumerate(
                (
                    ("won", "0.05", "0.029"),
                    ("lost", "0.05", "0.029"),
                    ("open", "0.0333", "0.0777"),
                    # Small releases of it leave the project nothing.
                    ("greedy", "0.5", "0.5"),
                    ("idle", "0.05", "0.029"),
                ),
                start=20_000,
            )
        ]
        for project_id in projects[:-1]:
            books.pledge(project_id, wallets, [part(books.held[w] / 20) for w in wallets])
            for wallet_id in wallets:
                books.pledge(project_id, [wallet_id], [part(books.held[wallet_id] / 20)])
        books.pledge(projects[3], wallets[:1], [unit])
        for escrow_id, escrow in books.escrows.items():
            if books.currency[escrow.project_id] != currency:
                continue
            for act in chance.choices((books.release, books.refund), k=chance.randint(0, 3)):
                if escrow.left:
                    whole = chance.random() < 0.4
                    act(escrow_id, escrow.left if whole else part(escrow.left))
        still = [
            number
            for number, escrow in books.escrows.items()
            if escrow.project_id == projects[2] and escrow.left > unit
        ]
        books.change(still[0], unit)
        books.change(still[1], -unit)
        books.dispute(still[0])
        books.close(projects[0], "succeeded", 3)
        released = [
            number
            for number, escrow in books.escrows.items()
            if escrow.project_id == projects[0] and escrow.released > 20 * unit
        ]
        for keep_fees, escrow_id in enumerate(released[:2]):
            books.charge_back(escrow_id, 17 * unit, bool(keep_fees))
        books.close(projects[1], "failed", 2)
        for project_id in projects[:4]:
            if books.held[project_id]:
                books.pay_out(project_id, part(books.held[project_id] / 2))
        books.taken_back(wallets, projects[2], 2 * unit)
        books.pay_out(projects[2], books.held[projects[2]])
        books.transfer(wallets[0], wallets[1], part(books.held[wallets[0]] / 9))
        for account in ("commission", "fee"):
            books.collect(currency, account, unit)
    books.open_wallet("idle", "EUR")
    assert pgwallet.check_ledger(conn) == []
    return books
