"""The SQL of a cluster: what is written by hand in db/cluster, and what is made of the catalog.

A shard is a pgwallet database with two schemas more. `pgwallet_shard` is written by hand: who the
shard is, plans of what several shards do. `pgwallet_call` is generated: each function once more,
with its error as a column instead of raised: PL/Proxy gives its connection up after any error.

A router has the schema `pgwallet` with the names, arguments and columns of the ledger. What goes
to one shard is generated; what concerns several is written by hand. `pgwallet_remote` is generated:
the same functions again, in PL/Proxy, for a shard by its number, or as `..._all` on all at once.
`pgwallet_router` helps both.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pgwallet.deployment import migrations_directory

from .file import ClusterFile
from .functions import Function
from .routing import LOCAL, LOCAL_INTERNALS, LOCAL_PROCEDURES, READING, Route, route_of

_SHARD_SIDE = """
create or replace function pgwallet_call.{name}({arguments})
returns table ({columns}, error text[])
language plpgsql
{volatility}
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_state text;
  v_message text;
  v_detail text;
  v_hint text;
begin
{begin}  return query select {selected}, null::text[] from {schema}.{name}({passed}) as r{alias};
exception when others then
  get stacked diagnostics
    v_state = returned_sqlstate, v_message = message_text,
    v_detail = pg_exception_detail, v_hint = pg_exception_hint;
  error := array[v_state, v_message, v_detail, v_hint];
  return next;
end;
$function$;
"""

_REMOTE = """
create or replace function pgwallet_remote.{name}{suffix}({arguments})
returns table ({columns}, error text[])
language plproxy
as $function$
  cluster 'pgwallet';
  run on {where};
  select {selected}, error from pgwallet_call.{name}({passed});
$function$;
"""

_PUBLIC = """
create or replace function pgwallet.{name}({arguments})
returns {returned}
language plpgsql
{volatility}
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
{begin}  {answer}
  select {selected}
  from pgwallet_remote.{name}({shard}{passed}) as r
  where r.error is null or pgwallet_router._raise(r.error){end}
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
"""

_NOT_HERE = """
create or replace function pgwallet.{name}({arguments})
returns {returned}
language plpgsql
{volatility}
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = '0A000',
    message = '{name} concerns one database, and a router is none',
    hint = 'Connect to the shard that you mean.';
end;
$function$;
"""

# For everybody who may use the schema: no access of a ledger names them. The last asks by itself.
_FOR_ALL = """
grant execute on function pgwallet.list_shards, pgwallet.shard_of to public;
grant execute on function pgwallet.complete_plans to public;
"""

_CLUSTER = """
create or replace function pgwallet_router._cluster()
returns text
language sql
immutable
as $function$
  select {cluster}
$function$;

create or replace function pgwallet_router._shard_count()
returns integer
language sql
immutable
as $function$
  select {shard_count}
$function$;

-- Whether the first shard was a ledger by itself before, so that ids below all ranges are of there.
create or replace function pgwallet_router._has_adopted()
returns boolean
language sql
immutable
as $function$
  select {has_adopted}
$function$;
"""


def directory() -> Path:
    return migrations_directory().parent / "cluster"


def by_hand() -> frozenset[str]:
    """The public functions that are written by hand for a router."""
    return frozenset(file.stem for file in (directory() / "router").glob("*.sql")) - {"tables"}


def shard_tables() -> str:
    """What a shard keeps and how it joins: before its functions can be read and wrapped."""
    files = sorted((directory() / "shard").glob("*.sql"), key=lambda file: file.stem != "tables")
    return _text_of(files)


def shard_calls(functions: Iterable[Function], role: str) -> str:
    """The functions that routers call, and the right to for their role alone."""
    return "\n".join(
        [
            "create schema if not exists pgwallet_call;",
            *(_shard_side(f) for f in functions if f.name not in LOCAL),
            "revoke all on all functions in schema pgwallet_call from public;",
            f"grant usage on schema pgwallet_call to {role};",
            f"grant execute on all functions in schema pgwallet_call to {role};",
        ]
    )


def router_tables() -> str:
    return _text_of([directory() / "router" / "tables.sql"])


def remote_calls(functions: Iterable[Function]) -> str:
    """What only a superuser may write: PL/Proxy is an untrusted language."""
    on_all = _called_on_all()
    made = []
    for function in functions:
        if function.name not in LOCAL:
            made.append(_remote(function, "", "p_shard"))
            if function.name in on_all:
                made.append(_remote(function, "_all", "all"))
    return "".join(made)


def router_functions(
    functions: Collection[Function], cluster: ClusterFile, version: str, has_adopted: bool
) -> str:
    """All that the router's owner writes, the schema pgwallet as a whole."""
    name = cluster.name.replace("'", "''")
    router = directory() / "router"
    parts = [
        "set local check_function_bodies = off;",
        _CLUSTER.format(
            cluster=f"'{name}'",
            shard_count=len(cluster.shards),
            has_adopted=str(has_adopted).lower(),
        ),
        _text_of(sorted((router / "internal").glob("*.sql"))),
        _text_of(sorted(router / f"{name}.sql" for name in by_hand())),
        _text_of(_of_the_ledger()),
        *_generated(functions),
    ]
    text, comments = "\n".join(parts), "".join(_comments(functions))
    source_hash = hashlib.sha256((text + comments).encode()).hexdigest()
    finish = f"select pgwallet._finish_install('{source_hash}', '{version}');"
    return "\n".join([text, finish, _FOR_ALL, comments])


