"""What the functions of seals return."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Seal:
    """What the history was, up to these ids of transactions, postings and events.

    Nothing that was recorded up to `sealed_at` comes later. `digest` is a SHA-256 in 64 hexadecimal
    digits.
    """

    seal_id: int
    sealed_at: datetime
    transaction_id: int
    posting_id: int
    event_id: int
    digest: str


@dataclass(frozen=True, slots=True)
class NewSeal(Seal):
    """A seal that was just made; `has_more` where more than its limit was there to seal."""

    has_more: bool


@dataclass(frozen=True, slots=True)
class WrongSeal:
    """The first seal that does not fit, and why; `covers` are the ids, None where it is missing."""

    seal_id: int
    covers: str | None
    detail: str
