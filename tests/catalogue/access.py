"""To whom a function is given."""

ACCESSES = ("app", "operator", "auditor", "monitor")

APPLICATION = frozenset({"app", "operator"})
OPERATION = frozenset({"operator"})
READING = frozenset({"app", "operator", "auditor"})
AUDIT = frozenset({"operator", "auditor"})
EVERYBODY = frozenset(ACCESSES)
MONITORING = frozenset({"operator", "auditor", "monitor"})
OWNER_ALONE: frozenset[str] = frozenset()
