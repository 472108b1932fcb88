"""How much a run does of what is drawn, repeated or killed: each test runs, some do less.

`make test` does a part that a developer waits for; CI does all of it, as `PGWALLET_EFFORT=full`
has it done anywhere. Each number also has a variable of its own, for a long run of one thing.
"""

import os

FULL = "full"
IS_FULL = (os.environ.get("PGWALLET_EFFORT") or "") == FULL or os.environ.get("CI") == "true"


def effort(variable: str, *, part: int, full: int) -> int:
    """The number that the variable says, or else that of such a run."""
    return int(os.environ.get(variable) or (full if IS_FULL else part))
