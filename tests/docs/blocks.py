"""The fenced blocks of a Markdown page, with what the comments above them say of each.

`<!-- run -->` above a fence: the block is executed. `<!-- output -->`: it shows what the block
before it prints, where a line `...` stands for any lines.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(
    r"^(?:[ ]*<!-- (?P<mark>run|output) -->\n)?"
    r"(?P<margin>[ ]*)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=margin)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `start` and `end` say where its text is in the page."""

    language: str
    text: str
    mark: str | None
    line: int
    start: int
    end: int


def blocks(page: str) -> list[Block]:
    found = []
    for match in _FENCE.finditer(page):
        margin = match["margin"]
        text = "".join(
            line.removeprefix(margin) for line in match["text"].splitlines(keepends=True)
        )
        line = page.count("\n", 0, match.start("text")) + 1
        found.append(
            Block(
                match["language"], text, match["mark"], line, match.start("text"), match.end("text")
            )
        )
    return found


def runnable(page: str) -> list[tuple[Block, Block | None]]:
    """Each block that is executed, with the one that shows what it prints."""
    pairs: list[tuple[Block, Block | None]] = []
    for block in blocks(page):
        if block.mark == "run":
            pairs.append((block, None))
        elif block.mark == "output":
            assert pairs, f"line {block.line}: an output without a block that prints it"
            run, shown = pairs[-1]
            assert shown is None, f"line {block.line}: a second output of one block"
            pairs[-1] = (run, block)
    return pairs


def agrees(expected: str, printed: str) -> bool:
    """Whether the lines are the same, trailing blanks and lines left out by `...` aside."""
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()) + r"\n"
        for line in expected.strip("\n").splitlines()
    )
    lines = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch(pattern, lines) is not None