def _generated(functions: Iterable[Function]) -> Iterator[str]:
    names = by_hand()
    for function in functions:
        if function.schema != "pgwallet" or function.name.startswith("_"):
            continue
        route = route_of(function, names)
        if route is Route.BY_ID:
            yield _public(function, f"coalesce(pgwallet_router._shard_of({_first(function)}), 0)")
        elif route is Route.BY_OWNER:
            yield _public(function, f"pgwallet_router._home_or_first({_first(function)}, null)")
        elif route is Route.NOT_HERE:
            yield _NOT_HERE.format(
                name=function.name,
                arguments=function.with_defaults,
                returned=_returned(function),
                volatility="volatile" if function.is_volatile else "stable",
            )


def _comments(functions: Iterable[Function]) -> Iterator[str]:
    """Once each name is of one function: those of the version before are gone."""
    names = by_hand()
    for function in functions:
        if function.schema != "pgwallet" or function.name.startswith("_"):
            continue
        if route_of(function, names) is not Route.LOCAL:
            comment = function.comment.replace("'", "''")
            yield f"comment on function pgwallet.{function.name} is '{comment}';\n"


def _shard_side(function: Function) -> str:
    return _SHARD_SIDE.format(
        name=function.name,
        schema=function.schema,
        # With defaults, so that a router of the version before may pass less.
        arguments=_and(function.with_defaults, function, "p_caller text default null"),
        columns=", ".join(map(str, function.columns)),
        volatility="volatile" if function.is_volatile else "stable",
        begin="  perform set_config('pgwallet.caller', p_caller, true);\n"
        if function.is_telling
        else "",
        selected="r.result" if function.is_scalar else _columns(function, "r."),
        passed=function.passed,
        alias=" (result)" if function.is_scalar else "",
    )


def _remote(function: Function, suffix: str, where: str) -> str:
    shard = ["p_shard integer"] if where == "p_shard" else []
    arguments = ", ".join([*shard, *map(str, function.arguments)])
    return _REMOTE.format(
        name=function.name,
        suffix=suffix,
        where=where,
        # Who asks, wherever a call does not say otherwise.
        arguments=_and(arguments, function, "p_caller text default session_user"),
        columns=", ".join(map(str, function.columns)),
        selected=_columns(function),
        passed=_and(function.passed, function, "p_caller"),
    )


def _and(arguments: str, function: Function, caller: str) -> str:
    return f"{arguments}, {caller}" if function.is_telling else arguments


def _public(function: Function, shard: str) -> str:
    moves = function.is_volatile and function.name not in READING
    return _PUBLIC.format(
        name=function.name,
        arguments=function.with_defaults,
        returned=_returned(function),
        volatility="volatile" if function.is_volatile else "stable",
        begin=f"  perform pgwallet_router._begin_call({shard});\n" if moves else "",
        answer="return (" if function.is_scalar else "return query",
        end="\n  );" if function.is_scalar else ";",
        selected=_columns(function, "r."),
        shard=f"{shard}, ",
        passed=function.passed,
    )


def _returned(function: Function) -> str:
    if function.is_scalar:
        return function.columns[0].type
    return f"table ({', '.join(map(str, function.columns))})"


def _columns(function: Function, prefix: str = "") -> str:
    return ", ".join(f"{prefix}{column.name}" for column in function.columns)


def _first(function: Function) -> str:
    return function.arguments[0].name


def _called_on_all() -> set[str]:
    """The functions that some file calls on all shards at once."""
    text = _text_of(sorted((directory() / "router").rglob("*.sql")))
    return {
        part.partition("(")[0].removesuffix("_all")
        for part in text.split("pgwallet_remote.")[1:]
        if part.partition("(")[0].endswith("_all")
    }


def _of_the_ledger() -> list[Path]:
    """The files of the ledger that serve on a router as they are."""
    names = {*LOCAL, *LOCAL_PROCEDURES, *LOCAL_INTERNALS}
    procedures = migrations_directory().parent / "procedures"
    return sorted(file for file in procedures.rglob("*.sql") if file.stem in names)


def _text_of(files: Iterable[Path]) -> str:
    return "\n".join(file.read_text("utf-8") for file in files)
