"""The arguments of the public functions, read from their files as the tests are collected."""

import re
from dataclasses import dataclass
from pathlib import Path

PROCEDURES = Path(__file__).parents[2] / "db" / "procedures"

HEAD = re.compile(
    r"^create or replace (function|procedure) pgwallet\.(\w+)\((.*?)\)\n?(?:returns| ?language)",
    re.MULTILINE | re.DOTALL,
)
ARGUMENT = re.compile(r"(p_\w+) ([\w\[\]]+)(?: default (.+))?")


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    type: str
    default: str | None

    @property
    def is_array(self) -> bool:
        return self.type.endswith("[]")

    @property
    def takes_null(self) -> bool:
        """Null is an answer where it is the default; where it is not, it is none."""
        return self.default == "null"


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    topic: str
    is_procedure: bool
    arguments: tuple[Argument, ...]


def _read(path: Path) -> Signature:
    head = HEAD.search(path.read_text(encoding="utf-8"))
    assert head, f"{path} does not begin as a function does"
    kind, name, listed = head.groups()
    arguments = []
    for text in listed.split(",") if listed.strip() else []:
        argument = ARGUMENT.fullmatch(text.strip())
        assert argument, f"{path}: {text} is not understood"
        arguments.append(Argument(*argument.groups()))
    return Signature(name, path.parent.name, kind == "procedure", tuple(arguments))


SIGNATURES = {
    signature.name: signature for signature in map(_read, sorted(PROCEDURES.glob("*/*.sql")))
}
