"""What came of the mutations, as tables, and whether that is good enough."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

from rich.console import Console
from rich.table import Table

from tests.mutants.mutation import KINDS
from tests.mutants.trial import Outcome, Verdict

SHARE = 0.95
SLOW = 60  # seconds: there `tests` names others than the one that caught it
COLOURS = {Verdict.CAUGHT: "green", Verdict.SURVIVED: "red", Verdict.INVALID: "magenta"}


def line(outcome: Outcome) -> str:
    verdict = f"[{COLOURS[outcome.verdict]}]{outcome.verdict:8}[/]"
    told = f"{verdict} {outcome.seconds:4.0f} s  {outcome.mutation.name}"
    return (
        f"{told}: {_plain(outcome.reason)}" if outcome.seconds > SLOW and outcome.reason else told
    )


def _plain(reason: str) -> str:
    """A test's parameters look like markup."""
    return reason.replace("[", r"\[")


def show(console: Console, outcomes: Sequence[Outcome]) -> None:
    table = Table("function", "mutation", "result", title="Mutations")
    table.add_column("by, or why", overflow="fold")
    table.add_column("seconds")
    for each in sorted(outcomes, key=lambda each: (each.mutation.file, each.mutation.name)):
        table.add_row(
            each.mutation.function,
            each.mutation.name,
            f"[{COLOURS[each.verdict]}]{each.verdict}[/]",
            _plain(each.reason),
            f"{each.seconds:.0f}",
        )
    console.print(table)
    console.print(_counts("function", outcomes, lambda each: each.mutation.function))
    console.print(_counts("kind", outcomes, lambda each: KINDS[each.mutation.kind]))


def written(outcomes: Sequence[Outcome], server_version: str, measured_on: date) -> str:
    """In Markdown: how many of each kind, and by name what no test has caught."""
    lines = [
        "# What became of the mutations",
        "",
        f"Written by `make mutants` on {measured_on}, on PostgreSQL {server_version}: "
        f"{len(outcomes)} changes of {len({each.mutation.file for each in outcomes})} files, "
        "one at a time.",
        "",
        f"| kind | {' | '.join(Verdict)} |",
        f"|---|{'---:|' * len(Verdict)}",
    ]
    counts = Counter((each.mutation.kind, each.verdict) for each in outcomes)
    totals = Counter(each.verdict for each in outcomes)
    for kind, name in KINDS.items():
        numbers = " | ".join(str(counts[kind, verdict]) for verdict in Verdict)
        lines.append(f"| {name} | {numbers} |")
    lines.append(f"| **all** | {' | '.join(str(totals[verdict]) for verdict in Verdict)} |")
    uncaught = [each for each in outcomes if each.verdict != Verdict.CAUGHT]
    if uncaught:
        lines += ["", "| not caught | function | why |", "|---|---|---|"]
    for each in sorted(uncaught, key=lambda each: each.mutation.name):
        lines.append(f"| {each.mutation.name} | `{each.mutation.function}` | {each.reason} |")
    return "\n".join([*lines, ""])


def _counts(title: str, outcomes: Sequence[Outcome], name_of: Callable[[Outcome], str]) -> Table:
    counts = Counter((name_of(each), each.verdict) for each in outcomes)
    table = Table(title, *Verdict)
    for name in sorted({name for name, _ in counts}):
        table.add_row(name, *(str(counts[name, verdict]) for verdict in Verdict))
    return table


def complaints(outcomes: Sequence[Outcome], complete: bool) -> list[str]:
    """What is wrong with the tests or with the list; nothing when all is well."""
    found = []
    for each in outcomes:
        name, argued = each.mutation.name, bool(each.mutation.equivalent)
        if each.verdict == Verdict.INVALID:
            found.append(f"{name}: is no mutation, {each.reason}")
        elif each.verdict == Verdict.SURVIVED and not argued:
            found.append(f"{name}: no test catches it")
        elif each.verdict == Verdict.CAUGHT and argued:
            found.append(f"{name}: is said to be equivalent, but {each.reason} catches it")
    caught = sum(each.verdict == Verdict.CAUGHT for each in outcomes)
    if complete and caught < SHARE * len(outcomes):
        found.append(f"only {caught} of {len(outcomes)} are caught, less than {SHARE:.0%}")
    return found
