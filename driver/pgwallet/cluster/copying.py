"""The copy of a shard that a move makes: logical replication of all its tables."""

import hashlib
import logging
import time

import psycopg
from psycopg import sql

from pgwallet.deployment import DeploymentError

from .members import Identity, identity_of, kind_of, place_of

logger = logging.getLogger("pgwallet")

_POLL = 0.02  # seconds
_POLL_TABLES = 0.2
_TELL = 10.0

_SCHEMAS = "c.relnamespace in ('pgwallet'::regnamespace, 'pgwallet_shard'::regnamespace)"

# Who it is, each place says itself; what yoyo keeps, both have.
_PUBLISHED = f"""
select c.oid::regclass::text
from pg_class as c
where {_SCHEMAS} and c.relkind = 'r' and c.oid <> 'pgwallet_shard.identity'::regclass
  and not starts_with(c.relname, '_yoyo') and c.relname <> 'yoyo_lock'
order by 1
"""

# Without a key, a change of its rows would be refused as soon as it is published.
_WITHOUT_KEY = f"""
select c.oid::regclass::text
from pg_class as c
where {_SCHEMAS} and c.relkind = 'r' and c.relreplident in ('d', 'n')
  and (c.relreplident = 'n' or not exists (
    select from pg_index as i where i.indrelid = c.oid and i.indisprimary
  ))
"""

_SEQUENCES = """
select format('%I.%I', s.schemaname, s.sequencename)
from pg_sequences as s
where s.schemaname in ('pgwallet', 'pgwallet_shard')
"""

_TRIGGERS = f"""
select c.oid::regclass::text, quote_ident(t.tgname), t.tgenabled::text
from pg_trigger as t
inner join pg_class as c on c.oid = t.tgrelid
where {_SCHEMAS} and not t.tgisinternal
"""

_FIRES = {"O": "enable", "A": "enable always", "R": "enable replica", "D": "disable"}

# Where a move is headed for that has not ended.
_HEADED_FOR = """
select obj_description(p.oid, 'pg_publication') from pg_publication as p where p.pubname = %s
"""

_SLOTS = """
select s.slot_name::text, s.active_pid
from pg_replication_slots as s
where starts_with(s.slot_name, %s)
"""

_ROLES = """
select g.role_name::text from pgwallet.role_grant as g order by 1
"""


def name_of(shard: int) -> str:
    """The publication and the subscription of a move; its slot's name begins so."""
    return f"pgwallet_move_{shard}"


def check_new_place(
    at_old: psycopg.Connection, at_new: psycopg.Connection, identity: Identity
) -> None:
    """Refuses a place that is not empty, or where roles are missing that the ledger knows."""
    kind = kind_of(at_new)
    if kind.is_router or (kind.has_schema and not _is_left(at_old, at_new, identity)):
        raise DeploymentError(
            "the new place: this database is not empty; create one for the shard alone"
        )
    known = {name for (name,) in at_old.execute(_ROLES)}
    there = {name for (name,) in at_new.execute("select rolname::text from pg_roles")}
    there_not = sorted(known - there)
    if there_not:
        raise DeploymentError(
            f"the new place: it lacks the role{'s' * (len(there_not) > 1)} "
            f"{', '.join(there_not)}, which may use the ledger; create them there first, such as "
            "with pg_dumpall --roles-only"
        )


def _is_left(at_old: psycopg.Connection, at_new: psycopg.Connection, identity: Identity) -> bool:
    """Whether what is there is what a move of this shard has left that was broken off."""
    said = at_old.execute(_HEADED_FOR, [name_of(identity.shard)]).fetchone()
    if said is None or said[0] != _lasting_place_of(at_new):
        return False
    found = identity_of(at_new)
    if found is None and kind_of(at_new).is_ledger:
        return at_new.execute("select 1 from pgwallet.posting limit 1").fetchone() is None
    return found in (None, identity)


def _lasting_place_of(conn: psycopg.Connection) -> str:
    """The same also once its server has started again."""
    return place_of(conn).rpartition("/")[0]


def _has_subscription(at_new: psycopg.Connection, shard: int) -> bool:
    found = at_new.execute(
        "select 1 from pg_subscription as s inner join pg_database as d on d.oid = s.subdbid "
        "where d.datname = current_database() and s.subname = %s",
        [name_of(shard)],
    )
    return found.fetchone() is not None


def empty_new_place(at_new: psycopg.Connection) -> None:
    """Takes out the rows that an installation begins with: those of the shard will come."""
    with at_new.transaction():
        triggers = at_new.execute(_TRIGGERS).fetchall()
        tables = [table for (table,) in at_new.execute(_PUBLISHED)]
        for table in {table for table, _, _ in triggers}:
            at_new.execute(f"alter table {table} disable trigger user".encode())
        at_new.execute(f"truncate {', '.join([*tables, 'pgwallet_shard.identity'])}".encode())
        for table, trigger, fires in triggers:
            at_new.execute(f"alter table {table} {_FIRES[fires]} trigger {trigger}".encode())


