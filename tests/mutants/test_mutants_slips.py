"""Faults planted in what a slip proves are found by their guards, which are silent without them."""

from types import ModuleType

import pytest

from tests.mutants import slip_keys_unsigned, slip_raw_dots, slip_unsigned

MUTANTS = [slip_unsigned, slip_keys_unsigned, slip_raw_dots]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__.split(".")[-1])
def test_planted_fault_is_found(mutant: ModuleType) -> None:
    assert mutant.GUARD() == []
    with mutant.apply():
        assert mutant.GUARD() != []
    assert mutant.GUARD() == []
