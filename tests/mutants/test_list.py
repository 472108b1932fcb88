"""The list of mutations fits the functions as they are."""

import pytest

from tests.catalogue.calls import CALLS
from tests.mutants.mutation import KINDS, PROCEDURES, Mutation, read_list
from tests.mutants.trial import READERS, ROOT

MUTATIONS = read_list()


def test_there_are_enough_mutations_of_every_kind() -> None:
    assert len(MUTATIONS) >= 40
    assert {each.kind for each in MUTATIONS} == set(KINDS)


@pytest.mark.parametrize("name", CALLS)
def test_every_public_function_is_broken_somewhere(name: str) -> None:
    assert name in {each.function for each in MUTATIONS}


def test_no_two_mutations_are_the_same() -> None:
    assert len({each.name for each in MUTATIONS}) == len(MUTATIONS)
    assert len({(each.file, each.old, each.new) for each in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_fits_its_function(mutation: Mutation) -> None:
    text = (ROOT / PROCEDURES / mutation.file).read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1
    assert mutation.new != mutation.old
    for path in mutation.likely_tests:
        assert (ROOT / path).exists()
        assert not path.startswith(READERS)
