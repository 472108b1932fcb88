"""Which shard a function goes to: one rule a kind of argument, or a file where it is several."""

from enum import StrEnum

from .functions import Function


class Route(StrEnum):
    """How the router answers a call."""

    BY_ID = "on the shard of an id"
    BY_OWNER = "on the shard of an owner"
    BY_HAND = "on several shards, see db/cluster/router"
    LOCAL = "on the router itself"
    NOT_HERE = "on shards alone"


class NoRouteError(RuntimeError):
    """A function that nobody has said a route of; the message names it."""


# The first argument says where to go.
_IDS = ("p_wallet_id", "p_pocket_id", "p_escrow_id", "p_transaction_id")
_OWNERS = ("p_owner_id",)

# Functions of the ledger that serve on a router word for word, and those that they call.
LOCAL = (
    "grant_app",
    "grant_operator",
    "grant_auditor",
    "grant_monitor",
    "list_rights",
    "show_deployment",
)
LOCAL_PROCEDURES = ("release_project", "refund_project")
LOCAL_INTERNALS = (
    "_check_operator",
    "_check_text",
    "_close_to_public",
    "_finish_install",
    "_grant",
    "_is_blank",
    "_refuse_funds",
    "_rights_of",
    "_slot_of",
)

# What concerns one database as such.
NOT_HERE = ("list_sequences", "skip_ids")

# What reads, though it is volatile.
READING = ("preview_allocation", "read_feed")


def route_of(function: Function, by_hand: frozenset[str]) -> Route:
    """By the rule of its first argument, unless it is named here or has a file (`by_hand`)."""
    first = function.arguments[0].name if function.arguments else ""
    if function.name in by_hand:
        return Route.BY_HAND
    if function.name in LOCAL:
        return Route.LOCAL
    if function.name in NOT_HERE:
        return Route.NOT_HERE
    if first in _IDS:
        return Route.BY_ID
    if first in _OWNERS:
        return Route.BY_OWNER
    raise NoRouteError(
        f"{function.name} has no route: its first argument says none, and there is no "
        f"db/cluster/router/{function.name}.sql"
    )
