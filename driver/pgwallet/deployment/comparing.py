"""Tells what a database lacks of this version of pgwallet, and what was changed by hand."""

from dataclasses import dataclass
from typing import Literal

import psycopg

from .code import Code, read_code
from .connecting import connect, exists, explain_errors
from .versions import is_newer

_LAST_DEPLOYMENT = """
select d.source_hash, d.version from pgwallet.deployment as d order by d.deployment_id desc limit 1
"""

_DRIFT = """
select
  coalesce(i.signature, d.signature),
  case
    when d.signature is null then 'unknown' when i.signature is null then 'missing' else 'edited'
  end
from pgwallet.installed_routine as i
full join pgwallet.deployed_routine as d on i.signature = d.signature
where i.definition_hash is distinct from d.definition_hash
order by 1
"""

_CAN_LIST_SEQUENCES = """
select to_regprocedure('pgwallet.list_sequences()') is not null
"""

_LATE_SEQUENCES = """
select s.sequence_name, s.next_value, s.highest_value
from pgwallet.list_sequences() as s
where s.next_value <= s.highest_value
order by s.sequence_name
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """A function that is not as the last deployment left it."""

    signature: str
    what: Literal["edited", "missing", "unknown"]


@dataclass(frozen=True, slots=True)
class LateSequence:
    """A sequence behind its tables, as after a restore of some of them: it repeats ids."""

    name: str
    next_value: int
    highest_value: int

    @property
    def remedy(self) -> str:
        """The SQL that puts it past what the tables hold, for the owner."""
        if self.name == "posting_id_seq":
            # Only the last postings were looked at, and one before them may have a higher id.
            return (
                f"select setval('pgwallet.{self.name}', max(p.posting_id)) "
                "from pgwallet.posting as p"
            )
        return f"select setval('pgwallet.{self.name}', {self.highest_value})"


@dataclass(frozen=True, slots=True)
class Status:
    """What tells a database from this version of pgwallet.

    `unknown` are migrations that the database has and this version does not.
    `functions_differ` means that the code's functions are others than those deployed last;
    `drift` is what was done by hand since. `version` is what was deployed last, None without a
    deployment; `newer` means that the database is newer than this version, which `migrate` refuses
    to bring back. `late_sequences` are no matter of versions, and
    `migrate` leaves them: each has its `remedy`.
    """

    pending: tuple[str, ...]
    unknown: tuple[str, ...]
    functions_differ: bool
    drift: tuple[Drift, ...]
    late_sequences: tuple[LateSequence, ...] = ()
    version: str | None = None
    newer: bool = False

    @property
    def needs_migrate(self) -> bool:
        return bool(self.pending or self.unknown or self.functions_differ or self.drift)

    @property
    def up_to_date(self) -> bool:
        return not (self.needs_migrate or self.late_sequences)


def status(conninfo: str = "") -> Status:
    """Compares a database with this version of pgwallet; changes nothing.

    `conninfo` as for `migrate`. A database without pgwallet has everything pending. Raises
    DeploymentError, or psycopg's own error when the server cannot be reached.
    """
    code = read_code()
    with connect(conninfo) as conn, explain_errors(), conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        conn.execute("set local search_path = pg_catalog, pg_temp")
        return compare(conn, code)


def compare(conn: psycopg.Connection, code: Code) -> Status:
    applied: set[str] = set()
    if exists(conn, "pgwallet._yoyo_migration"):
        rows = conn.execute("select m.migration_id from pgwallet._yoyo_migration as m")
        applied = {migration_id for (migration_id,) in rows}
    deployed: tuple[str, str] | None = None
    drift: tuple[Drift, ...] = ()
    late_sequences: tuple[LateSequence, ...] = ()
    if exists(conn, "pgwallet.deployment"):
        deployed = conn.execute(_LAST_DEPLOYMENT).fetchone()
        drift = tuple(Drift(*row) for row in conn.execute(_DRIFT))
        if conn.execute(_CAN_LIST_SEQUENCES).fetchone() == (True,):
            late_sequences = tuple(LateSequence(*row) for row in conn.execute(_LATE_SEQUENCES))
    known = [migration.id for migration in code.migrations]
    unknown = tuple(sorted(applied.difference(known)))
    version = None if deployed is None else deployed[1]
    return Status(
        pending=tuple(name for name in known if name not in applied),
        unknown=unknown,
        functions_differ=deployed != (code.functions_hash, code.version),
        drift=drift,
        late_sequences=late_sequences,
        version=version,
        newer=bool(unknown) or (version is not None and is_newer(version, code.version)),
    )
