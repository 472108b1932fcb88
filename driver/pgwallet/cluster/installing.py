"""Makes a cluster of databases: marks the shards, then writes the routers."""

import logging
from dataclasses import dataclass

import psycopg

from pgwallet import deployment
from pgwallet.deployment.code import read_code
from pgwallet.deployment.connecting import connect

from .adopting import check_currencies, give_what_all_have
from .completing import complete
from .file import ClusterFile
from .functions import read_functions
from .making import said
from .making_routers import check_router, make_router
from .making_shards import forget_old_calls, make_shard
from .members import identity_of, look, member

logger = logging.getLogger("pgwallet")


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """What one `init` or `migrate` did: `shards` by their number, and the routers written anew."""

    shards: tuple[deployment.MigrationReport, ...]
    routers: tuple[int, ...] = ()


def init(cluster: ClusterFile, *, wait: float = 60.0) -> ClusterReport:
    """Makes the databases of the file a cluster, or brings all of them to this version.

    Shards first, then routers. The same call again completes what was broken off, and adds routers
    that are new in the file. Raises DeploymentError where a database cannot be used as it is; what
    can be known before is, with nothing changed then.
    """
    return _bring(cluster, wait=wait)


def migrate(cluster: ClusterFile, *, downgrade: bool = False, wait: float = 60.0) -> ClusterReport:
    """Brings a running cluster to this version: shards first, then routers.

    Calls go on meanwhile, whichever of two neighbouring versions a shard or a router has. Raises
    DeploymentError, which says what was left behind: the same call again goes on from there.
    `downgrade` and `wait` are as for one database.
    """
    return _bring(cluster, made=True, downgrade=downgrade, wait=wait)


def adopt(cluster: ClusterFile, *, wait: float = 60.0) -> ClusterReport:
    """Makes a cluster as `init` does, whose shard 0 is a ledger that is in use.

    That one keeps its ids, keys, owners and history, and works on meanwhile. Its settings,
    currencies and projects become those of all shards; owners that are new from then on go to the
    shard of their slot. Only a new cluster adopts a database, and only one. Make no projects and
    currencies meanwhile: from then on routers do. The same call again completes what was broken
    off. Raises as `init` does.
    """
    report = _bring(cluster, adopt=True, wait=wait)
    # What was closed there meanwhile.
    complete(cluster)
    return report


def _bring(
    cluster: ClusterFile,
    *,
    made: bool = False,
    adopt: bool = False,
    downgrade: bool = False,
    wait: float,
) -> ClusterReport:
    code = read_code()
    look(cluster, code, check_router, made=made, adopt=adopt, downgrade=downgrade)
    # Whoever is adopted comes last: what keeps the others from it is known by then.
    shards = [*cluster.shards[1:], cluster.shards[0]] if adopt else cluster.shards
    steps = [f"shard {shard.number}" for shard in shards]
    steps += [f"router {number}" for number in range(len(cluster.routers))]
    steps += ["what all shards have"] if adopt else []
    first = steps[0]
    reports, routers = {}, []
    try:
        for shard in shards:
            with member(steps[0], shard.conninfo):
                adopted = adopt and shard.number == 0
                if adopted:
                    check_currencies(cluster)
                reports[shard.number] = make_shard(
                    cluster, shard, adopt=adopted, downgrade=downgrade, wait=wait
                )
            logger.info("%s is at version %s", steps.pop(0), code.version)
        with connect(cluster.shards[0].conninfo) as conn:
            functions = [*read_functions(conn).values()]
            identity = identity_of(conn)
        has_adopted = identity is not None and identity.is_adopted
        for number, router in enumerate(cluster.routers):
            with member(steps[0], router):
                if make_router(cluster, router, functions, has_adopted=has_adopted, wait=wait):
                    routers.append(number)
            logger.info("%s is at version %s", steps.pop(0), code.version)
        if adopt:
            give_what_all_have(cluster)
    except (deployment.DeploymentError, psycopg.Error) as error:
        if steps[0] == first:
            raise
        raise deployment.DeploymentError(
            f"{said(error)}\nLeft behind: {', '.join(steps)}. The cluster works as it is; run it "
            "again to bring them to this version, too"
        ) from error
    for shard in cluster.shards:
        forget_old_calls(cluster, shard, functions)
    return ClusterReport(tuple(reports[n] for n in range(len(shards))), tuple(routers))
