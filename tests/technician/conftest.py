"""The image that goes onto boards, built once, and a bench for each test."""

from pathlib import Path

import pytest

from tests.technician.bench import Bench


@pytest.fixture(scope="session")
def board_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from edge_agent.technician.build import build

    folder = tmp_path_factory.mktemp("board-image")
    build("esp32s3", 4, folder)
    return folder


@pytest.fixture
def bench(tmp_path: Path, board_image: Path) -> Bench:
    return Bench(tmp_path, board_image)
