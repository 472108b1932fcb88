"""Many databases as one ledger: shards that hold the money, routers that know where.

pgwallet.cluster.init(pgwallet.cluster.read_cluster_file("cluster.toml"))
"""

from .file import ClusterFile, ClusterFileError, Shard, read_cluster_file, shard_at
from .installing import ClusterReport, init

__all__ = [
    "ClusterFile",
    "ClusterFileError",
    "ClusterReport",
    "Shard",
    "init",
    "read_cluster_file",
    "shard_at",
]
