"""What is shipped is whole: a wheel built from the sdist does everything by itself."""

import os
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Sequence
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import psycopg
import pytest

import pgwallet
from tests.effort import IS_FULL

ROOT = Path(__file__).parents[2]

SESSION = """
import sys
import tarfile
from decimal import Decimal
import psycopg
import pgwallet
assert pgwallet.__file__.startswith(sys.prefix), pgwallet.__file__
with psycopg.connect(sys.argv[1]) as conn:
    ada = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, ada, Decimal("100.01"))
    try:
        pgwallet.withdraw(conn, ada, Decimal(500))
    except pgwallet.InsufficientFunds as error:
        conn.rollback()
        print(error.sqlstate, pgwallet.check_ledger(conn))
"""
NEWER = "99.1.0"
ONE_MORE = """\
create or replace function pgwallet.wallet_of(p_owner_id text)
returns bigint language sql stable security definer set search_path = pg_catalog, pg_temp
as 'select w.wallet_id from pgwallet.wallet as w where w.owner_id = p_owner_id';
"""
INTEREST = "0015_interest"
BRINGS_INTEREST = """\
-- depends: 0014_views
alter table pgwallet.wallet add column interest_rate numeric not null default 0.01;
do $$
declare
  v_check text := (
    select pg_get_constraintdef(k.oid) from pg_constraint as k
    where k.conname = 'transaction_kind_known'
  );
begin
  alter domain pgwallet.transaction_kind drop constraint transaction_kind_known;
  execute 'alter domain pgwallet.transaction_kind add constraint transaction_kind_known '
    || replace(v_check, 'ARRAY[', 'ARRAY[''interest''::text, ') || ' not valid';
end $$;
"""
PAYS_INTEREST = """\
create or replace function pgwallet.pay_interest(p_wallet_id bigint)
returns bigint language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  with due as materialized (
    select w.wallet_id, w.interest_rate as amount from pgwallet.wallet as w
    where w.wallet_id = p_wallet_id
  ),
  recorded as (
    insert into pgwallet.transaction (kind) values ('interest') returning transaction_id
  ),
  credited as (
    update pgwallet.account as a set balance = a.balance + d.amount
    from due as d where a.account_id = d.wallet_id
    returning a.account_id, a.external_account_id, a.balance, d.amount
  )
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select r.transaction_id, c.external_account_id, c.account_id, c.amount, c.balance
  from recorded as r, credited as c
  returning transaction_id;
end;
"""
# Which kinds of transaction go from where to where is known to `check_ledger` alone.
DEPOSIT = "        when 'deposit' then s.kind = 'external' and d.kind = 'wallet'\n"
# Calls until it is told to end, with statements that are prepared; the first error ends it.
CALLS = """
import select
import sys
from decimal import Decimal
from itertools import count
import psycopg
import pgwallet
conninfo, package, *more = sys.argv[1:]
assert pgwallet.__file__.startswith(package), pgwallet.__file__
with psycopg.connect(conninfo, autocommit=True, prepare_threshold=0) as conn:
    wallet = pgwallet.create_wallet(conn, package).wallet_id
    project = pgwallet.create_project(conn, package).project_id
    for number in count():
        pgwallet.deposit(conn, wallet, Decimal(10), idempotency_key=f"{package} {number}")
        pledge = pgwallet.pledge(conn, wallet, project, Decimal("2.50"))
        pgwallet.cancel_pledge(conn, pledge.escrow_id)
        assert pgwallet.statement(conn, wallet, limit=3)
        pgwallet.withdraw(conn, wallet, Decimal(9))
        for name in more:
            conn.execute(f"select pgwallet.{name}(%s)", [wallet])
        if number == 10:
            print("calls go on", flush=True)
        if select.select([sys.stdin], [], [], 0)[0]:
            break
print("no call failed")
"""
SHORT_DEMO = "from pgwallet.cli import demo, main; demo.BACKERS = 600; main()"
MAIN = "from pgwallet.cli import main; main()"
ARCHIVED = {"bench", "db", "docs", "driver", "examples", "tests"}


