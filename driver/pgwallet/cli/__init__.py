"""The command `pgwallet`, which needs the extra `pgwallet[cli]`."""

import sys

_EXTRA = ("typer", "rich")


def main() -> None:
    """Runs the command line and exits: 0 done, 1 refused, 2 wrong usage, 130 interrupted."""
    try:
        from .app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        print("the command line is not installed: pip install 'pgwallet[cli]'", file=sys.stderr)
        sys.exit(2)
    run()
