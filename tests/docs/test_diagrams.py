"""The diagrams are those of their sources, each is shown, and each holds nothing from elsewhere."""

import re
from xml.etree import ElementTree

import pytest

from docs.generating.diagrams import DIAGRAMS, mark_of, sources
from tests.docs.blocks import PAGES

NAMES = sorted(sources())


def test_each_source_has_its_picture() -> None:
    assert NAMES
    assert sorted(path.stem for path in DIAGRAMS.glob("*.svg")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_was_drawn_from_its_source(name: str) -> None:
    picture = (DIAGRAMS / f"{name}.svg").read_text("utf-8")

    assert mark_of(sources()[name]) in picture, "make diagrams"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_shows_every_word_of_its_source(name: str) -> None:
    tree = ElementTree.fromstring((DIAGRAMS / f"{name}.svg").read_text("utf-8"))
    shown = set(
        re.findall(
            r"[a-z]{4,}",
            " ".join("".join(text.itertext()) for text in tree.findall(".//{*}text")).lower(),
        )
    )
    said = re.findall(
        r"(?::|--|\[|\(\(|participant \w+ as) *\"?([^\">|\[\]()\n]+)", sources()[name]
    )
    words = set(re.findall(r"[a-z]{4,}", " ".join(said).lower()))

    assert len(words) > 2
    assert words <= shown


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_has_colours_for_light_and_dark_pages(name: str) -> None:
    picture = (DIAGRAMS / f"{name}.svg").read_text("utf-8")

    assert "prefers-color-scheme: dark" in picture
    assert 'class="page"' in picture, "without a ground its texts may be dark on dark"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_on_a_page_with_words_for_those_who_do_not_see_it(name: str) -> None:
    pages = "".join(page.read_text("utf-8") for page in PAGES)

    assert re.search(rf"!\[[^\]]{{30,}}\]\([./\w]*diagrams/{name}\.svg\)", pages)


def test_no_page_leaves_a_diagram_to_a_script_of_another_host() -> None:
    assert [page for page in PAGES if "```mermaid" in page.read_text("utf-8")] == []
