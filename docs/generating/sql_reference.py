"""Prints docs/reference/sql.md from the catalog of a migrated database.

`make reference` runs it on an embedded server; a test compares the page with the catalog.
"""

import re
from collections.abc import Iterator
from itertools import groupby

import psycopg

import pgwallet
from pgwallet import embedded
from pgwallet.deployment import migrations_directory

HEADER = """\
# SQL reference

Made from the catalog by `make reference`, not by hand. All of it is in the schema `pgwallet`;
arguments can be named (`p_amount => 10`), and those with a default left out. Ids are `bigint`,
amounts `numeric` in major units. [Errors](../errors.md) has an example of each code.
"""
TOPICS = {
    "wallets": "Wallets",
    "pockets": "Pockets",
    "escrow": "Projects and escrow",
    "accounts": "Freezing and credit",
    "ledger": "Reading and checking",
    "following": "Following",
    "seals": "Seals",
    "access": "Access",
}
ROUTINES = r"""
    select
      p.proname,
      p.prokind = 'p' as is_procedure,
      array(
        select
          format('%s %s', p.proargnames[a.n], format_type(a.type, null))
          || coalesce(
            ' default ' || regexp_replace(
              replace(pg_get_function_arg_default(p.oid, a.n::int), 'NULL', 'null'), '::.*', ''
            ), ''
          )
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as a (type, n)
        where coalesce(p.proargmodes[a.n], 'i') = 'i'
        order by a.n
      ) as arguments,
      case
        when p.proretset then array(
          select format('%s %s', p.proargnames[a.n], format_type(a.type, null))
          from unnest(p.proallargtypes) with ordinality as a (type, n)
          where p.proargmodes[a.n] = 't'
          order by a.n
        )
        else array[format_type(p.prorettype, null)]
      end as results,
      obj_description(p.oid, 'pg_proc') as comment
    from pg_proc as p
    where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%'
    order by p.proname
"""
RELATIONS = r"""
    select
      c.relname,
      c.relkind = 'v' as is_view,
      obj_description(c.oid, 'pg_class') as comment,
      array(
        select array[
          a.attname::text,
          format_type(a.atttypid, a.atttypmod),
          coalesce(col_description(c.oid, a.attnum), '')
        ]
        from pg_attribute as a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        order by a.attnum
      ) as columns
    from pg_class as c
    where c.relnamespace = 'pgwallet'::regnamespace and c.relkind in ('r', 'v')
      and c.relname not like '\_%' and c.relname not like 'yoyo%'
    order by c.relname
"""


def reference(conn: psycopg.Connection) -> str:
    """The whole page."""
    page = "\n".join([HEADER, *_functions(conn), *_relations(conn)])
    return page.replace("timestamp with time zone", "timestamptz")


def _functions(conn: psycopg.Connection) -> Iterator[str]:
    topics = {
        path.stem: path.parent.name
        for path in (migrations_directory().parent / "procedures").glob("*/*.sql")
    }
    routines = {row[0]: row for row in conn.execute(ROUTINES.encode())}
    assert set(TOPICS) >= {topics[name] for name in routines}
    ordered = sorted(routines, key=lambda name: (list(TOPICS).index(topics[name]), name))
    for topic, names in groupby(ordered, key=lambda name: topics[name]):
        yield f"## {TOPICS[topic]}\n"
        for name in names:
            yield _function(*routines[name])


def _function(
    name: str, is_procedure: bool, arguments: list[str], results: list[str], comment: str
) -> str:
    described = "".join(f"\n  {argument}," for argument in arguments).rstrip(",")
    call = f"pgwallet.{name}({described}\n)" if arguments else f"pgwallet.{name}()"
    if is_procedure:
        signature = f"call {call}"
    elif len(results) > 1:
        columns = "".join(f"\n  {result}," for result in results).rstrip(",")
        signature = f"{call}\nreturns table ({columns}\n)"
    else:
        signature = f"{call}\nreturns {results[0]}"
    text = re.sub(
        r"\bPW\d{3}\b", lambda code: f"[{code[0]}](../errors.md#{code[0].lower()})", comment
    )
    return f"### {name}\n\n{text}\n\n```sql\n{signature}\n```\n"


def _relations(conn: psycopg.Connection) -> Iterator[str]:
    relations = conn.execute(RELATIONS.encode()).fetchall()
    for title, intro, wanted in (
        (
            "Views",
            "To read from, by roles that `grant_auditor` or `grant_operator` was called for.",
            True,
        ),
        (
            "Tables",
            "Only the owner reads and writes them; `settings` is there for a DBA to update.",
            False,
        ),
    ):
        yield f"## {title}\n\n{intro}\n"
        for name, is_view, comment, columns in relations:
            if is_view == wanted:
                rows = "\n".join(
                    f"| `{column}` | {kind.replace('pgwallet.', '')} | {text} |"
                    for column, kind, text in columns
                )
                yield f"### {name}\n\n{comment}\n\n| column | type | |\n|---|---|---|\n{rows}\n"


if __name__ == "__main__":
    with embedded.start() as server:
        pgwallet.migrate(server.conninfo)
        with psycopg.connect(server.conninfo) as connection:
            print(reference(connection), end="")
