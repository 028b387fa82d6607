"""What all tests share: system programs that may be missing, free ports."""

import socket
from pathlib import Path

import pytest

ALONE = ("board/test_board_line", "board/test_link_stress", "hall/test_demo.py", "pages/test_tour")
"""Tests that measure true time, or that run a whole hall: one after the other."""
TRUE_TIME = ("board/", "technician/")
"""Tests whose devices and boards keep true time: few at once, before all that can wait."""
BROWSER_NEEDS = ("chromium", "chinese-font")
"""What each test with the fixture `browser` needs."""
HERE = Path(__file__).resolve().parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--deselect-needs",
        action="append",
        default=[],
        help="leave out tests marked needs(PROGRAM) for this program",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(program): the test starts this system program")
    config.addinivalue_line("markers", "alone: one after the other; see ALONE")
    config.addinivalue_line("markers", "true_time: few at once; see TRUE_TIME")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(HERE).as_posix()
        if place.startswith(ALONE):
            item.add_marker("alone")
        elif place.startswith(TRUE_TIME):
            item.add_marker("true_time")
        if "browser" in getattr(item, "fixturenames", ()):
            for need in BROWSER_NEEDS:
                item.add_marker(pytest.mark.needs(need))
    absent = set(config.getoption("--deselect-needs"))
    gone = [i for i in items if any(m.args[0] in absent for m in i.iter_markers("needs"))]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [i for i in items if i not in gone]


@pytest.fixture
def free_port() -> int:
    """A port on 127.0.0.1 that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
