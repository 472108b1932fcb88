"""A cluster for a test alone, as databases of the server of all tests of clusters."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from pgwallet import cluster
from tests import databases


@contextmanager
def databases_for(server: str, shards: int, role: str) -> Iterator[cluster.ClusterFile]:
    """A file whose databases exist, and are empty."""
    with ExitStack() as made:

        def database() -> str:
            return make_conninfo(server, dbname=made.enter_context(databases.created(server)))

        places = [databases.as_owner(database()) for _ in range(shards)]
        yield cluster.ClusterFile(
            name="tests",
            owner=databases.OWNER,
            role=role,
            shards=tuple(cluster.shard_at(number, each) for number, each in enumerate(places)),
            routers=(database(),),
        )


def written(file: cluster.ClusterFile, path: Path) -> Path:
    """The same as a file, for the command line."""
    lines = [f'name = "{file.name}"', f'owner = "{file.owner}"', f'role = "{file.role}"']
    for shard in file.shards:
        lines += [
            "[[shards]]",
            f"conninfo = '''{shard.conninfo}'''",
            f"through = '''{shard.through}'''",
        ]
    for router in file.routers:
        lines += ["[[routers]]", f"conninfo = '''{router}'''"]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
