"""A centre around each of the two stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.making import STORES, Centre, SimTerminal, centre_keys, new_store


@pytest.fixture(params=STORES)
def centre(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Centre]:
    with new_store(request.param, tmp_path) as store:
        yield Centre(store, centre_keys())


@pytest.fixture
def terminal(centre: Centre) -> SimTerminal:
    """An enrolled terminal with an empty disk."""
    made = SimTerminal(centre.keys)
    centre.enrol(made)
    return made
