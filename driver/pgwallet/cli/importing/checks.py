"""The lines of an import on the server: staged, then checked against the ledger.

The lines wait in temporary tables, so that however many there are, the server checks them a set
at a time and this process holds one chunk. What is read are the views for operators.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import psycopg

from pgwallet._connection import Connection

from .accounts import find_accounts
from .lines import Kind, Line

# Rows that this process holds at a time.
_CHUNK = 5000


# Of the checks.
STEPS = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Why lines cannot be imported, without what differs from one to the next."""

    lines: int
    reason: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be imported, by its number in the file."""

    line: int
    reason: str


def prepare(conn: Connection) -> None:
    """Settings and tables that end with the transaction."""
    # Indexes lead to what a line names, also while the tables' statistics are out of date.
    conn.execute("set local enable_seqscan = off")
    conn.execute("set local jit = off")
    conn.execute("set local work_mem = '64MB'")
    conn.execute(
        """
        create temporary table import_line (
          line bigint, kind text, wallet_id bigint, owner_id text, currency text,
          project_id bigint, reference text, amount numeric, idempotency_key text,
          effective_at timestamptz, expires_at timestamptz, metadata jsonb, problem text
        ) on commit drop
        """
    )
    conn.execute(
        """
        create temporary table import_entry (
          line bigint primary key, kind text, wallet_id bigint, wallet text, project_id bigint,
          amount numeric, currency text, balance numeric, idempotency_key text,
          effective_at timestamptz, expires_at timestamptz, metadata jsonb, replayed boolean,
          problem text,
          -- Without what is quoted and the numbers, which differ from one line to the next.
          reason text generated always as (
            regexp_replace(
              problem,
              $$'([^']|'')*'|(?<![[:alnum:]:-])-?[0-9]+([.][0-9]+)?(?![[:alnum:]:-])$$, '...', 'g'
            )
          ) stored
        ) on commit drop
        """
    )


def stage(conn: Connection, lines: Iterable[Line]) -> int:
    """Copies the lines to the server; returns how many there are."""
    count = 0
    with (
        conn.cursor() as cursor,
        cursor.copy("copy pg_temp.import_line from stdin") as copy,
    ):
        for line in lines:
            copy.write_row((line.number, *line.cells, line.problem))
            count += 1
    conn.execute("analyze pg_temp.import_line")
    return count


def check(conn: Connection, name: str, create_wallets: bool, step: Callable[[str], None]) -> int:
    """Finds wallets, projects and what was imported before; returns the number of bad lines.

    `step` is told what is looked at next, STEPS times.
    """
    step("accounts")
    find_accounts(conn, create_wallets)
    step("keys")
    conn.execute(_CHECK, {"name": name})
    step("funds")
    conn.execute(
        """
        insert into pg_temp.import_entry (line, problem)
        select l.line, l.problem from pg_temp.import_line as l where l.problem is not null
        """
    )
    conn.execute("drop table pg_temp.import_line")
    conn.execute("analyze pg_temp.import_entry")
    _check_funds(conn)
    return _count(conn.execute("select count(e.problem) from pg_temp.import_entry as e"))


# A key is derived from what a line moves and from how many equal lines came before it, so that
# the order of lines does not matter. Changed, it would import old files once more.
_CHECK = """
with keyed as (
  select
    l.*,
    coalesce(
      l.idempotency_key,
      %(name)s || ':' || left(encode(sha256(convert_to(concat_ws(
        ' ', l.kind, l.wallet_id, l.project_id, trim_scale(l.amount),
        row_number() over (
          partition by l.kind, l.wallet_id, l.project_id, l.amount, l.idempotency_key is null
          order by l.line
        )
      ), 'UTF8')), 'hex'), 32)
    ) as key
  from pg_temp.import_line as l
  where l.problem is null
),

entry as (
  select
    k.*,
    first_value(k.line) over (partition by k.key collate "C" order by k.line) as first_line
  from keyed as k
)

