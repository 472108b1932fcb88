"""Many databases as one ledger: shards that hold the money, routers that know where.

pgwallet.cluster.init(pgwallet.cluster.read_cluster_file("cluster.toml"))
"""

from .checking import KeyUse, SharedKey, check, shared_keys
from .completing import CompletionReport, LeftPlan, complete
from .file import ClusterFile, ClusterFileError, Shard, read_cluster_file, shard_at
from .installing import ClusterReport, adopt, init, migrate
from .looking import ClusterStatus, MemberStatus, status
from .moving import MoveReport, move

__all__ = [
    "ClusterFile",
    "ClusterFileError",
    "ClusterReport",
    "ClusterStatus",
    "CompletionReport",
    "KeyUse",
    "LeftPlan",
    "MemberStatus",
    "MoveReport",
    "Shard",
    "SharedKey",
    "adopt",
    "check",
    "complete",
    "init",
    "migrate",
    "move",
    "read_cluster_file",
    "shard_at",
    "shared_keys",
    "status",
]
