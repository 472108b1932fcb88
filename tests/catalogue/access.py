"""To whom a function is given."""

ACCESSES = ("app", "operator", "auditor")

APPLICATION = frozenset({"app", "operator"})
OPERATION = frozenset({"operator"})
READING = frozenset({"app", "operator", "auditor"})
AUDIT = frozenset({"operator", "auditor"})
EVERYBODY = frozenset(ACCESSES)
OWNER_ALONE: frozenset[str] = frozenset()
