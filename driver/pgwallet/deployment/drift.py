"""What a difference between a database and this version of pgwallet is told as."""

from dataclasses import dataclass
from typing import Literal

MIGRATE = "pgwallet migrate"
LOOK_AGAIN = "mend what else is named, then look again"


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as this version of pgwallet has it, or as the owner has granted it.

    `kind` and `name` say which, such as a function and its signature; `detail` in which way. The
    `remedy` is SQL for the owner or a superuser where it ends in a semicolon, else what to do.
    """

    kind: str
    name: str
    what: Literal["missing", "unknown", "edited", "owner", "rights", "behind", "failed"]
    detail: str = ""
    remedy: str = MIGRATE

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.kind} {self.name} ({self.what}){detail}"

    @property
    def is_mended_by_migrate(self) -> bool:
        return self.remedy == MIGRATE
