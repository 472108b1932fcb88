"""Draws docs/diagrams/NAME.svg from NAME.mmd beside it, for light and dark pages.

`make diagrams` runs it; only who changes a diagram needs it. Mermaid lays a diagram out in a
headless chromium, and what it found is written as a plain SVG: boxes, lines and texts in our own
style, nothing of mermaid's. The SVG carries the hash of its source, which a test compares.
"""

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

DIAGRAMS = Path(__file__).parents[1] / "diagrams"
FONT = "'Liberation Sans', Arial, Helvetica, sans-serif"
MARGIN = 8
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

STYLE = f"""\
text {{ font: 16px {FONT}; text-anchor: middle; fill: #1c2b2a; }}
.page, .behind {{ fill: #ffffff; }}
.box {{ fill: #e0f2f1; stroke: #00796b; }}
.note {{ fill: #fff8e1; stroke: #b08900; }}
.edge, .life {{ fill: none; stroke: #55706d; stroke-width: 1.5; }}
.life {{ stroke-width: 1; }}
.answer {{ stroke-dasharray: 4 4; }}
.dot, #tip path {{ fill: #55706d; }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #e3ecea; }}
  .page, .behind {{ fill: #1e2129; }}
  .box {{ fill: #123c38; stroke: #4db6ac; }}
  .note {{ fill: #3d3413; stroke: #c9a227; }}
  .edge, .life {{ stroke: #9fb5b1; }}
  .dot, #tip path {{ fill: #9fb5b1; }}
}}
"""

PAGE = """\
<meta charset="utf-8"><script src="{library}"></script><body><script>
const inside = {{ htmlLabels: false, useMaxWidth: false }};
mermaid.initialize({{
  startOnLoad: false, theme: "base", fontFamily: {font}, htmlLabels: false,
  flowchart: {{ ...inside, nodeSpacing: 60, rankSpacing: 45 }},
  state: inside,
  sequence: {{
    useMaxWidth: false, mirrorActors: false, width: 110, height: 40, actorMargin: 40,
    messageMargin: 30, noteMargin: 8,
  }},
}});
(async () => {{
  const drawn = {{}};
  for (const [name, source] of Object.entries({sources})) {{
    drawn[name] = (await mermaid.render(name, source)).svg;
  }}
  const answer = document.createElement("pre");
  answer.textContent = JSON.stringify(drawn);
  document.body.replaceChildren(answer);
}})();
</script>
"""


def sources() -> dict[str, str]:
    return {path.stem: path.read_text("utf-8") for path in sorted(DIAGRAMS.glob("*.mmd"))}


def mark_of(source: str) -> str:
    """What an SVG says of the source it was drawn from."""
    return f"<!-- source: {sha256(source.encode()).hexdigest()} -->"


