"""Where the time of each call goes: the statements that run inside it, by pg_stat_statements.

python -m bench.where CONNECTION

CONNECTION is the owner's, to an empty database of a server that has pg_stat_statements among its
shared_preload_libraries (the embedded one lacks it).
"""

import re
import sys

import psycopg
from rich.console import Console
from rich.table import Table

import pgwallet
from bench.calls import COUNTS, Calls, sample

INSIDE = """
  select s.toplevel, s.calls, s.total_exec_time * 1000 as total, s.query
  from pg_stat_statements as s
  where s.dbid = (select d.oid from pg_database as d where d.datname = current_database())
    and s.query like '%%pgwallet.%%'
  order by s.toplevel desc, s.total_exec_time desc
"""
SHOWN = 8  # statements of a call
WIDTH = 70  # characters of a statement


def main(conninfo: str) -> None:
    pgwallet.migrate(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute("create extension if not exists pg_stat_statements")
        conn.execute("set pg_stat_statements.track = 'all'")
        conn.execute(
            "select count(*) from generate_series(1, 10000) as g (n) "
            "cross join lateral pgwallet.create_wallet('owner ' || g.n)"
        )
        calls = Calls(conn)
        table = Table("call", "statement", title="µs a call", title_justify="left")
        for heading in ("times", "µs"):
            table.add_column(heading, justify="right")
        for name, count in COUNTS.items():
            taken = sample(calls, name)
            taken()  # plans and caches
            conn.execute("select pg_stat_statements_reset()")
            taken()
            rows = [row for row in conn.execute(INSIDE) if row[0] or f".{name}(" not in row[3]]
            whole = sum(row[2] for row in rows if row[0] and f".{name}(" in row[3])
            table.add_row(name, "the whole call", "1", f"{whole / count:,.0f}")
            for _, times, total, query in [row for row in rows if not row[0]][:SHOWN]:
                text = re.sub(r"\s+", " ", query)[:WIDTH]
                table.add_row("", text, f"{times / count:g}", f"{total / count:,.0f}")
            table.add_section()
        Console(width=120).print(table)


if __name__ == "__main__":
    main(sys.argv[1])
