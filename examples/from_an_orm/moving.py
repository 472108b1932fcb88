"""One batch of wallets, with their pockets and locked escrows, in one transaction of the ledger."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pgwallet

from .ledger import posted
from .naming import Naming
from .old import Connection
from .reading import Batch, Escrow, Pocket, Wallet, largest_pledges, read


@dataclass(slots=True)
class Moved:
    wallets: int = 0
    pockets: int = 0
    escrows: int = 0
    amount: Decimal = Decimal(0)

    def __iadd__(self, other: "Moved") -> "Moved":
        self.wallets += other.wallets
        self.pockets += other.pockets
        self.escrows += other.escrows
        self.amount += other.amount
        return self


class Mover:
    """Moves batches one after the other; each is committed when `move` returns."""

    def __init__(self, old: Connection, new: Connection, naming: Naming, history: bool) -> None:
        self._old = old
        self._new = new
        self._naming = naming
        self._history = history
        self._largest_pledges = largest_pledges(old)

    def move(self, ids: list[int]) -> Moved:
        """Moves what has not moved yet of these wallets, all of it or nothing.

        The old wallets stay locked until the ledger has committed. So the old service, which locks
        a wallet before it changes anything of it, is either done with it or waits.
        """
        with self._old.transaction():
            self._old.execute(
                "select from old_wallet as w where w.id = any (%s) order by w.id for update", [ids]
            )
            batch = read(self._old, ids, self._naming, self._history)
            return pgwallet.run_transaction(self._new, lambda _: self._write(batch))

    def _write(self, batch: Batch) -> Moved:
        # A wallet moves as a whole, so its opening deposit tells that all of it has.
        moved = posted(self._new, [self._naming.wallet_key(w.id) for w in batch.wallets])
        wallets = [w for w in batch.wallets if self._naming.wallet_key(w.id) not in moved]
        wallet_ids, opened = self._open_wallets(wallets)
        pockets = [p for p in batch.pockets if p.wallet_id in wallet_ids]
        pocket_ids, extended = self._open_pockets(pockets, wallet_ids)
        escrows = [e for e in batch.escrows if e.wallet_id in wallet_ids]

        self._deposit([w for w in wallets if w.opening > 0], wallet_ids)
        effective_at = {w.id: w.effective_at for w in wallets}
        self._transfer([p for p in pockets if p.amount > 0], pocket_ids, effective_at)
        self._pledge(escrows, wallet_ids)

        # A wallet without money has no deposit: it counts when it, or a pocket of it, is new.
        changed = [w for w in wallets if w.opening > 0 or w.id in opened or w.id in extended]
        return Moved(
            len(changed),
            sum(p.wallet_id in {w.id for w in changed} for p in pockets),
            len(escrows),
            sum((w.opening for w in wallets), Decimal(0)),
        )

    def _open_wallets(self, wallets: list[Wallet]) -> tuple[dict[int, int], set[int]]:
        """The ledger's id of each old wallet, and which of these are new."""
        owners = [w.owner for w in wallets]
        rows = self._new.execute(
            """
            select w.owner_id from pgwallet.wallet as w
            where w.owner_id = any (%s) and w.currency = %s
            """,
            [owners, self._naming.currency],
        )
        known = {owner for (owner,) in rows}
        made = self._new.execute(
            """
            select u.id, w.wallet_id
            from unnest(%s::bigint[], %s::text[]) as u (id, owner_id)
            cross join lateral pgwallet.create_wallet(
              p_owner_id => u.owner_id, p_currency => %s
            ) as w
            """,
            [[w.id for w in wallets], owners, self._naming.currency],
        )
        return dict(made.fetchall()), {w.id for w in wallets if w.owner not in known}

    def _open_pockets(
        self, pockets: list[Pocket], wallet_ids: dict[int, int]
    ) -> tuple[dict[int, int], set[int]]:
        """The ledger's id of each old pocket, and the old wallets that got a new one."""
        rows = self._new.execute(
            """
            select k.wallet_id, k.name, k.pocket_id from pgwallet.pocket as k
            where k.wallet_id = any (%s)
            """,
            [list(wallet_ids.values())],
        )
        known = {(wallet_id, name): pocket_id for wallet_id, name, pocket_id in rows}
        pocket_ids = {
            p.id: known[wallet_ids[p.wallet_id], p.name]
            for p in pockets
            if (wallet_ids[p.wallet_id], p.name) in known
        }
        missing = [p for p in pockets if p.id not in pocket_ids]
        made = self._new.execute(
            """
            select u.id, k.pocket_id
            from unnest(
              %s::bigint[], %s::bigint[], %s::text[], %s::numeric[], %s::text[], %s::numeric[]
            ) as u (id, wallet_id, name, percentage, pocket_type, target)
            cross join lateral pgwallet.create_pocket(
              p_wallet_id => u.wallet_id, p_name => u.name,
              p_allocation_percentage => u.percentage, p_pocket_type => u.pocket_type,
              p_target_amount => u.target
            ) as k
            """,
            [
                [p.id for p in missing],
                [wallet_ids[p.wallet_id] for p in missing],
                [p.name for p in missing],
                [p.percentage for p in missing],
                [p.pocket_type for p in missing],
                [p.target for p in missing],
            ],
        )
        return pocket_ids | dict(made.fetchall()), {p.wallet_id for p in missing}

    def _deposit(self, wallets: list[Wallet], wallet_ids: dict[int, int]) -> None:
        self._new.execute(
            """
            select count(d.transaction_id)
            from unnest(
              %s::bigint[], %s::numeric[], %s::text[], %s::text[], %s::timestamptz[]
            ) as u (wallet_id, amount, idempotency_key, metadata, effective_at)
            cross join lateral pgwallet.deposit(
              p_wallet_id => u.wallet_id, p_amount => u.amount,
              p_idempotency_key => u.idempotency_key, p_metadata => u.metadata::jsonb,
              p_effective_at => u.effective_at
            ) as d
            """,
            [
                [wallet_ids[w.id] for w in wallets],
                [w.opening for w in wallets],
                [self._naming.wallet_key(w.id) for w in wallets],
                [w.metadata for w in wallets],
                [w.effective_at for w in wallets],
            ],
        )

    def _transfer(
        self,
        pockets: list[Pocket],
        pocket_ids: dict[int, int],
        effective_at: dict[int, datetime],
    ) -> None:
        self._new.execute(
            """
            select count(t.transaction_id)
            from unnest(
              %s::bigint[], %s::numeric[], %s::text[], %s::text[], %s::timestamptz[]
            ) as u (pocket_id, amount, idempotency_key, metadata, effective_at)
            cross join lateral pgwallet.transfer_to_pocket(
              p_pocket_id => u.pocket_id, p_amount => u.amount,
              p_idempotency_key => u.idempotency_key, p_metadata => u.metadata::jsonb,
              p_effective_at => u.effective_at
            ) as t
            """,
            [
                [pocket_ids[p.id] for p in pockets],
                [p.amount for p in pockets],
                [self._naming.pocket_key(p.id) for p in pockets],
                [p.metadata for p in pockets],
                [effective_at[p.wallet_id] for p in pockets],
            ],
        )

    def _pledge(self, escrows: list[Escrow], wallet_ids: dict[int, int]) -> None:
        for e in escrows:  # one may be younger than this run
            largest = self._largest_pledges.get(e.project_id, e.amount)
            self._largest_pledges[e.project_id] = max(largest, e.amount)
        project_ids = self._open_projects(sorted({e.project_id for e in escrows}))
        self._new.execute(
            """
            select count(e.escrow_id)
            from unnest(
              %s::bigint[], %s::bigint[], %s::numeric[], %s::text[], %s::text[], %s::timestamptz[]
            ) as u (wallet_id, project_id, amount, idempotency_key, metadata, effective_at)
            cross join lateral pgwallet.pledge(
              p_wallet_id => u.wallet_id, p_project_id => u.project_id, p_amount => u.amount,
              p_idempotency_key => u.idempotency_key, p_metadata => u.metadata::jsonb,
              p_effective_at => u.effective_at
            ) as e
            """,
            [
                [wallet_ids[e.wallet_id] for e in escrows],
                [project_ids[e.project_id] for e in escrows],
                [e.amount for e in escrows],
                [self._naming.escrow_key(e.id) for e in escrows],
                [e.metadata for e in escrows],
                [e.locked_at for e in escrows],
            ],
        )

    def _open_projects(self, projects: list[str]) -> dict[str, int]:
        """The ledger's id of each old project; one without a large pledge gets the usual limit."""
        references = {self._naming.reference(project): project for project in projects}
        rows = self._new.execute(
            """
            select p.reference, p.project_id from pgwallet.project as p
            where p.reference = any (%s)
            """,
            [list(references)],
        )
        known = {references[reference]: project_id for reference, project_id in rows}
        missing = [project for project in projects if project not in known]
        made = self._new.execute(
            """
            select u.id, p.project_id
            from unnest(%s::text[], %s::text[], %s::numeric[]) as u (id, reference, largest)
            cross join pgwallet.settings as s
            cross join lateral pgwallet.create_project(
              p_reference => u.reference, p_currency => %s,
              p_max_pledge => case when u.largest > s.max_pledge then u.largest end
            ) as p
            """,
            [
                missing,
                [self._naming.reference(project) for project in missing],
                [self._largest_pledges[project] for project in missing],
                self._naming.currency,
            ],
        )
        return known | dict(made.fetchall())
