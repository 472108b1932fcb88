"""What the ledger calls an old wallet's owner, an old project, and the move of an old row."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Naming:
    currency: str
    source: str
    owner_prefix: str
    project_prefix: str
    platform: str

    def owner(self, user_id: str | None) -> str:
        """The wallet without a user is the platform's own."""
        return self.platform if user_id is None else f"{self.owner_prefix}{user_id}"

    def reference(self, project_id: str) -> str:
        return f"{self.project_prefix}{project_id}"

    def wallet_key(self, wallet_id: int) -> str:
        return f"{self.source}:wallet:{wallet_id}"

    def pocket_key(self, pocket_id: int) -> str:
        return f"{self.source}:pocket:{pocket_id}"

    def escrow_key(self, escrow_id: int) -> str:
        return f"{self.source}:escrow:{escrow_id}"
