"""Promises 2 and 4: settled only by receipt, and settled in the end, over any network."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.uplink_guards import ACTIONS, Step, seeded_storms_violations, storm_violations

steps = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 199)), max_size=50)


def test_storms_end_with_all_settled(tmp_path: Path) -> None:
    assert seeded_storms_violations(tmp_path) == []


@pytest.mark.long
def test_many_storms_end_with_all_settled(tmp_path: Path) -> None:
    assert seeded_storms_violations(tmp_path, seeds=150) == []


@settings(max_examples=30, deadline=None)
@given(steps)
def test_any_storm_ends_with_all_settled(storm: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert storm_violations(Path(folder), storm) == []