class Copy:
    """A publication and a slot in the old place, and a subscription in the new one."""

    def __init__(
        self, at_old: psycopg.Connection, at_new: psycopg.Connection, shard: int, source: str
    ) -> None:
        self._old = at_old
        self._new = at_new
        self._source = source
        self.shard = shard
        self._name = name_of(shard)
        # No two places follow one slot, should one be left for another.
        place = hashlib.sha256(_lasting_place_of(at_new).encode()).hexdigest()
        self._slot = f"{self._name}_{place[:8]}"

    def check(self) -> None:
        """Refuses an old place that cannot be followed."""
        level = _setting(self._old, "wal_level")
        if level != "logical":
            raise DeploymentError(
                f"the old server has wal_level = {level}, and only a log that is logical can be "
                "followed: alter system set wal_level = logical, then start it again"
            )
        for (table,) in self._old.execute(_WITHOUT_KEY):
            if not table.startswith("pgwallet._yoyo"):
                raise DeploymentError(
                    f"table {table} has no primary key, so that its changes cannot be followed"
                )

    def begin(self) -> None:
        """Notes where the copy will be, before anything is there; again, takes back what was."""
        self._leave_off()
        name = sql.Identifier(self._name)
        found = self._old.execute(_HEADED_FOR, [self._name]).fetchone()
        if found is None:
            self._old.execute(sql.SQL("create publication {}").format(name))
        self._old.execute(
            sql.SQL("comment on publication {} is {}").format(name, _lasting_place_of(self._new))
        )

    def start(self, wait: float) -> None:
        """Raises errors.LockNotAvailable where a transaction that writes there stays open."""
        name = sql.Identifier(self._name)
        tables = ", ".join(table for (table,) in self._old.execute(_PUBLISHED))
        self._old.execute(
            sql.SQL("alter publication {} set table {}").format(name, sql.SQL(tables))
        )
        # By itself a subscription in the same server would wait for itself to make the slot, which
        # begins once all who write there now have ended.
        self._old.execute("select set_config('lock_timeout', %s, false)", [f"{wait}s"])
        self._old.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", [self._slot])
        self._old.execute("reset lock_timeout")
        try:
            self._new.execute(
                sql.SQL(
                    "create subscription {} connection {} publication {} "
                    "with (create_slot = false, slot_name = {})"
                ).format(name, self._source, name, sql.Literal(self._slot))
            )
        except psycopg.errors.ConnectionFailure as error:
            raise DeploymentError(
                f"the new server does not reach the old one: {error.diag.message_primary}; say "
                "how it does, and let its account have the password in its passfile"
            ) from error

    def wait_for_tables(self) -> None:
        """Until each table is copied and followed; then the planner learns how large they are."""
        told = -_TELL
        while True:
            row = self._new.execute(
                "select count(*) filter (where r.srsubstate = 'r'), count(*) "
                "from pg_subscription_rel as r"
            ).fetchone()
            ready, count = row or (0, 0)
            if ready == count:
                break
            if time.monotonic() - told > _TELL:
                logger.info("%s of %s tables are copied", ready, count)
                told = time.monotonic()
            self._check_worker()
            time.sleep(_POLL_TABLES)
        for (table,) in self._new.execute(_PUBLISHED).fetchall():
            self._new.execute(f"analyze {table}".encode())
        self.arrived(float("inf"))
        logger.info("all %s tables are copied and followed", count)

    def _check_worker(self) -> None:
        row = self._new.execute(
            "select c.apply_error_count + c.sync_error_count from pg_stat_subscription_stats as c "
            "inner join pg_subscription as s on s.oid = c.subid "
            "inner join pg_database as d on d.oid = s.subdbid "
            "where d.datname = current_database() and s.subname = %s",
            [self._name],
        ).fetchone()
        if row is not None and row[0] > 2:
            raise DeploymentError(
                "the copy fails again and again; the log of the new server says why"
            )

    def arrived(self, deadline: float) -> bool:
        """Whether all that the old place has written until now is safe in the new one in time."""
        # Its commit has all before it written out, also where commits do not wait for that.
        self._old.execute("set synchronous_commit = on")
        self._old.execute("select pg_logical_emit_message(true, 'pgwallet', 'move')")
        (end,) = self._old.execute("select pg_current_wal_flush_lsn()").fetchone() or (None,)
        while True:
            row = self._old.execute(
                "select s.confirmed_flush_lsn >= %s::pg_lsn from pg_replication_slots as s "
                "where s.slot_name = %s",
                [end, self._slot],
            ).fetchone()
            if row == (True,):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)

    def carry_sequences(self) -> None:
        for (sequence,) in self._old.execute(_SEQUENCES).fetchall():
            at = self._old.execute(f"select last_value, is_called from {sequence}".encode())
            value, is_called = at.fetchone() or (1, False)
            self._new.execute("select setval(%s, %s, %s)", [sequence, value, is_called])

    def take_back(self) -> None:
        """Leaves the new place empty, as it was."""
        self._leave_off()
        self._new.execute("drop schema if exists pgwallet, pgwallet_shard, pgwallet_call cascade")
        self._forget()

    def clean_up(self) -> None:
        """Leaves no slot, which would keep the old server's log for ever; again, does nothing."""
        self._leave_off()
        self._forget()

    def _forget(self) -> None:
        """At the very end: until then the same move goes on where it was broken off."""
        self._old.execute(
            sql.SQL("drop publication if exists {}").format(sql.Identifier(self._name))
        )

    def _leave_off(self) -> None:
        name = sql.Identifier(self._name)
        if _has_subscription(self._new, self.shard):
            self._new.execute(sql.SQL("alter subscription {} disable").format(name))
            self._new.execute(sql.SQL("alter subscription {} set (slot_name = none)").format(name))
            self._new.execute(sql.SQL("drop subscription {}").format(name))
        # Also that of another place, where a copy was begun and left: who follows there comes back.
        while slots := self._old.execute(_SLOTS, [f"{self._name}_"]).fetchall():
            for slot, follower in slots:
                try:
                    if follower is not None:
                        self._old.execute("select pg_terminate_backend(%s, 5000)", [follower])
                    self._old.execute("select pg_drop_replication_slot(%s)", [slot])
                except (psycopg.errors.ObjectInUse, psycopg.errors.UndefinedObject):
                    time.sleep(_POLL)


def _setting(conn: psycopg.Connection, name: str) -> str:
    row = conn.execute("select current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])
