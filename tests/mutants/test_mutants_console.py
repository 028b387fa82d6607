"""Faults planted in the console are found by their guards, which are silent without them."""

from types import ModuleType

import pytest

from tests.mutants import (
    console_form_token_unchecked,
    console_hall_unchecked,
    console_logout_forgets_cookie_only,
    console_scope_unchecked,
)

MUTANTS = [
    console_scope_unchecked,
    console_hall_unchecked,
    console_form_token_unchecked,
    console_logout_forgets_cookie_only,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__.split(".")[-1])
def test_planted_fault_is_found(mutant: ModuleType) -> None:
    assert mutant.GUARD() == []
    with mutant.apply():
        assert mutant.GUARD() != []
    assert mutant.GUARD() == []