insert into pg_temp.import_entry (
  line, kind, wallet_id, wallet,
  project_id, amount, currency, balance, idempotency_key,
  effective_at, expires_at, metadata, replayed, problem
)
select
  e.line, e.kind, w.wallet_id,
  case
    when e.owner_id is null then 'wallet ' || e.wallet_id
    else format('the wallet of %%L', e.owner_id)
  end,
  p.project_id, e.amount, w.currency, w.balance, e.key,
  e.effective_at, e.expires_at, e.metadata, coalesce(t.agrees, false),
  case
    when e.line <> e.first_line
      then format('it repeats the idempotency key %%L of line %%s', e.key, e.first_line)
    when w.wallet_id is null and e.owner_id is not null
      then format('owner %%L has no wallet in %%s', e.owner_id, e.currency)
    when w.wallet_id is null then format('wallet %%s does not exist', e.wallet_id)
    when e.kind = 'pledge' and p.project_id is null and e.reference is not null
      then format('project %%L does not exist', e.reference)
    when e.kind = 'pledge' and p.project_id is null
      then format('project %%s does not exist', e.project_id)
    when scale(trim_scale(e.amount)) > scale(w.balance)
      then format('amount %%s has too many decimals for %%s', e.amount, w.currency)
    when not t.agrees then format('idempotency key %%L was used for another call', e.key)
    when t.agrees then null
    when e.expires_at <= now() then format('expires_at %%L is not in the future', e.expires_at)
    when e.currency <> w.currency
      then format('wallet %%s is in %%s, not in %%s', e.wallet_id, w.currency, e.currency)
    when p.currency <> w.currency
      then format(
        'wallet %%s is in %%s, project %%s in %%s',
        e.wallet_id, w.currency, p.project_id, p.currency
      )
    when p.status <> 'open' then format('project %%s is closed: it has %%s', p.project_id, p.status)
    when e.amount > p.max_pledge
      then format(
        'a pledge of %%s is too large for project %%s, whose limit of one is %%s',
        e.amount, p.project_id, p.max_pledge
      )
  end
from entry as e
left join pg_temp.import_wallet as w on w.wallet_id = e.wallet_id
left join pg_temp.import_project as p on p.project_id = e.project_id
left join lateral (
  select bool_and(
    g.kind::text = e.kind and g.amount = e.amount
    and case e.kind
      when 'deposit' then g.destination_account_id = e.wallet_id
      else g.source_account_id = e.wallet_id and g.reference = p.reference
    end
  ) as agrees
  from pgwallet.transaction_log as g
  where g.idempotency_key = e.key
) as t on true
"""


def _check_funds(conn: Connection) -> None:
    """Marks each pledge for which the lines before it leave too little in its wallet."""
    with conn.cursor("import_short_of_money") as cursor:
        cursor.itersize = _CHUNK
        cursor.execute(
            """
            with running as (
              select
                e.wallet_id,
                e.balance + sum(case e.kind when 'deposit' then e.amount else -e.amount end)
                  over (partition by e.wallet_id order by e.line) as remaining
              from pg_temp.import_entry as e
              where e.problem is null and not e.replayed
            )
            select e.wallet_id, e.wallet, e.line, e.kind, e.amount, e.balance, e.currency
            from pg_temp.import_entry as e
            where e.problem is null and not e.replayed
              and e.wallet_id in (select r.wallet_id from running as r where r.remaining < 0)
            order by e.wallet_id, e.line
            """
        )
        short = _short_of_money(cursor)
        while chunk := list(islice(short, _CHUNK)):
            conn.execute(
                """
                update pg_temp.import_entry as e
                set problem = s.reason
                from unnest(%s::bigint[], %s::text[]) as s (line, reason)
                where e.line = s.line
                """,
                ([bad.line for bad in chunk], [bad.reason for bad in chunk]),
            )


def _short_of_money(rows: Iterable[Any]) -> Iterator[BadLine]:
    for _, lines in groupby(rows, key=lambda row: row[0]):
        remaining = None
        for _, wallet, line, kind, amount, balance, currency in lines:
            remaining = balance if remaining is None else remaining
            if kind == Kind.DEPOSIT:
                remaining += amount
            elif amount <= remaining:
                remaining -= amount
            else:
                reason = f"{wallet} holds {remaining} {currency} by then, less than {amount}"
                yield BadLine(line, reason)


def reasons(conn: Connection) -> list[Reason]:
    """Why lines are bad, the most frequent first."""
    rows = conn.execute(
        """
        select count(*), e.reason
        from pg_temp.import_entry as e
        where e.problem is not null
        group by e.reason
        order by count(*) desc, e.reason
        """
    )
    return [Reason(*row) for row in rows]


def bad_lines(conn: Connection, of_each_reason: int | None = None) -> list[BadLine]:
    """All bad lines, or the first so many of each reason."""
    rows = conn.execute(
        """
        select b.line, b.problem
        from (
          select
            e.line, e.problem,
            row_number() over (partition by e.reason order by e.line) as place
          from pg_temp.import_entry as e
          where e.problem is not null
        ) as b
        where b.place <= coalesce(%s::bigint, b.place)
        order by b.line
        """,
        [of_each_reason],
    )
    return [BadLine(*row) for row in rows]


def _count(cursor: psycopg.Cursor[Any]) -> int:
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])
