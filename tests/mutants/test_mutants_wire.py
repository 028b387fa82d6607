"""Faults planted in the board link are found by their guards, which are silent without them."""

from types import ModuleType

import pytest

from tests.mutants import wire_crc_unchecked, wire_credit_ignored, wire_data_twice

MUTANTS = [wire_data_twice, wire_credit_ignored, wire_crc_unchecked]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__.split(".")[-1])
def test_planted_fault_is_found(mutant: ModuleType) -> None:
    assert mutant.GUARD() == []
    with mutant.apply():
        assert mutant.GUARD() != []
    assert mutant.GUARD() == []