def laid_out(library: Path, texts: dict[str, str]) -> dict[str, str]:
    """Mermaid's own SVG of each, by name."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"no browser: install one of {', '.join(BROWSERS)}")
    page = PAGE.format(library=library.as_uri(), font=json.dumps(FONT), sources=json.dumps(texts))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(page, "utf-8")
        completed = subprocess.run(
            [
                browser,
                *("--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"),
                *("--virtual-time-budget=30000", f"--user-data-dir={folder}/profile"),
                *("--dump-dom", path.as_uri()),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.search(r"<pre>(.*?)</pre>", completed.stdout, re.DOTALL)
    if found is None:
        sys.exit(f"mermaid drew nothing:\n{completed.stdout[-2000:]}{completed.stderr[-2000:]}")
    drawn: dict[str, str] = json.loads(html.unescape(found[1]))
    return drawn


def plain(drawn: str, source: str) -> str:
    """The same picture in our own style."""
    # The dumped page is HTML, where a line break in a text is not closed.
    tree = ElementTree.fromstring(drawn.replace("<br>", "<br/>"))
    left, top, width, height = (float(number) for number in tree.attrib["viewBox"].split())
    box = _attributes(
        {
            "x": left - MARGIN,
            "y": top - MARGIN,
            "width": width + 2 * MARGIN,
            "height": height + 2 * MARGIN,
        }
    )
    view = " ".join(re.findall(r'"(.*?)"', box))
    # In a flowchart mermaid ends a line before the box, elsewhere at it.
    tip = 5 if "flowchart" in tree.attrib.get("class", "") else 10
    shapes = sorted(_shapes(tree, 0, 0, None), key=lambda shape: shape[0])
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}"'
        f' width="{round(width + 2 * MARGIN)}" height="{round(height + 2 * MARGIN)}">',
        mark_of(source),
        f"<style>\n{STYLE}</style>",
        f'<marker id="tip" viewBox="0 0 10 10" refX="{tip}" refY="5" markerWidth="9"'
        ' markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0 10 5 0 10z"/></marker>',
        f'<rect class="page" {box} rx="6"/>',
        *(line for _, line in shapes),
        "</svg>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _shapes(
    element: ElementTree.Element, x: float, y: float, centre: float | None
) -> Iterator[tuple[int, str]]:
    """Each visible shape below, moved to its place; lower layers have lower numbers.

    A label is centred on its node, where there is one.
    """
    moved = re.match(r"translate\(([-\d.e]+)[, ]*([-\d.e]*)\)", element.get("transform", ""))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2] or 0)
    tag = element.tag.rpartition("}")[2]
    names = element.get("class", "").split()
    if tag in ("marker", "defs", "style"):
        return
    if "node" in names:
        centre = x
    if "outer-path" in names:  # the end of a state diagram
        yield 2, f'<circle class="life" {_attributes({"cx": x, "cy": y, "r": 7})}/>'
        yield 2, f'<circle class="dot" {_attributes({"cx": x, "cy": y, "r": 4})}/>'
        return
    if tag == "text":
        yield from _text(element, x if centre is None else centre, x, y)
        return
    if tag in SHAPES:
        yield from SHAPES[tag](element, names, x, y)
    for below in element:
        yield from _shapes(below, x, y, centre)


def _rectangle(
    element: ElementTree.Element, names: list[str], x: float, y: float
) -> Iterator[tuple[int, str]]:
    if not float(element.get("width", 0)):
        return
    behind = "background" in names
    name = "behind" if behind else "note" if "note" in names else "box"
    numbers = {key: float(element.get(key, 0)) for key in ("x", "y", "width", "height")}
    numbers |= {"x": numbers["x"] + x, "y": numbers["y"] + y}
    corner = "" if behind else ' rx="4"'
    yield 1 if behind else 2, f'<rect class="{name}" {_attributes(numbers)}{corner}/>'


def _circle(
    element: ElementTree.Element, names: list[str], x: float, y: float
) -> Iterator[tuple[int, str]]:
    name = "box" if "label-container" in names else "dot"
    numbers = {
        "cx": float(element.get("cx", 0)) + x,
        "cy": float(element.get("cy", 0)) + y,
        "r": float(element.get("r", 0)),
    }
    yield 2, f'<circle class="{name}" {_attributes(numbers)}/>'


def _path(
    element: ElementTree.Element, names: list[str], x: float, y: float
) -> Iterator[tuple[int, str]]:
    if {"flowchart-link", "transition", "messageLine0"} & set(names):
        where = f' transform="translate({x:g} {y:g})"' if x or y else ""
        course = re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.5g}", element.attrib["d"])
        yield 0, f'<path class="edge" marker-end="url(#tip)" d="{course}"{where}/>'


def _line(
    element: ElementTree.Element, names: list[str], x: float, y: float
) -> Iterator[tuple[int, str]]:
    numbers = {key: float(element.get(key, 0)) for key in ("x1", "y1", "x2", "y2")}
    if "actor-line" in names:
        yield 0, f'<line class="life" {_attributes(numbers)}/>'
    elif any(name.startswith("messageLine") for name in names):
        name = "edge answer" if "messageLine1" in names else "edge"
        yield 1, f'<line class="{name}" marker-end="url(#tip)" {_attributes(numbers)}/>'


def _text(
    element: ElementTree.Element, centre: float, x: float, y: float
) -> Iterator[tuple[int, str]]:
    """A line of text a row; mermaid's rows in a label have no place of their own."""
    rows = [child for child in element if "row" in child.get("class", "")]
    if not rows:
        rows = [element]
        down = 5.5 if element.get("dominant-baseline") in ("central", "middle") else 0
        down += 16 if element.get("dy") == "1em" else 0
        centre, y = x + float(element.get("x", 0)), y + float(element.get("y", 0)) + down
    else:
        y += 14
    for number, row in enumerate(rows):
        text = "".join(row.itertext()).strip()
        if text:
            place = _attributes({"x": centre, "y": y + 17.6 * number})
            yield 3, f"<text {place}>{escape(text)}</text>"


SHAPES = {"rect": _rectangle, "circle": _circle, "path": _path, "line": _line}


def _attributes(numbers: dict[str, float]) -> str:
    return " ".join(f'{name}="{number:.5g}"' for name, number in numbers.items())


if __name__ == "__main__":
    texts = sources()
    for name, drawn in laid_out(Path(sys.argv[1]).resolve(), texts).items():
        (DIAGRAMS / f"{name}.svg").write_text(plain(drawn, texts[name]), "utf-8")
        print(f"docs/diagrams/{name}.svg")
