"""Faults planted in the citizen's screen are found by their guards, silent without them."""

from types import ModuleType

import pytest

from tests.mutants import kiosk_headline_only, kiosk_stall_unseen, kiosk_unescaped

MUTANTS = [kiosk_headline_only, kiosk_stall_unseen, kiosk_unescaped]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__.split(".")[-1])
def test_planted_fault_is_found(mutant: ModuleType) -> None:
    assert mutant.GUARD() == []
    with mutant.apply():
        assert mutant.GUARD() != []
    assert mutant.GUARD() == []
