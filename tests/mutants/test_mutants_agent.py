"""Every planted mistake of the agent is found by the check that it names.

A mutant is a module `agent_*.py`: `apply()` puts the mistake into the production code for a while,
GUARD is the check that has to see it: a function of a folder that returns violations. The ordinary
tests call the same guards and want none.
"""

import importlib
from pathlib import Path

import pytest

MUTANTS = sorted(path.stem for path in Path(__file__).parent.glob("agent_*.py"))


@pytest.mark.parametrize("name", MUTANTS)
def test_planted_mistake_is_found(name: str, tmp_path: Path) -> None:
    mutant = importlib.import_module(f"tests.mutants.{name}")
    with mutant.apply():
        violations = mutant.GUARD(tmp_path)
    assert violations, f"{mutant.GUARD.__name__} does not see {name}: {mutant.__doc__}"
