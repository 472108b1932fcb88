"""The shards of a cluster, each by a connection of its own.

with pgwallet.Cluster("host=router1 dbname=shop") as cluster:
    with cluster.connection(wallet_id) as conn:
        pgwallet.deposit(conn, wallet_id, Decimal("12.34"), idempotency_key="order-1")
"""

from .cluster import Cluster
from .cluster_async import AsyncCluster
from .places import ShardPlace, shard_of

__all__ = ["AsyncCluster", "Cluster", "ShardPlace", "shard_of"]
