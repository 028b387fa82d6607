"""The firmware as it ships, built once."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the compiled firmware."""
    from edge_agent.technician.image import build_image

    folder = tmp_path_factory.mktemp("image")
    build_image(folder)
    return folder
