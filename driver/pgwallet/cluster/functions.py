"""The functions of an installed pgwallet, as its catalog tells them."""

from dataclasses import dataclass

import psycopg

# What a shard calls for the router beyond the public functions.
INTERNAL = ("_create_currency", "_open_project")

# What writes an event, which names who asked the router.
TELLING = frozenset(
    {
        *("_create_currency", "_open_project", "open_currency"),
        *("change_currency", "change_settings"),
        *("create_currency", "create_pocket", "create_project", "create_wallet"),
        *("close_pocket", "close_project", "close_wallet", "erase_owner"),
        *("rename_pocket", "set_allocation", "set_credit_limit", "set_target"),
        *("dispute_escrow", "resolve_dispute", "record_check"),
        *("freeze_account", "unfreeze_account"),
    }
)

_FUNCTIONS = """
select
  n.nspname::text, p.proname::text, p.provolatile = 'v', not p.proretset,
  array(
    select array[coalesce(a.name, ''), format_type(a.type, null)]
    from unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) with ordinality
      as a (name, type, n)
    order by a.n
  ),
  pg_get_function_arguments(p.oid),
  coalesce(
    (
      select array_agg(array[a.name, format_type(a.type, null)] order by a.n)
      from unnest(p.proargnames, p.proallargtypes, p.proargmodes) with ordinality
        as a (name, type, mode, n)
      where a.mode = 't'
    ),
    array[array['result', format_type(p.prorettype, null)]]
  ),
  coalesce(obj_description(p.oid, 'pg_proc'), '')
from pg_proc as p
inner join pg_namespace as n on n.oid = p.pronamespace
where p.prokind = 'f' and p.prorettype <> all ('{void,trigger}'::regtype[]) and (
  (n.nspname = 'pgwallet' and (p.proname !~ '^_' or p.proname = any (%s)))
  or n.nspname = 'pgwallet_shard'
)
order by n.nspname, p.proname
"""


@dataclass(frozen=True, slots=True)
class Named:
    """An argument or a column, with its SQL type."""

    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


@dataclass(frozen=True, slots=True)
class Function:
    """One function: `with_defaults` are its arguments as they are declared."""

    schema: str
    name: str
    is_volatile: bool
    is_scalar: bool
    arguments: tuple[Named, ...]
    with_defaults: str
    columns: tuple[Named, ...]
    comment: str

    @property
    def passed(self) -> str:
        """The names of its arguments, to hand them on."""
        return ", ".join(argument.name for argument in self.arguments)

    @property
    def is_telling(self) -> bool:
        """Whether it takes on a shard, beside its arguments, who asked the router: `p_caller`."""
        return self.name in TELLING

    @property
    def types_on_shard(self) -> str:
        """Those of the function that routers call."""
        types = [argument.type for argument in self.arguments]
        return ", ".join([*types, "text"] if self.is_telling else types)


def read_functions(conn: psycopg.Connection) -> dict[str, Function]:
    """By name: what a router can call on a shard."""
    conn.execute("set search_path = pg_catalog, pg_temp")
    return {
        name: Function(
            schema,
            name,
            is_volatile,
            is_scalar,
            tuple(Named(*each) for each in arguments),
            with_defaults,
            tuple(Named(*each) for each in columns),
            comment,
        )
        for (
            schema, name, is_volatile, is_scalar, arguments, with_defaults, columns, comment,
        ) in conn.execute(_FUNCTIONS, [list(INTERNAL)])
    }  # fmt: skip
