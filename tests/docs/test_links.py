"""Links and the names of files lead somewhere, also in what no site is made of."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pgwallet.errors import ERRORS_PAGE
from tests.docs.blocks import ROOT

SITE = ERRORS_PAGE.removesuffix("errors/")
FOLDERS = {"bench", "db", "docs", "driver", "examples", "tests", ".ci", ".github"}
TEXTS = sorted(
    path
    for path in [*ROOT.iterdir(), *(p for name in FOLDERS for p in (ROOT / name).rglob("*"))]
    if path.suffix in {".md", ".py", ".sql", ".toml", ".yml", ".sh"}
    or path.name in {"Makefile", "run"}
)
MARKDOWN = [path for path in TEXTS if path.suffix == ".md"]
DOCS = [path for path in MARKDOWN if path.is_relative_to(ROOT / "docs")]
# Made from docstrings, whose places only the built site has.
MADE = ROOT / "docs" / "reference" / "python.md"


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    """What a reader may click: all but blocks of code."""
    return re.sub(r"^( *)```.*?^\1```$", "", page.read_text("utf-8"), flags=re.M | re.S)


@cache
def places_in(page: Path) -> set[str]:
    """The anchors that headings make, as sites and hosts of repositories spell them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text_of(page), re.M):
        given = re.search(r"\{#([\w-]+)\}$", heading)
        plain = re.sub(r"[^\w\s-]", "", heading).strip().lower()
        found.add(given[1] if given else re.sub(r"[-\s]+", "-", plain))
    return found


def links_in(page: Path) -> list[str]:
    pairs = re.findall(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", text_of(page), re.M)
    return ["".join(pair) for pair in pairs]


def leads_somewhere(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return True
    target = (page.parent / parts.path).resolve() if parts.path else page
    if not parts.fragment or target == MADE:
        return target.exists()
    return target.suffix == ".md" and target.is_file() and parts.fragment in places_in(target)


@pytest.mark.parametrize("page", MARKDOWN, ids=name)
def test_every_link_of_a_page_leads_to_a_file_and_a_place_in_it(page: Path) -> None:
    assert [link for link in links_in(page) if not leads_somewhere(page, link)] == []


def test_a_link_to_nothing_is_noticed() -> None:
    readme = ROOT / "README.md"
    assert leads_somewhere(readme, "docs/guarantees.md#one-call")
    assert not leads_somewhere(readme, "docs/guarantees.md#two-calls")
    assert not leads_somewhere(readme, "docs/NONE.md")


def test_every_page_of_the_docs_is_linked_from_another() -> None:
    linked = {
        (page.parent / urlsplit(link).path).resolve()
        for page in DOCS
        for link in links_in(page)
        if not urlsplit(link).scheme
    }
    assert [name(page) for page in set(DOCS) - linked if page.name != "index.md"] == []


def test_every_file_that_a_text_or_a_comment_names_is_there() -> None:
    folders = "|".join(map(re.escape, sorted(FOLDERS)))
    path = re.compile(rf"(?<![\w./-])((?:{folders})/[\w./*-]*[\w*/])")
    named = {(found, name(text)) for text in TEXTS for found in path.findall(text.read_text())}
    assert len(named) > 200
    # Below tests/ they may be named from there; what is in capitals stands for a name.
    gone = {
        (found, text)
        for found, text in named
        if not re.search(r"(^|/)[A-Z]+(\.|/|$)", found)
        and not (any(ROOT.glob(found)) or any((ROOT / "tests").glob(found)))
    }
    assert gone == set()


def test_every_address_of_the_site_is_that_of_a_page() -> None:
    address = re.compile(rf"{re.escape(SITE)}([\w/-]*)(?:#([\w-]+))?")
    found = {(each, name(text)) for text in TEXTS for each in address.findall(text.read_text())}
    assert len(found) > 5
    for (path, place), text in found:
        page = ROOT / "docs" / f"{path.strip('/') or 'index'}.md"
        assert page.is_file(), text
        assert not place or place in places_in(page), text
