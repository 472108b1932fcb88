"""The views of a router: what the shards' views show, together, by postgres_fdw.

Each shard is a foreign server, each of its views a foreign table in `pgwallet_remote`. Conditions
go to the shards; what a project or a month has on several of them is summed up here.
"""

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from .file import ClusterFile

# What each row of is on one shard.
_UNITED = ("wallet_summary", "pocket_summary", "escrow_summary", "transaction_log")
# What several shards have a part of, by the columns that say of what.
_SUMMED = {"project_summary": ("project_id",), "platform_summary": ("month", "currency")}
# What is the same on all shards.
_COMMON = ("settings", "currency")

_NAMES = (*_UNITED, *_SUMMED, *_COMMON)

# Those of a shard once more, in the schema that routers may use.
_SHARD_VIEW = "create view pgwallet_call.{0} as select * from pgwallet.{0}"

_DIFFERING = """
select v.name
from unnest(%s::text[]) as v (name)
cross join lateral (
  select array_agg(a.attname order by a.attnum) filter (
    where n.nspname = 'pgwallet'
  ) is distinct from array_agg(a.attname order by a.attnum) filter (
    where n.nspname = 'pgwallet_call'
  ) as differs
  from pg_class as c
  inner join pg_namespace as n on n.oid = c.relnamespace
  inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where n.nspname in ('pgwallet', 'pgwallet_call') and c.relname = v.name
) as d
where d.differs
"""

# After the functions: they are changed on all shards or, where one is not reached, it is named.
CHANGING = "".join(
    f"""
create or replace trigger begin_call
before update on pgwallet.{name}
for each statement execute function pgwallet_router._change_common();

create or replace trigger change
instead of update on pgwallet.{name}
for each row execute function pgwallet_router._change_common();
"""
    for name in _COMMON
)

_COLUMNS = """
select
  c.relname::text, a.attname::text,
  format_type(coalesce(nullif(y.typbasetype, 0), a.atttypid), null),
  coalesce(obj_description(c.oid, 'pg_class'), ''), coalesce(col_description(c.oid, a.attnum), '')
from pg_class as c
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
inner join pg_type as y on y.oid = a.atttypid
where c.relnamespace = 'pgwallet'::regnamespace and c.relname = any (%s)
order by c.relname, a.attnum
"""

Columns = list[tuple[str, str, str]]
Views = dict[str, tuple[str, Columns]]


def write_shard_views(conn: psycopg.Connection, role: str) -> None:
    """Has a shard show the role of routers what theirs show, where it does not yet."""
    for (name,) in conn.execute(_DIFFERING, [list(_NAMES)]).fetchall():
        view = sql.Identifier("pgwallet_call", name)
        conn.execute(sql.SQL("drop view if exists {}").format(view))
        conn.execute(_SHARD_VIEW.format(name).encode())
        conn.execute(sql.SQL("grant select on {} to {}").format(view, sql.Identifier(role)))


def drop_shard_views(conn: psycopg.Connection) -> None:
    """Lets migrations drop what they show; they are made again at the end."""
    for name in _NAMES:
        conn.execute(
            sql.SQL("drop view if exists {}").format(sql.Identifier("pgwallet_call", name))
        )


def read_views(shard: psycopg.Connection) -> Views:
    """By name: what the views of a shard say of themselves, and of their columns."""
    views: Views = {}
    for name, column, kind, said, of_column in shard.execute(_COLUMNS, [list(_NAMES)]):
        views.setdefault(name, (said, []))[1].append((column, kind, of_column))
    return views


