"""The main job on one screen, each step with the SQL that does it."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import Project, embedded
from pgwallet._connection import Connection

from .asking import confirm
from .commands import INTERRUPTED
from .database import connected
from .output import money, number, out, show, table, text
from .settle import RELEASING, Released, Settled, settle

BACKERS = 10_000
BATCH_SIZE = 500

_INSTALLED = """
select exists (
  select from pg_proc as p join pg_namespace as n on p.pronamespace = n.oid
  where n.nspname = 'pgwallet'
)
"""
# The last steps need the most; as another role it would leave its pledges behind.
_MAY_FINISH = """
select bool_and(has_function_privilege(p.oid, 'execute'))
from pg_proc as p join pg_namespace as n on p.pronamespace = n.oid
where n.nspname = 'pgwallet' and p.proname in ('close_project', 'check_ledger')
"""
_HOLDS_MONEY = """
select
  exists (select from pgwallet.wallet_summary) or exists (select from pgwallet.project_summary)
"""
_OTHERS = """
select format('%I.%I', n.nspname, c.relname)
from pg_class as c join pg_namespace as n on c.relnamespace = n.oid
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('pgwallet', 'information_schema') and n.nspname not like 'pg\\_%'
  and not exists (
    select from pg_depend as d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by 1
limit 1
"""


def run_demo(conninfo: str, yes: bool) -> int:
    """Runs every step; returns the exit code."""
    # Fresh names, so that each run in one database starts from nothing.
    name = f"demo-{secrets.token_hex(4)}"
    with _installed(conninfo, yes) as database, connected(database) as conn:
        _allocate(conn, name)
        project = _collect(conn, name)
        settled = _release(conn, project)
        if settled.interrupted:
            return INTERRUPTED
        _share_out(conn, project, settled.total)
        return _check(conn)


@contextmanager
def _installed(conninfo: str, yes: bool) -> Iterator[str]:
    """Yields a database that has pgwallet: the one given, or one on a server of its own."""
    if conninfo:
        with connected(conninfo) as conn:
            installed = conn.execute(_INSTALLED).fetchone() == (True,)
            held = _held(conn, installed)
            if held:
                confirm(
                    f"Database {conn.info.dbname} holds {held}. The demo adds {BACKERS + 1:,} "
                    "wallets, a project and what it moves, for ever. Go on?",
                    yes,
                )
        if not installed:
            _title("Install pgwallet into the database")
            _command("pgwallet migrate --database-url ...")
            pgwallet.migrate(conninfo)
        yield conninfo
        return

    _title("Start a PostgreSQL 18 for this demo and install pgwallet")
    with embedded.start() as server:
        # The empty address keeps PGHOSTADDR, or a service's, from leading to another server.
        own = make_conninfo(server.conninfo, hostaddr="")
        with psycopg.connect(own, autocommit=True) as conn:
            _run(conn, "create role pgwallet_owner")
            _run(conn, "grant create on database postgres to pgwallet_owner")
        _command("pgwallet migrate --database-url '... options=-crole=pgwallet_owner'")
        database = make_conninfo(own, options="-c role=pgwallet_owner")
        pgwallet.migrate(database)
        yield database
        out.print("\nThe server and all it held are removed now. To keep what the demo makes:")
        _command("pgwallet demo --database-url postgresql://user@host/database")


def _held(conn: Connection, installed: bool) -> str:
    """What is in the database already, in words; nothing in an empty one."""
    if installed:
        if conn.execute(_MAY_FINISH).fetchone() != (True,):
            raise errors.InsufficientPrivilege(
                "this role may not call close_project, as the demo does"
            )
        if conn.execute(_HOLDS_MONEY).fetchone() == (True,):
            return "wallets or projects"
    other = conn.execute(_OTHERS).fetchone()
    return "" if other is None else str(other[0])


def _allocate(conn: Connection, name: str) -> None:
    _title("Open a wallet with three pockets")
    ((wallet_id,),) = _run(
        conn, f"select wallet_id from pgwallet.create_wallet('{name}-alice', 'EUR')"
    )
    for pocket, percentage in (("Rent", "50"), ("Savings", "33.3333"), ("Travel", "10")):
        _run(
            conn,
            f"select pocket_id from pgwallet.create_pocket({wallet_id}, '{pocket}', {percentage})",
        )

    _title("Deposit 1,234.57 EUR and split it over the pockets by percentage")
    _run(conn, f"select balance from pgwallet.deposit({wallet_id}, 1234.57)")
    rows = _run(
        conn,
        f"""\
select name, allocation_percentage, amount
from pgwallet.allocate_deposit({wallet_id}, 1234.57)""",
    )
    ((left,),) = _run(conn, f"select pgwallet.balance({wallet_id})")
    shares = table(text("Pocket"), number("Percentage"), number("Amount"))
    for pocket, percentage, amount in rows:
        shares.add_row(pocket, f"{percentage.normalize():f} %", money(amount, "EUR"))
    shares.add_section()
    shares.add_row("(stays in the wallet)", "", money(left, "EUR"))
    show(shares)


def _collect(conn: Connection, name: str) -> Project:
    _title("Create a project")
    ((project_id,),) = _run(
        conn, f"select project_id from pgwallet.create_project('{name}-film', 'EUR')"
    )
    # Asked again only for its rates: the same reference gives the same project.
    project = pgwallet.create_project(conn, f"{name}-film", "EUR")

    wallets = f"""\
  array(
    select w.wallet_id
    from generate_series(1, {BACKERS}) as k,
      pgwallet.create_wallet(format('{name}-backer-%s', k)) as w
    order by k
  )"""
    _title(f"Open wallets for {BACKERS:,} backers and fund each with 100.00 EUR")
    _run(
        conn,
        f"""\
select count(*), sum(balance) from pgwallet.deposit_many(
{wallets},
  array_fill(100.00, array[{BACKERS}])
)""",
    )
    _title(f"{BACKERS:,} backers pledge between 5.00 and 100.00 EUR")
    _run(
        conn,
        f"""\
select count(*), sum(amount) from pgwallet.pledge_many({project_id},
{wallets},
  array(
    select round(5 + k * 7919 % 9501 / 100.0, 2)
    from generate_series(1, {BACKERS}) as k
  )
)""",
    )
    return project


def _release(conn: Connection, project: Project) -> Settled[Released]:
    _title(f"The project succeeds: release the pledges, {BATCH_SIZE} in a transaction")
    # The driver does what the procedure does, and tells after each batch how far it is.
    _statement(f"call pgwallet.release_project({project.project_id}, {BATCH_SIZE})")
    began = time.monotonic()

    def report(total: Released) -> None:
        seconds = time.monotonic() - began
        out.print(f"  -- {total.escrow_count} escrows; {seconds:.2f} s", style="dim")

    return settle(conn, RELEASING, project.project_id, BATCH_SIZE, report)


def _share_out(conn: Connection, project: Project, total: Released) -> None:
    _title("What each party got")
    ((proceeds,),) = _run(conn, f"select pgwallet.balance({project.project_id})")
    parties = table(text("Party"), number("Share"), number("Amount"))
    parties.add_row("Project, ready to pay out", "", money(proceeds, project.currency))
    parties.add_row(
        "Platform commission",
        _percent(project.commission_rate),
        money(total.commission_amount, project.currency),
    )
    parties.add_row(
        "Payment fee", _percent(project.fee_rate), money(total.fee_amount, project.currency)
    )
    parties.add_section()
    parties.add_row("Pledged by the backers", "", money(total.gross_amount, project.currency))
    show(parties)


def _check(conn: Connection) -> int:
    _title("Does every account, escrow and posting agree?")
    violations = _run(conn, "select * from pgwallet.check_ledger()")
    for violation in violations:
        out.print("  " + " | ".join(map(str, violation)), style="red")
    if violations:
        return 1
    out.print("  -- check_ledger found nothing: the ledger is sound.")
    return 0


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f} %"


def _title(title: str) -> None:
    out.print(f"\n{title}", style="bold")


def _command(command: str) -> None:
    out.print(f"  $ {command}", style="cyan")


def _statement(statement: str) -> None:
    out.print("\n".join(f"  {line}" for line in f"{statement};".splitlines()), style="cyan")


def _run(conn: Connection, statement: str) -> list[tuple[Any, ...]]:
    """Prints a statement as psql takes it, runs just that, and says how long it took."""
    _statement(statement)
    began = time.monotonic()
    cursor = conn.execute(statement.encode())
    rows = cursor.fetchall() if cursor.description else []
    out.print(f"  -- {_result(rows)}{time.monotonic() - began:.2f} s", style="dim")
    return rows


def _result(rows: list[tuple[Any, ...]]) -> str:
    """What a single row says; tables are printed by the step."""
    return ", ".join(map(str, rows[0])) + "; " if len(rows) == 1 else ""
