"""Every planted fault outside the agent is found by its guard, which is silent without it.

A mutant is a module of this folder: `apply()` puts the fault into the production code for a while,
`GUARD()` returns violations. Those of the agent need a folder: test_mutants_agent.
"""

import importlib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OTHERS = ("agent_", "test_", "__")
MUTANTS = sorted(p.stem for p in HERE.glob("*.py") if not p.stem.startswith(OTHERS))


@pytest.mark.parametrize("name", MUTANTS)
def test_planted_fault_is_found(name: str) -> None:
    mutant = importlib.import_module(f"tests.mutants.{name}")
    with mutant.apply():
        assert mutant.GUARD() != []
    assert mutant.GUARD() == []
