"""What everybody copies first can be run again: every call that moves money has a key."""

import re
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from pgwallet import embedded
from tests.docs.blocks import PAGES, ROOT, Block, blocks
from tests.docs.running import printed_by, sessions

# Calls without a key, by the page and a piece of the call, and why that is right there.
NO_KEY = {
    ("docs/errors.md", "p_rounding => 'up'"): "it is refused",
}
CALL = re.compile(r"\ballocate_deposits?\(")
IMPORTS = "from decimal import Decimal\nimport psycopg\nimport pgwallet\n"


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def first_examples() -> list[tuple[str, Block]]:
    """The first block in each language of the README and of the home page that splits a deposit."""
    found = []
    for page in ("README.md", "docs/index.md"):
        for language in ("python", "sql", "console"):
            splitting = [
                block
                for block in blocks((ROOT / page).read_text("utf-8"))
                if block.language == language and re.search("allocate.deposit", block.text)
            ]
            found += [(page, block) for block in splitting[:1]]
    return found


def without_pockets(text: str) -> str:
    """The same without the lines that make a pocket, whose name is taken the second time."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not re.search("create_pocket|pocket create", line))


def books(conninfo: str) -> tuple[list[tuple[object, ...]], int]:
    """Every account with its balance, and how many postings there are."""
    with psycopg.connect(conninfo) as conn:
        balances = conn.execute(
            "select account_id, balance from pgwallet.account order by account_id"
        ).fetchall()
        row = conn.execute("select count(*) from pgwallet.posting").fetchone()
    assert row is not None
    return balances, row[0]


def test_there_are_five_first_examples() -> None:
    assert [(page, block.language) for page, block in first_examples()] == [
        ("README.md", "python"),
        ("README.md", "sql"),
        ("docs/index.md", "python"),
        ("docs/index.md", "sql"),
        ("docs/index.md", "console"),
    ]


@pytest.mark.parametrize(
    ("page", "block"),
    first_examples(),
    ids=[f"{page}-{block.language}" for page, block in first_examples()],
)
def test_a_first_example_that_runs_twice_moves_its_money_once(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    block: Block,
) -> None:
    migrates = "migrate(" in block.text
    database = request.getfixturevalue("empty_database" if migrates else "database")
    monkeypatch.setattr(embedded, "start", lambda: SimpleNamespace(conninfo=database))
    with sessions(database, tmp_path) as by_language:
        if block.language == "python":
            by_language["python"].run(IMPORTS)
        assert "ERROR:" not in printed_by(block, by_language)
        once = books(database)
        again = without_pockets(block.text)
        assert again != block.text
        assert "ERROR:" not in by_language[block.language].run(again)

    assert once[1] >= 2, "nothing was split"
    assert books(database) == once


def calls(text: str) -> list[str]:
    """Each call of `allocate_deposit` with its arguments, to the parenthesis that closes it."""
    found = []
    for match in CALL.finditer(text):
        depth, end = 1, match.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found.append(text[match.start() : end])
    return found


def test_every_split_on_a_page_and_in_an_example_has_a_key() -> None:
    texts = [
        (named(page), block.text)
        for page in PAGES
        if page.parent.name != "reference"
        for block in blocks(page.read_text("utf-8"))
    ]
    texts += [
        (named(path), path.read_text("utf-8"))
        for path in (ROOT / "examples").rglob("*")
        if path.suffix in (".py", ".sql")
    ]
    found = [(page, call) for page, text in texts for call in calls(text)]
    keyless = [(page, call) for page, call in found if "idempotency_key" not in call]
    unexplained = [
        (page, call)
        for page, call in keyless
        if not any(page == where and piece in call for where, piece in NO_KEY)
    ]

    assert len(found) > 10
    assert unexplained == []
    assert len(keyless) == len(NO_KEY), "a reason for a call that is gone"


def test_every_split_by_the_command_has_a_key() -> None:
    lines = [
        line
        for page in PAGES
        if page.parent.name != "reference"
        for block in blocks(page.read_text("utf-8"))
        for line in block.text.splitlines()
        if re.match(r"\$ pgwallet allocate-deposit\b", line)
    ]
    assert lines
    assert [line for line in lines if "--idempotency-key" not in line] == []
