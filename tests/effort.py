"""How much a run does of what is drawn, repeated or killed: each test runs, some do less.

`make test` does a part that a developer waits for; CI does all of it on the newest server, and a
part on the others. `PGWALLET_EFFORT=full` has all of it done anywhere, and any other value a part.
Each number also has a variable of its own, for a long run of one thing.

`make test` also leaves to CI, and to `make test-all`, what takes a whole system to try out.
"""

import os

# Folders and files under tests/: servers for each test, programs built, installed or measured.
# What the ledger does, no matter how long it takes, is never among them.
WHOLE_SYSTEMS = (
    "bench/",
    "cluster/",
    "deployment/test_dump_and_restore.py",
    "deployment/test_exchanged_order.py",
    "deployment/test_failover.py",
    "deployment/test_restored_without_rights.py",
    "deployment/test_under_load.py",
    "deployment/test_waiting.py",
    "deployment/test_ways_to_install.py",
    "docs/test_site.py",
    "embedded/",
    "packaging/",
)

FULL = "full"
_SAID = os.environ.get("PGWALLET_EFFORT")
IS_FULL = _SAID == FULL if _SAID else os.environ.get("CI") == "true"


def effort(variable: str, *, part: int, full: int) -> int:
    """The number that the variable says, or else that of such a run."""
    return int(os.environ.get(variable) or (full if IS_FULL else part))
