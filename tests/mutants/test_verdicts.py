"""What the runner says of a mutation that survives, and of one that is none."""

from datetime import date

import pytest

from tests.mutants.mutation import Mutation
from tests.mutants.report import complaints, written
from tests.mutants.trial import Outcome, TrialError, Verdict, first_failure, senseless


def outcome(verdict: Verdict, equivalent: str = "") -> Outcome:
    mutation = Mutation("it goes wrong", "sign", "a/b.sql", "+", "-", equivalent)
    return Outcome(mutation, verdict, "reason", 1)


def test_a_caught_mutation_and_an_argued_survivor_are_no_complaint() -> None:
    outcomes = [outcome(Verdict.CAUGHT), outcome(Verdict.SURVIVED, "nobody can see it")]
    assert complaints(outcomes, complete=False) == []


@pytest.mark.parametrize(
    ("verdict", "equivalent", "complaint"),
    [
        (Verdict.SURVIVED, "", "it goes wrong: no test catches it"),
        (Verdict.INVALID, "", "it goes wrong: is no mutation, reason"),
        (
            Verdict.CAUGHT,
            "nobody can see it",
            "it goes wrong: is said to be equivalent, but reason catches it",
        ),
    ],
)
def test_all_else_is_a_complaint(verdict: Verdict, equivalent: str, complaint: str) -> None:
    assert complaints([outcome(verdict, equivalent)], complete=False) == [complaint]


def test_even_argued_survivors_may_not_be_many() -> None:
    argued = [outcome(Verdict.SURVIVED, "nobody can see it")]
    assert complaints([*[outcome(Verdict.CAUGHT)] * 19, *argued], complete=True) == []
    assert complaints([*[outcome(Verdict.CAUGHT)] * 18, *argued], complete=True) == [
        "only 18 of 19 are caught, less than 95%"
    ]


def test_the_report_counts_by_kind_and_names_what_was_not_caught() -> None:
    outcomes = [*[outcome(Verdict.CAUGHT)] * 3, outcome(Verdict.SURVIVED, "nobody can see it")]
    text = written(outcomes, "18.1", date(2026, 11, 30))
    assert "on 2026-11-30, on PostgreSQL 18.1: 4 changes of 1 files" in text
    assert "| a sign flipped | 3 | 1 | 0 |\n" in text
    assert "| **all** | 3 | 1 | 0 |\n" in text
    assert text.endswith("| it goes wrong | `b` | reason |\n")


def test_the_test_that_failed_first_is_named() -> None:
    output = "FAILED tests/A.py::test_b[c d - e] - assert 1 == 2\nFAILED tests/A.py::test_f\n"
    assert first_failure(output) == "tests/A.py::test_b[c d - e]"
    assert first_failure(f"ERROR    psycopg:connection.py:353 failed\n{output}") == first_failure(
        output
    )
    assert first_failure('File "x.py", line 3, in test_waits\n') == "test_waits (hung)"
    with pytest.raises(TrialError):
        first_failure("1 failed\n")


def test_an_error_in_the_changed_text_itself_is_no_catch() -> None:
    said = "E           psycopg.errors.UndefinedColumn: column p.x does not exist"
    assert senseless(f"> conn.execute()\n{said}\n") == said.removeprefix("E").strip()
    assert senseless("E   psycopg.errors.CheckViolation: balance\n") is None
