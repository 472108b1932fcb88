"""What the catalogs say of the schema pgwallet, in words that are the same on each server.

Each kind of thing has a query: the name of a thing first, then its properties. `make schema` writes
down what they give for a new installation; `status` holds that against a database. They read what
every role may read, and no table: what takes locks is only the text of views.

Not described, since it is the operator's own: where and how tables are stored, their statistics,
comments, vacuum settings and replica identity. A property that is off, none or empty is left out.
"""

from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

Properties = dict[str, Any]
Description = dict[str, dict[str, Properties]]

# How the catalogs write things out follows these.
_SETTINGS: dict[str, str] = {
    "search_path": "pg_catalog, pg_temp",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
}

# Extensions may live in the schema, and yoyo makes its own tables.
_RELATIONS = """
relation as (
  select c.*, quote_ident(c.relname) as name, starts_with(c.relname, '_yoyo_')
    or c.relname = 'yoyo_lock' as is_of_yoyo
  from pg_class as c
  where c.relnamespace = (select n.oid from pg_namespace as n where n.nspname = 'pgwallet')
    and not exists (
      select from pg_depend as d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
)
"""

_TABLES = f"""
with {_RELATIONS}
select
  r.name,
  case r.relkind when 'r' then 'table' when 'm' then 'materialized view'
    when 'f' then 'foreign table' else 'partitioned table' end as kind,
  case r.relpersistence when 'p' then 'logged' when 'u' then 'unlogged' else 'temporary' end
    as persistence,
  case when r.relforcerowsecurity then 'forced' when r.relrowsecurity then 'on' else 'off' end
    as row_security,
  (
    select coalesce(array_agg(i.inhrelid::regclass::text order by 1), '{{}}')
    from pg_inherits as i where i.inhparent = r.oid
  ) as children
from relation as r
where r.relkind in ('r', 'm', 'f', 'p')
"""

_COLUMNS = f"""
with {_RELATIONS}
select
  r.name || '.' || quote_ident(a.attname) as name,
  format_type(a.atttypid, a.atttypmod) as type,
  case when a.attcollation <> t.typcollation then l.collname::text end as collation,
  a.attnotnull as not_null,
  pg_get_expr(d.adbin, d.adrelid) as "default",
  case a.attidentity when 'a' then 'always' when 'd' then 'by default' end as identity,
  nullif(a.attgenerated::text, '') as generated
from relation as r
inner join pg_attribute as a on a.attrelid = r.oid
inner join pg_type as t on t.oid = a.atttypid
left join pg_collation as l on l.oid = a.attcollation
left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
where r.relkind in ('r', 'p') and not r.is_of_yoyo and a.attnum > 0 and not a.attisdropped
"""

# Those of kind n are columns that are not null, from 18 on; those of kind t are triggers.
_CONSTRAINTS = f"""
with {_RELATIONS}
select
  coalesce(r.name, quote_ident(t.typname)) || '.' || quote_ident(c.conname) as name,
  pg_get_constraintdef(c.oid) as definition,
  c.convalidated as valid,
  not exists (
    select from pg_trigger as g where g.tgconstraint = c.oid and g.tgenabled <> 'O'
  ) as enabled,
  t.oid is not null as of_domain
from pg_constraint as c
left join relation as r on r.oid = c.conrelid
left join pg_type as t on t.oid = c.contypid
  and t.typnamespace = (select n.oid from pg_namespace as n where n.nspname = 'pgwallet')
where c.contype in ('p', 'u', 'f', 'c', 'x') and (t.oid is not null or not r.is_of_yoyo)
"""

_INDEXES = f"""
with {_RELATIONS}
select
  quote_ident(x.relname) as name,
  r.name as of_table,
  pg_get_indexdef(i.indexrelid) as definition,
  i.indisunique or i.indisexclusion as refuses,
  exists (select from pg_constraint as c where c.conindid = x.oid and c.conrelid = r.oid)
    as of_constraint,
  i.indisvalid and i.indisready and i.indislive as valid
from relation as r
inner join pg_index as i on i.indrelid = r.oid
inner join pg_class as x on x.oid = i.indexrelid
where not r.is_of_yoyo
"""

_TRIGGERS = f"""
with {_RELATIONS}
select
  r.name || '.' || quote_ident(t.tgname) as name,
  pg_get_triggerdef(t.oid) as definition,
  case t.tgenabled when 'A' then 'always' when 'O' then 'enabled' when 'R' then 'on replica'
    else 'disabled' end as fires
from relation as r
inner join pg_trigger as t on t.tgrelid = r.oid
where not t.tgisinternal
"""

