"""Holds owners and rights in a database against what the owner has granted by an access."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import psycopg

from .describing import Description
from .drift import MIGRATE, Drift

_OBJECTS = """
own as (
  select n.oid, n.nspowner, pg_get_userbyid(n.nspowner) as owner
  from pg_namespace as n where n.nspname = 'pgwallet'
),
guest as (
  select d.classid, d.objid from pg_depend as d where d.deptype = 'e'
),
thing as (
  select 'schema' as kind, 'pgwallet' as name, 'n' as letter, n.nspacl as acl,
    n.nspowner as owner, n.oid
  from pg_namespace as n, own where n.oid = own.oid
  union all
  select
    case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end,
    quote_ident(c.relname), case when c.relkind = 'S' then 's' else 'r' end, c.relacl, c.relowner,
    c.oid
  from pg_class as c, own
  where c.relnamespace = own.oid and c.relkind in ('r', 'p', 'f', 'm', 'v', 'S')
    and ('pg_class'::regclass, c.oid) not in (select g.classid, g.objid from guest as g)
  union all
  select 'function', p.oid::regprocedure::text, 'f', p.proacl, p.proowner, p.oid
  from pg_proc as p, own
  where p.pronamespace = own.oid
    and ('pg_proc'::regclass, p.oid) not in (select g.classid, g.objid from guest as g)
  union all
  select 'type', quote_ident(t.typname), 'T', t.typacl, t.typowner, t.oid
  from pg_type as t, own
  where t.typnamespace = own.oid and t.typtype in ('e', 'd')
    and ('pg_type'::regclass, t.oid) not in (select g.classid, g.objid from guest as g)
)
"""

# A sequence that is linked to a column belongs to whom the table belongs to.
_OTHER_OWNERS = f"""
with {_OBJECTS}
select
  t.kind, t.name, quote_ident(r.rolname), r.rolsuper, quote_ident(own.owner)
from thing as t cross join own
left join pg_roles as r on r.oid = t.owner
where t.owner <> own.nspowner
  and not exists (
    select from pg_depend as d
    where t.kind = 'sequence' and d.classid = 'pg_class'::regclass and d.objid = t.oid
      and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  )
order by t.kind, t.name
"""

# Beside what an owner has by itself; PUBLIC may use types, which is harmless.
_RIGHTS = f"""
with {_OBJECTS},
standard as (
  select t.kind, t.name, g.grantee, g.privilege_type, g.is_grantable
  from thing as t
  cross join lateral aclexplode(acldefault(t.letter::"char", t.owner)) as g
  where g.grantee <> 0 or t.kind = 'type'
),
given as (
  select t.kind, t.name, g.grantee, g.privilege_type, g.is_grantable
  from thing as t
  cross join lateral aclexplode(coalesce(t.acl, acldefault(t.letter::"char", t.owner))) as g
  union all
  select 'column', quote_ident(c.relname) || '.' || quote_ident(a.attname), g.grantee,
    g.privilege_type, g.is_grantable
  from own
  inner join pg_class as c on c.relnamespace = own.oid
  inner join pg_attribute as a on a.attrelid = c.oid
  cross join lateral aclexplode(a.attacl) as g
  union all
  select 'default', quote_ident(pg_get_userbyid(d.defaclrole)) || '.' ||
    case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
      else 'types' end,
    g.grantee, g.privilege_type, g.is_grantable
  from own
  inner join pg_default_acl as d on d.defaclnamespace = own.oid
  cross join lateral aclexplode(d.defaclacl) as g
)
select
  e.is_given, e.kind, e.name,
  case e.grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(e.grantee)) end,
  lower(e.privilege_type), e.is_grantable
