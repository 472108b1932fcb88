"""What is changed in which function, one change at a time: the entries of list/*.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).parent / "list"
PROCEDURES = "db/procedures"

KINDS = {
    "lock": "a lock dropped",
    "order": "an order reversed",
    "rounding": "a rounding changed",
    "status": "a status check skipped",
    "limit": "an off-by-one limit",
    "sign": "a sign flipped",
    "posting": "a posting left out or led astray",
    "cap": "a cap removed",
    "replay": "a replay check skipped",
    "check": "another check skipped",
    "right": "a right given or kept from a role",
}

# Where to look first, unless an entry knows better; else in the tests of the function's topic.
LIKELY = {"lock": "tests/concurrency", "replay": "tests/ledger/test_idempotency.py"}


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change; `equivalent` says why no test can see it, `tests` where to look first."""

    name: str
    kind: str
    file: str
    old: str
    new: str
    equivalent: str = ""
    tests: tuple[str, ...] = ()

    @property
    def function(self) -> str:
        return Path(self.file).stem

    @property
    def likely_tests(self) -> tuple[str, ...]:
        return tuple(self.tests) or (LIKELY.get(self.kind, f"tests/{Path(self.file).parts[0]}"),)

    def apply(self, tree: Path) -> None:
        """Changes the function in a copy of the project."""
        path = tree / PROCEDURES / self.file
        before = path.read_text(encoding="utf-8")
        if before.count(self.old) != 1:
            raise ValueError(f"{self.name}: `old` is not in {self.file} exactly once")
        path.write_text(before.replace(self.old, self.new), encoding="utf-8")


def read_list() -> list[Mutation]:
    mutations = []
    for path in sorted(LIST.glob("*.toml")):
        with path.open("rb") as file:
            mutations += [Mutation(**entry) for entry in tomllib.load(file)["mutation"]]
    return mutations
