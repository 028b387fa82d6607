"""Faults planted in the centre are found by their guards, which are silent without them."""

from types import ModuleType

import pytest

from tests.mutants import (
    answered_by_silence,
    gap_accepted,
    next_not_atomic,
    no_dedupe,
    number_used_again,
    receipt_before_commit,
    ticket_overwritten,
    unique_ignores_hall,
)

MUTANTS = [
    receipt_before_commit,
    no_dedupe,
    gap_accepted,
    ticket_overwritten,
    next_not_atomic,
    unique_ignores_hall,
    answered_by_silence,
    number_used_again,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__.split(".")[-1])
def test_planted_fault_is_found(mutant: ModuleType) -> None:
    assert mutant.GUARD() == []
    with mutant.apply():
        assert mutant.GUARD() != []
    assert mutant.GUARD() == []