from (
  select true as is_given, g.* from (table given except table standard) as g
  union all
  select false, g.* from (table standard except table given) as g where g.grantee <> 0
) as e
order by e.kind, e.name, 4, e.privilege_type
"""

_TO_HAVE = """
select quote_ident(l.role_name), l.object_name from pgwallet.list_rights() as l
where l.role_name <> pg_get_userbyid(
  (select n.nspowner from pg_namespace as n where n.nspname = 'pgwallet')
)
"""


class _Right(NamedTuple):
    kind: str
    name: str
    grantee: str
    privilege: str

    @property
    def is_closed_by_migrate(self) -> bool:
        return self.grantee == "PUBLIC" and self.kind in ("schema", "function", "view")

    def sql(self, privileges: str) -> str:
        """Such as `execute on routine pgwallet.balance(bigint)`."""
        match self.kind:
            case "schema":
                return f"{privileges} on schema {self.name}"
            case "function":
                return f"{privileges} on routine {self.name}"
            case "column":
                table, _, column = self.name.partition(".")
                return f"{privileges} ({column}) on pgwallet.{table}"
            case "table" | "view":
                return f"{privileges} on pgwallet.{self.name}"
            case kind:
                return f"{privileges} on {kind} pgwallet.{self.name}"


def compare_owners(conn: psycopg.Connection) -> Iterator[Drift]:
    """All belongs to whom the schema belongs to."""
    for kind, name, owner, is_superuser, right in conn.execute(_OTHER_OWNERS):
        with_rights = ", a superuser, so it may do anything" if is_superuser else ""
        what = "routine" if kind == "function" else kind
        path = name if kind == "function" else f"pgwallet.{name}"
        yield Drift(
            kind,
            name,
            "owner",
            f"belongs to {owner}{with_rights}, not to {right}",
            f"alter {what} {path} owner to {right};",
        )


def compare_rights(conn: psycopg.Connection, described: Description) -> Iterator[Drift]:
    """What each role was given, no more and no less."""
    given, lacking, grantable = set[_Right](), set[_Right](), set[_Right]()
    for is_given, *parts, is_grantable in conn.execute(_RIGHTS):
        (given if is_given else lacking).add(_Right(*parts))
        if is_grantable:
            grantable.add(_Right(*parts))
    to_have = set(_rights_to_have(conn, described))

    for right, privileges in _together(given & grantable & to_have):
        option = right.sql(privileges)
        yield _drift(
            right,
            f"{right.grantee} may pass on {privileges}",
            f"revoke grant option for {option} from {right.grantee} cascade;",
        )
    for right, privileges in _together(given - to_have):
        remedy = f"revoke {right.sql(privileges)} from {right.grantee};"
        if right.kind == "default":
            role, _, what = right.name.partition(".")
            remedy = (
                f"alter default privileges for role {role} in schema pgwallet "
                f"revoke {privileges} on {what} from {right.grantee};"
            )
        if right.is_closed_by_migrate:
            remedy = MIGRATE
        yield _drift(right, f"{right.grantee} has {privileges}", remedy)
    for right, privileges in _together(to_have - given):
        yield _drift(right, f"{right.grantee} lacks {privileges}", MIGRATE)
    for right, privileges in _together(lacking):
        yield _drift(
            right,
            f"its owner {right.grantee} lacks {privileges}",
            f"grant {right.sql(privileges)} to {right.grantee};",
        )


def _rights_to_have(conn: psycopg.Connection, described: Description) -> Iterator[_Right]:
    signatures = defaultdict[str, list[str]](list)
    for signature, properties in described["function"].items():
        signatures[properties["short_name"]].append(signature)
    for role, name in conn.execute(_TO_HAVE):
        yield _Right("schema", "pgwallet", role, "usage")
        for signature in signatures[name]:
            yield _Right("function", signature, role, "execute")
        if name in described["view"]:
            yield _Right("view", name, role, "select")


def _together(rights: Iterable[_Right]) -> Iterator[tuple[_Right, str]]:
    """The rights of one role in one thing at once."""
    groups = defaultdict[tuple[str, ...], list[_Right]](list)
    for right in sorted(rights):
        groups[right[:3]].append(right)
    for group in groups.values():
        yield group[0], ", ".join(right.privilege for right in group)


def _drift(right: _Right, detail: str, remedy: str) -> Drift:
    if right.kind == "column":
        return Drift("column", right.name, "rights", detail, remedy)
    if right.kind == "default":
        return Drift("schema", right.name, "rights", f"by default {detail}", remedy)
    return Drift(right.kind, right.name, "rights", detail, remedy)