def attempt(
    command: Sequence[str | Path], cwd: Path, **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PGWALLET_DATABASE_URL"}
    }
    return subprocess.run(
        command,
        cwd=cwd,
        env={**environment, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def run(command: Sequence[str | Path], cwd: Path) -> str:
    completed = attempt(command, cwd)
    assert completed.returncode == 0, completed.stdout
    return completed.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist as a package index would get the two."""
    target = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", target, ROOT], target)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def newer_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of a later version, built from the same sdist: it has one more function."""
    target = tmp_path_factory.mktemp("newer")
    (sdist,) = wheel.parent.glob("*.tar.gz")
    run(["tar", "--extract", "--file", sdist], target)
    (source,) = target.iterdir()
    (source / "PKG-INFO").unlink()  # It has the number, too, and would count.
    post_apply = source / "db" / "migrations" / "post-apply.py"
    text = post_apply.read_text()
    changed = text.replace(f'version = "{pgwallet.__version__}"', f'version = "{NEWER}"')
    assert changed != text
    post_apply.write_text(changed)
    (source / "db" / "procedures" / "wallets" / "wallet_of.sql").write_text(ONE_MORE)
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel"], source)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_all_the_sql_and_the_typing_marker_are_in_the_wheel(wheel: Path) -> None:
    sources = {
        f"pgwallet/{path.relative_to(ROOT).as_posix()}"
        for folder in ("cluster", "migrations", "procedures")
        for pattern in ("*.sql", "*.py")
        for path in (ROOT / "db" / folder).rglob(pattern)
    }
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = {name for name in names if name.startswith("pgwallet/db/")}

    assert "pgwallet/db/migrations/0001_currencies.sql" in sources
    assert shipped == {*sources, "pgwallet/db/schema.json"}
    assert "pgwallet/py.typed" in names
    top = {name.split("/")[0] for name in names}
    assert sorted(name.partition("-")[0] for name in top) == ["pgwallet", "pgwallet"]


def test_only_psycopg_and_yoyo_are_required_and_the_rest_is_extra(metadata: Message) -> None:
    requirements = metadata.get_all("Requires-Dist", [])
    required = {requirement for requirement in requirements if ";" not in requirement}

    assert required == {"psycopg>=3.2", "yoyo-migrations<10,>=9"}
    assert {"cli", "embedded", "binary", "all"} <= set(metadata.get_all("Provides-Extra", []))
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"


def test_the_sdist_holds_what_the_docs_and_the_tests_are_made_from(wheel: Path) -> None:
    (sdist,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    files = {path.name for path in ROOT.iterdir() if path.is_file() and path.name[0] != "."}
    assert files <= names
    assert {name.partition("/")[0] for name in names if "/" in name} == ARCHIVED
    assert not [name for name in names if name.endswith((".pyc", ".tmp"))]


def interpreter(version: str) -> str:
    """The Python of this version, of the system or of pyenv; skips the test where there is none."""
    try:
        found = attempt(
            [f"python{version}", "-c", "import sys; print(sys.executable)"],
            Path.cwd(),
            PYENV_VERSION=version,
        )
    except FileNotFoundError:
        pytest.skip(f"there is no python{version} here")
    if found.returncode != 0:
        pytest.skip(f"python{version} does not run: {found.stdout}")
    return found.stdout.strip()


def install(package: Path, environment: Path, python: str, *, whole: bool) -> None:
    """Installs a wheel or an sdist into a new environment.

    But for the `whole`, what it requires is where these tests have it from.
    """
    run([python, "-m", "venv", "--without-pip", environment], environment.parent)
    # Each program runs once, so that compiling all of them first would not pay.
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        environment / "bin" / "python",
    ]
    pip += ["install", "--quiet", "--no-compile"]
    if whole:
        run([*pip, f"{package}[all]"], environment.parent)
    else:
        run([*pip, "--no-deps", package], environment.parent)
        place = sysconfig.get_path("purelib", vars={"base": str(environment)})
        Path(place, "required.pth").write_text(sysconfig.get_path("purelib"))


@pytest.mark.timeout(300)
def test_the_installed_wheel_does_everything_with_no_checkout_about(
    wheel: Path, empty_database: str, tmp_path: Path
) -> None:
    install(wheel, tmp_path / "venv", sys.executable, whole=IS_FULL)
    programs = tmp_path / "venv" / "bin"
    python = programs / "python"
    migrated = run([programs / "pgwallet", "migrate", "--database-url", empty_database], tmp_path)
    assert "installed the functions" in migrated
    # -I: neither this checkout nor the environment has a say in what is imported.
    assert run([python, "-I", "-c", SESSION, empty_database], tmp_path) == "PW201 []\n"
    # Without a database: on the server that the extra brings.
    demo: list[str | Path] = [programs / "pgwallet"] if IS_FULL else [python, "-Ic", SHORT_DEMO]
    assert "the ledger is sound" in run([*demo, "demo"], tmp_path)

    with psycopg.connect(empty_database) as connection:
        row = connection.execute("select count(*) from pgwallet._yoyo_migration").fetchone()
    assert row == (len(list((ROOT / "db" / "migrations").glob("[0-9]*.rollback.sql"))),)


# The workflow runs all tests, so the one above too, on every Python that is supported.
# It skips where there is one Python alone: Debian 12 has no other, and none comes as a wheel.
@pytest.mark.timeout(300)
@pytest.mark.skipif(not IS_FULL, reason="PGWALLET_EFFORT=full installs the sdist on another Python")
def test_the_sdist_installs_on_another_python_and_runs_the_demo(
    wheel: Path, tmp_path: Path
) -> None:
    other = "3.13" if sys.version_info[:2] == (3, 11) else "3.11"
    (sdist,) = wheel.parent.glob("*.tar.gz")
    install(sdist, tmp_path / "venv", interpreter(other), whole=True)
    python = tmp_path / "venv" / "bin" / "python"
    assert other in run([python, "--version"], tmp_path)
    assert "the ledger is sound" in run([python, "-Ic", SHORT_DEMO, "demo"], tmp_path)


def test_a_container_of_the_older_version_leaves_what_the_newer_installed(
    wheel: Path, newer_wheel: Path, empty_database: str, tmp_path: Path
) -> None:
    """Its gate is `migrate && status --check`, and it starts again after the upgrade."""

    def command(version: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        package = tmp_path / version.stem
        if not package.exists():
            with ZipFile(version) as archive:
                archive.extractall(package)
        program = [sys.executable, "-c", MAIN, *arguments, "--database-url", empty_database]
        return attempt(program, tmp_path, PYTHONPATH=str(package))

    def installed() -> list[tuple[object, ...]]:
        with psycopg.connect(empty_database) as conn:
            return conn.execute(
                """
                select p.oid::regprocedure::text, p.xmin::text, p.proacl::text from pg_proc as p
                where p.pronamespace = 'pgwallet'::regnamespace
                union all
                select d.version, d.source_hash, null from pgwallet.deployment as d
                order by 1
                """
            ).fetchall()

    for version in (wheel, newer_wheel):
        assert command(version, "migrate").returncode == 0
    before = installed()
    assert (NEWER,) in {row[:1] for row in before}

    migrated, looked_at = command(wheel, "migrate"), command(wheel, "status", "--check")

    assert installed() == before
    assert (migrated.returncode, looked_at.returncode) == (1, 1)
    assert f"the database has pgwallet {NEWER}, and this is" in migrated.stdout
    assert "The database is newer than this pgwallet" in looked_at.stdout
    assert "pgwallet migrate" not in looked_at.stdout
    assert "removed   pgwallet.wallet_of(text)" in command(wheel, "migrate", "--downgrade").stdout
    assert pgwallet.status(empty_database).up_to_date


def test_a_newer_wheel_upgrades_the_database_while_calls_of_both_go_on(
    wheel: Path, newer_wheel: Path, empty_database: str, tmp_path: Path
) -> None:
    """It brings a column, a kind of transaction, a function that uses both, and a changed one."""
    older, newer = (tmp_path / name for name in ("older", "newer"))
    for package, version in ((older, wheel), (newer, newer_wheel)):
        with ZipFile(version) as archive:
            archive.extractall(package)
    for name, text in ((INTEREST, BRINGS_INTEREST), (f"{INTEREST}.rollback", "select 1;")):
        (newer / "pgwallet" / "db" / "migrations" / f"{name}.sql").write_text(text)
    procedures = newer / "pgwallet" / "db" / "procedures"
    (procedures / "wallets" / "pay_interest.sql").write_text(PAYS_INTEREST)
    check = procedures / "ledger" / "internal" / "_find_wrong_postings.sql"
    assert DEPOSIT in check.read_text()
    check.write_text(
        check.read_text().replace(DEPOSIT, DEPOSIT + DEPOSIT.replace("deposit", "interest"))
    )

    def migrate(package: Path) -> str:
        completed = attempt(
            [sys.executable, "-c", MAIN, "migrate", "--database-url", empty_database],
            tmp_path,
            PYTHONPATH=str(package),
        )
        assert completed.returncode == 0, completed.stdout
        return completed.stdout

    def calling(package: Path, *then: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", CALLS, empty_database, package, *then],
            env={**os.environ, "PYTHONPATH": str(package)},
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    migrate(older)
    with calling(older) as by_older:
        read(by_older, "calls go on")
        assert f"applied   {INTEREST}" in migrate(newer)
        with calling(newer, "pay_interest") as by_newer:
            read(by_newer, "calls go on")
            ended = [process.communicate("end\n")[0] for process in (by_newer, by_older)]
    assert [text.splitlines()[-1] for text in ended] == ["no call failed"] * 2, ended
    with psycopg.connect(empty_database) as conn:
        assert pgwallet.check_ledger(conn) == []
        paid = conn.execute("select from pgwallet.transaction as t where t.kind = 'interest'")
        assert paid.rowcount > 0


def read(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n", process.communicate()
