"""What is done to the tables by hand, and where check_ledger has to say so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Corruption:
    """Statements, and what check_ledger must name: pairs of an invariant and a subject."""

    name: str
    statements: str
    found: tuple[tuple[int, str], ...]


def corrupted(name: str, statements: str, *found: tuple[int, str]) -> Corruption:
    return Corruption(name, statements, found)
