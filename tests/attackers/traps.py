"""Functions, operators, types and views of an attacker's that say who runs them.

Each stands in for one of pg_catalog's and answers as that one does, after a notice with the
name of the role whose rights it has. Whoever looks names up along the attacker's search_path
steps into one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

STRUCK = "the trap was sprung by"

LAY = f"""
create function lair.struck() returns boolean language plpgsql as $trap$
begin
  raise notice '{STRUCK} %', current_user;
  return true;
end $trap$;

-- Operators and functions for whatever types the ledger works with.
do $lay$
declare
  v_types constant oid[] := array[
    'bool', 'int2', 'int4', 'int8', 'numeric', 'text', 'name', 'jsonb', 'timestamptz', 'bytea',
    'regclass'
  ]::regtype[]::oid[];
  v_trap record;
  v_number integer := 0;
begin
  for v_trap in
    select o.oprname as name, o.oprleft::regtype as l, o.oprright::regtype as r,
      o.oprresult::regtype as result
    from pg_operator as o
    where o.oprnamespace = 'pg_catalog'::regnamespace
      and o.oprleft = any (v_types) and o.oprright = any (v_types) and o.oprresult = any (v_types)
  loop
    v_number := v_number + 1;
    execute format(
      'create function lair.operator_%s(%s, %s) returns %s '
      'language plpgsql as $trap$ begin perform lair.struck(); '
      'return $1 operator(pg_catalog.%s) $2; end $trap$',
      v_number, v_trap.l, v_trap.r, v_trap.result, v_trap.name
    );
    execute format(
      'create operator lair.%s (function = lair.operator_%s, leftarg = %s, '
      'rightarg = %s)',
      v_trap.name, v_number, v_trap.l, v_trap.r
    );
  end loop;

  for v_trap in
    select distinct p.proname as name, pg_get_function_identity_arguments(p.oid) as arguments,
      p.prorettype::regtype as result,
      (
        select string_agg('$' || n, ', ' order by n) from generate_series(1, p.pronargs) as n
      ) as passed
    from pg_proc as p
    where p.pronamespace = 'pg_catalog'::regnamespace
      and p.prokind = 'f' and not p.proretset and p.provariadic = 0
      and p.prorettype = any (v_types) and p.proargtypes::oid[] <@ v_types
      and p.proname in (
        select m[1]
        from pg_proc as q
        cross join lateral regexp_matches(q.prosrc, '\\m([a-z_0-9]+)\\(', 'g') as m
        where q.pronamespace = 'pgwallet'::regnamespace
      )
  loop
    execute format(
      'create function lair.%I(%s) returns %s language plpgsql as $trap$ begin '
      'perform lair.struck(); return pg_catalog.%I(%s); end $trap$',
      v_trap.name, v_trap.arguments, v_trap.result, v_trap.name, v_trap.passed
    );
  end loop;
end $lay$;

create function lair.cardinality(numeric[]) returns integer language plpgsql as $trap$
begin perform lair.struck(); return pg_catalog.cardinality($1); end $trap$;

create function lair.cardinality(bigint[]) returns integer language plpgsql as $trap$
begin perform lair.struck(); return pg_catalog.cardinality($1); end $trap$;

create function lair.cardinality(text[]) returns integer language plpgsql as $trap$
begin perform lair.struck(); return pg_catalog.cardinality($1); end $trap$;

create function lair.unnest(pg_catalog.int8[]) returns setof bigint language plpgsql as $trap$
begin perform lair.struck(); return query select pg_catalog.unnest($1); end $trap$;

create function lair.format(text, bigint, numeric) returns text language plpgsql as $trap$
begin perform lair.struck(); return pg_catalog.format($1, $2, $3); end $trap$;

create function lair.add(numeric, numeric) returns numeric language plpgsql as $trap$
begin
  perform lair.struck();
  return coalesce($1 operator(pg_catalog.+) $2, $1, $2);
end $trap$;

create aggregate lair.sum(numeric) (sfunc = lair.add, stype = numeric);
"""

TYPES = ("text", "name", "jsonb", "timestamptz", "numeric", "int8", "int4", "bool", "regclass")
CATALOGS = ("pg_roles", "pg_trigger", "pg_proc", "pg_class")

# Before it comes what an attacker may put there. The last has the objects of pgwallet first.
PATHS = (
    "lair, pg_catalog, pg_temp",
    "pg_temp, lair, pg_catalog",
    "lair, pg_temp, pgwallet",
    "pgwallet, lair, pg_catalog",
)


def lay(conn: psycopg.Connection) -> None:
    """Creates the traps in the schema lair, by an attacker's own rights."""
    conn.execute(LAY.encode())
    shadow(conn, "lair")


def shadow(conn: psycopg.Connection, schema: str) -> None:
    """Creates domains and views there that are called like types and catalogs."""
    for name in TYPES:
        conn.execute(
            sql.SQL("create domain {} as {} check (lair.struck())").format(
                sql.Identifier(schema, name), sql.Identifier("pg_catalog", name)
            )
        )
    for name in CATALOGS:
        conn.execute(
            sql.SQL("create view {} as select * from {} where lair.struck()").format(
                sql.Identifier(schema, name), sql.Identifier("pg_catalog", name)
            )
        )


def arm(conn: psycopg.Connection, path: str) -> None:
    """Shadows types and catalogs by temporary ones too, ledger tables as well, and takes the path.

    Only a session that has called nothing yet is worth it: what was compiled stays compiled.
    """
    conn.execute("create temp table armed ()")
    shadow(conn, "pg_temp")
    for name in ("account", "posting", "transaction", "wallet", "escrow", "project", "currency"):
        conn.execute(
            sql.SQL("create temp view {} as select 1 as account_id where lair.struck()").format(
                sql.Identifier(name)
            )
        )
    conn.execute(f"set search_path = {path}".encode())


def stop_at(conn: psycopg.Connection, victim: str) -> None:
    """Ends, from now on, a statement that springs a trap with this role's rights."""
    conn.execute(
        sql.SQL(
            """
            create or replace function lair.struck() returns boolean language plpgsql as $trap$
            begin
              raise notice {}, current_user;
              if current_user operator(pg_catalog.=) {}::pg_catalog.name then
                raise exception 'that is enough';
              end if;
              return true;
            end $trap$
            """
        ).format(sql.Literal(f"{STRUCK} %"), sql.Literal(victim))
    )


@contextmanager
def listening(conn: psycopg.Connection) -> Iterator[list[str]]:
    """The roles with whose rights traps are sprung in the session meanwhile."""
    victims: list[str] = []

    def heard(diagnostic: psycopg.errors.Diagnostic) -> None:
        said = diagnostic.message_primary or ""
        if said.startswith(STRUCK):
            victims.append(said.removeprefix(STRUCK).strip())

    conn.add_notice_handler(heard)
    try:
        yield victims
    finally:
        conn.remove_notice_handler(heard)
