"""The blocks of the pages that are marked to run do run, and print what the page shows.

With PGWALLET_WRITE_OUTPUTS=1 the pages are given what their blocks print, to be read in the diff.
"""

import ast
import codeop
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import clusters, databases, servers
from tests.docs.blocks import PAGES, ROOT, Block, agrees, blocks, runnable
from tests.docs.running import Failed, printed_by, sessions

WRITE = os.environ.get("PGWALLET_WRITE_OUTPUTS") == "1"
# What a page wants to be run on, other than an empty ledger.
WANTED = {
    "<!-- database: empty -->": "empty_database",
    "<!-- database: router -->": "router_database",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture
def one_at_a_time(server: str) -> Iterator[None]:
    """The roles that pages make are the whole server's, which several workers may share."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute("select pg_advisory_lock(hashtext('pages'))")
        yield


@pytest.fixture
def router_database() -> Iterator[str]:
    """Conninfo of a superuser of a router over four shards."""
    with (
        servers.running("cluster") as server,
        databases.owner_role(server),
        clusters.made(server) as file,
    ):
        yield file.routers[0]


@pytest.mark.parametrize("path", [p for p in PAGES if runnable(p.read_text())], ids=name)
def test_what_a_page_shows_is_what_happens(
    path: Path, request: pytest.FixtureRequest, tmp_path: Path, one_at_a_time: None
) -> None:
    page = path.read_text()
    wanted = [fixture for mark, fixture in WANTED.items() if mark in page]
    conninfo = request.getfixturevalue(*wanted or ["database"])
    changes: list[tuple[Block, str]] = []
    with sessions(conninfo, tmp_path) as by_language:
        for block, output in runnable(page):
            place = f"{name(path)}, line {block.line}"
            try:
                printed = printed_by(block, by_language)
            except Failed as error:
                pytest.fail(f"{place}:\n{block.text}\nfailed:\n{error}", pytrace=False)
            shown = output or (block if block.language == "console" else None)
            if shown is None:
                assert "ERROR:" not in printed, f"{place}:\n{printed}"
            elif not agrees(shown.text, printed):
                changes.append((shown, printed))
                if not WRITE:
                    pytest.fail(
                        f"{place}: the page says\n{shown.text}\nbut this is printed\n{printed}",
                        pytrace=False,
                    )
    if changes:
        path.write_text(with_outputs(page, changes))


def with_outputs(page: str, changes: list[tuple[Block, str]]) -> str:
    for block, printed in reversed(changes):
        lines = (line.rstrip() for line in printed.strip("\n").splitlines())
        text = "".join(f"{line}\n" for line in lines)
        page = page[: block.start] + text + page[block.end :]
    return page


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_python_on_a_page_is_python(path: Path) -> None:
    for block in blocks(path.read_text()):
        if block.language == "python" and "--8<--" not in block.text:
            ast.parse(block.text, f"{name(path)}, line {block.line}")


@pytest.mark.parametrize("path", ["README.md", "docs/tutorial/python.md"])
def test_python_can_be_pasted_at_a_prompt(path: str) -> None:
    """Before 3.13 it takes a line as the end of an indented block only when that is blank."""
    for block, _ in runnable((ROOT / path).read_text()):
        if block.language == "python":
            typed: list[str] = []
            for line in [*block.text.splitlines(), ""]:
                typed.append(line)
                text = "\n".join(typed)
                try:
                    if codeop.compile_command(text, symbol="single") is not None:
                        typed = []
                except SyntaxError:
                    pytest.fail(f"{path}, line {block.line}:\n{text}", pytrace=False)
            assert not any(typed), f"{path}, line {block.line}"
