"""The page of the command line is that of this version."""

from pathlib import Path

from docs.generating.command_line import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"


def test_the_page_says_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "make reference"