def point_views(conn: psycopg.Connection, cluster: ClusterFile) -> None:
    """Tells postgres_fdw where the shards are; no password is among it."""
    owner = sql.Identifier(cluster.owner)
    known = {
        name: dict(option.split("=", 1) for option in options)
        for name, options in conn.execute(
            "select srvname::text, coalesce(srvoptions, '{}') from pg_foreign_server"
        ).fetchall()
    }
    for shard in cluster.shards:
        name = _server(shard.number)
        place = {key: str(value) for key, value in conninfo_to_dict(shard.through).items()}
        server = sql.Identifier(name)
        if name not in known:
            conn.execute(
                sql.SQL("create server {} foreign data wrapper postgres_fdw").format(server)
            )
            conn.execute(sql.SQL("grant usage on foreign server {} to {}").format(server, owner))
            conn.execute(
                sql.SQL(
                    "create user mapping for {} server {} "
                    "options (user {}, password_required 'false')"
                ).format(owner, server, cluster.role)
            )
        wanted = {**place, "fetch_size": "1000"}
        changes = [
            sql.SQL("{} {} {}").format(
                sql.SQL("set" if key in known.get(name, {}) else "add"), sql.Identifier(key), value
            )
            for key, value in wanted.items()
            if known.get(name, {}).get(key) != value
        ] + [
            sql.SQL("drop {}").format(sql.Identifier(key))
            for key in known.get(name, {})
            if key not in wanted
        ]
        if changes:
            conn.execute(
                sql.SQL("alter server {} options ({})").format(server, sql.SQL(", ").join(changes))
            )


def write_views(conn: psycopg.Connection, cluster: ClusterFile, views: Views) -> None:
    """Makes the views of a router anew, as its owner; who may read them is granted at the end."""
    for name, (said, columns) in views.items():
        view = sql.Identifier("pgwallet", name)
        conn.execute(sql.SQL("drop view if exists {}").format(view))
        shards = cluster.shards[:1] if name in _COMMON else cluster.shards
        for shard in shards:
            table = sql.Identifier("pgwallet_remote", f"{name}_{shard.number}")
            conn.execute(sql.SQL("drop foreign table if exists {}").format(table))
            conn.execute(
                sql.SQL(
                    "create foreign table {} ({}) server {} "
                    "options (schema_name 'pgwallet_call', table_name {})"
                ).format(
                    table,
                    sql.SQL(", ").join(
                        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))
                        for column, kind, _ in columns
                    ),
                    sql.Identifier(_server(shard.number)),
                    name,
                )
            )
        united = sql.SQL(" union all ").join(
            sql.SQL("select {shard} as shard, t.* from {table} as t").format(
                shard=sql.Literal(shard.number),
                table=sql.Identifier("pgwallet_remote", f"{name}_{shard.number}"),
            )
            for shard in shards
        )
        conn.execute(
            sql.SQL("create view {} as select {} from ({}) as u {}").format(
                view, _selected(name, columns, len(cluster.shards)), united, _grouped(name)
            )
        )
        conn.execute(sql.SQL("comment on view {} is {}").format(view, said))
        for column, _, of_column in columns:
            conn.execute(
                sql.SQL("comment on column {}.{} is {}").format(
                    view, sql.Identifier(column), of_column
                )
            )


def _selected(name: str, columns: Columns, count: int) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL(_column(name, column)).format(sql.Identifier(column), sql.Literal(count))
        for column, _, _ in columns
    )


def _column(name: str, column: str) -> str:
    if name not in _SUMMED or column in _SUMMED[name]:
        return "u.{0}"
    if column.endswith("_count"):
        return "sum(u.{0})::bigint as {0}"
    if column == "balance" or column.endswith("_amount"):
        return "sum(u.{0}) as {0}"
    # Its home decides; while it is being made, whoever has it.
    return (
        "(array_agg(u.{0} order by u.shard <> "
        "case when u.project_id >> 45 = 0 then 0 else (u.project_id >> 10) % {1} end))[1] as {0}"
    )


def _grouped(name: str) -> sql.SQL:
    if name not in _SUMMED:
        return sql.SQL("")
    return sql.SQL("group by " + ", ".join(f"u.{column}" for column in _SUMMED[name]))


def _server(number: int) -> str:
    return f"pgwallet_shard_{number}"
