"""The site is built without a warning, has a place for all that is public, and stands alone."""

import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

import pgwallet
from docs.generating.diagrams import BROWSERS
from tests.docs.blocks import ROOT

ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
# A page that opens others of the site in a frame and says what became of them.
PROBE = """\
<body><script>
const opened = async (path, is_ready) => {
  const frame = document.createElement("iframe");
  frame.width = 1280; frame.height = 900; frame.src = path;
  document.body.append(frame);
  for (let n = 0; n < 200; n++) {
    await new Promise(wake => setTimeout(wake, 100));
    const found = frame.contentDocument && is_ready(frame.contentDocument);
    if (found) return found;
  }
  return "nothing";
};
(async () => {
  const found = await opened("index.html?q=escrow", page =>
    page.querySelectorAll(".md-search-result__item a").length);
  const drawn = await opened("concepts/locks/index.html", page => {
    const pictures = [...page.querySelectorAll("img")];
    return pictures.length && pictures.every(picture => picture.naturalWidth)
      && pictures.map(picture => new URL(picture.src).pathname).join(" ");
  });
  const copied = await opened("tutorial/python/index.html", page => {
    const prompt = page.querySelector("code .gp");
    return prompt && prompt.closest("code").innerText;  // as the button takes it
  });
  await fetch("/report?" + new URLSearchParams({ found, drawn, copied }));
})();
</script>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    completed = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout
    return target


class Page(HTMLParser):
    """What a built page loads by itself, where it leads, and the places in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.classes: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.anchors |= {said[name] for name in ("id", "name") if name in said}
        self.classes |= set(said.get("class", "").split())
        self.loads += [said[name] for name in ("src", "srcset", "data", "poster") if name in said]
        self.loads += re.findall(r"url\(['\"]?([^'\")]+)", said.get("style", ""))
        if tag == "link" and not {"canonical", "prev", "next"} & set(said["rel"].split()):
            self.loads.append(said["href"])
        if tag == "a" and "href" in said:
            self.links.append(said["href"])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_page_of_the_docs_is_in_the_site(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        folder = page.relative_to(ROOT / "docs").with_suffix("")
        built = site / ("" if folder.name == "index" else folder) / "index.html"
        assert built.is_file(), page


def test_the_python_reference_has_every_public_name(site: Path) -> None:
    html = (site / "reference" / "python" / "index.html").read_text()
    anchors = {name.rpartition(".")[2] for name in re.findall(r'id="(pgwallet\.[\w.]+)"', html)}

    assert set(pgwallet.__all__) - {"__version__"} <= anchors


def test_a_function_is_shown_with_the_connection_that_it_takes(site: Path) -> None:
    html = (site / "reference" / "python" / "index.html").read_text()
    text = re.sub(r"<[^>]+>", "", html)

    assert re.search(r"deposit\(\s*conn", text)
    # An integer of SQL, which the source tells from a bigint, is an int for callers.
    assert re.search(r"statement\(\s*conn[^)]*limit\s*:\s*int\s*=\s*100", text)


def test_no_page_loads_anything_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    loads = {(path.name, load) for path, page in pages.items() for load in page.loads}
    for path in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        text = re.sub(r'xmlns(:\w+)?="[^"]*"', "", path.read_text("utf-8"))
        loads |= {
            (path.name, load)
            for load in re.findall(r"(?:url\(|@import |href=)['\"]?([^'\") ]+)", text)
        }
    assert len(loads) > 20
    assert [load for load in sorted(loads) if ELSEWHERE.match(load[1])] == []


def test_no_page_has_what_makes_the_theme_load_a_script(pages: dict[Path, Page]) -> None:
    """The theme fetches mermaid from another host when it sees one, and its search waits for it."""
    assert [path for path, page in pages.items() if "mermaid" in page.classes] == []


def test_every_link_inside_the_site_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    dead = []
    for path, page in pages.items():
        if path.name == "404.html":  # its links begin at the site's own address
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            there = target.is_file() and (
                not parts.fragment
                or target not in pages
                or parts.fragment == "__skip"
                or unquote(parts.fragment) in pages[target].anchors
            )
            if not there:
                dead.append((path.relative_to(site).as_posix(), link))
    assert dead == []


def test_search_diagrams_and_copying_work_with_the_network_shut(site: Path, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no chromium here")
    (site / "probe.html").write_text(PROBE, "utf-8")
    reports: Queue[dict[str, list[str]]] = Queue()

    class Site(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/report":
                reports.put(parse_qs(parts.query))
            super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        command = [
            browser,
            *("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"),
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            *(f"--user-data-dir={tmp_path}", f"http://127.0.0.1:{server.server_port}/probe.html"),
        ]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                report = reports.get(timeout=60)
            finally:
                process.terminate()
                server.shutdown()
                thread.join()

    assert int(report["found"][0]) > 3
    assert report["copied"][0].splitlines()[1:] == ["pip install '.[all]'", "python"]
    assert report["drawn"][0].split() == ["/diagrams/lock-order.svg", "/diagrams/closing.svg"]
