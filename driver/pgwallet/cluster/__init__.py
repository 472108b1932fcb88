"""Many databases as one ledger: shards that hold the money, routers that know where.

pgwallet.cluster.init(pgwallet.cluster.read_cluster_file("cluster.toml"))
"""

from .file import ClusterFile, ClusterFileError, Shard, read_cluster_file, shard_at
from .installing import ClusterReport, init, migrate
from .looking import ClusterStatus, MemberStatus, status
from .moving import MoveReport, move

__all__ = [
    "ClusterFile",
    "ClusterFileError",
    "ClusterReport",
    "ClusterStatus",
    "MemberStatus",
    "MoveReport",
    "Shard",
    "init",
    "migrate",
    "move",
    "read_cluster_file",
    "shard_at",
    "status",
]