_RULES = f"""
with {_RELATIONS}
select r.name || '.' || quote_ident(w.rulename) as name
from relation as r
inner join pg_rewrite as w on w.ev_class = r.oid
where w.rulename <> '_RETURN' or w.ev_enabled <> 'O'
"""

_POLICIES = f"""
with {_RELATIONS}
select r.name || '.' || quote_ident(p.polname) as name
from relation as r
inner join pg_policy as p on p.polrelid = r.oid
"""

_SEQUENCES = f"""
with {_RELATIONS}
select
  r.name,
  format_type(s.seqtypid, null) as type, s.seqstart as start, s.seqincrement as increment,
  s.seqmin as minimum, s.seqmax as maximum, s.seqcache as cache, s.seqcycle as cycle,
  case r.relpersistence when 'p' then 'logged' else 'unlogged' end as persistence
from relation as r
inner join pg_sequence as s on s.seqrelid = r.oid
"""

_VIEWS = f"""
with {_RELATIONS}
select
  r.name,
  pg_get_viewdef(r.oid) as definition,
  coalesce(r.reloptions, '{{}}') as options
from relation as r
where r.relkind = 'v'
"""

# A table's row is a type too, and so is an array of each.
_TYPES = """
select
  quote_ident(t.typname) as name,
  case t.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite'
    when 'r' then 'range' when 'm' then 'multirange' else 'base' end as kind,
  (
    select array_agg(e.enumlabel::text order by e.enumsortorder)
    from pg_enum as e where e.enumtypid = t.oid
  ) as labels,
  (
    select array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum)
    from pg_attribute as a
    where a.attrelid = t.typrelid and t.typrelid <> 0 and a.attnum > 0 and not a.attisdropped
  ) as fields,
  case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end as base,
  case when t.typtype = 'd' then l.collname::text end as collation,
  t.typnotnull as not_null,
  t.typdefault as "default"
from pg_type as t
left join pg_class as c on c.oid = t.typrelid
left join pg_collation as l on l.oid = t.typcollation
where t.typnamespace = (select n.oid from pg_namespace as n where n.nspname = 'pgwallet')
  and coalesce(c.relkind = 'c', true)
  and not exists (select from pg_type as e where e.typarray = t.oid)
  and not exists (
    select from pg_depend as d
    where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
  )
"""

# The text of a function is held against its file, but that of a standard SQL one: the catalogs have
# what was read when it was made.
_FUNCTIONS = """
select
  p.oid::regprocedure::text as name,
  p.proname::text as short_name,
  case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w' then 'window function'
    else 'function' end as kind,
  pg_get_function_arguments(p.oid) as arguments,
  pg_get_function_result(p.oid) as result,
  l.lanname::text as language,
  case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end
    as volatility,
  case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end as parallel,
  p.prosecdef as security_definer,
  p.proisstrict as strict,
  p.proleakproof as leakproof,
  p.procost as cost,
  p.prorows as rows,
  coalesce(p.proconfig, '{}') as settings,
  pg_get_function_sqlbody(p.oid) as sql_body
from pg_proc as p
inner join pg_language as l on l.oid = p.prolang
where p.pronamespace = (select n.oid from pg_namespace as n where n.nspname = 'pgwallet')
  and not exists (
    select from pg_depend as d
    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
  )
"""

_QUERIES: dict[str, LiteralString] = {
    "table": _TABLES,
    "column": _COLUMNS,
    "constraint": _CONSTRAINTS,
    "index": _INDEXES,
    "trigger": _TRIGGERS,
    "rule": _RULES,
    "policy": _POLICIES,
    "sequence": _SEQUENCES,
    "view": _VIEWS,
    "type": _TYPES,
}


def describe(conn: psycopg.Connection) -> Description:
    """All that a schema has, by kind and name; functions without their text and comment."""
    described = {kind: _named(conn, query) for kind, query in _QUERIES.items()}
    described["function"] = _named(conn, _FUNCTIONS)
    return described


def set_up(conn: psycopg.Connection) -> None:
    """What the catalogs write has to be the same whatever the session has set."""
    for name, value in _SETTINGS.items():
        conn.execute("select set_config(%s, %s, true)", [name, value])


def _named(conn: psycopg.Connection, query: LiteralString) -> dict[str, Properties]:
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query).fetchall()
    return {
        row.pop("name"): {name: value for name, value in row.items() if value}
        for row in sorted(rows, key=lambda row: str(row["name"]))
    }
