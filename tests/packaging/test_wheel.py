"""What is shipped is whole: a wheel built from the sdist does everything by itself."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
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


@pytest.mark.timeout(300)
def test_the_installed_wheel_does_everything_with_no_checkout_about(
    wheel: Path, empty_database: str, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    programs = tmp_path / "venv" / "bin"
    python = programs / "python"
    # Each program runs once, so that compiling all of them first would not pay.
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-compile",
    ]
    if IS_FULL:
        run([*pip, f"{wheel}[all]"], tmp_path)
    else:
        # What it requires is where these tests have it from.
        run([*pip, "--no-deps", wheel], tmp_path)
        place = sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")})
        Path(place, "required.pth").write_text(sysconfig.get_path("purelib"))

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
