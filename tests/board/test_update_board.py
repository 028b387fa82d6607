"""Updates with everything real but the people: MicroPython from slots on littlefs, devices, agent.

How much of the line an update takes while somebody is served is held by
tests/agent/test_board_update.py, in bytes on a clock of its own.
"""

from pathlib import Path

import pytest

from simulator.board import Board
from tests.board.terminal_scene import CARD, OTHER_CARD, play_in_true_time
from tests.board.update_scene import Factory, compiled, site

BAD = "raise RuntimeError('a release that never starts')\n"


@pytest.fixture(scope="module")
def factory(image: Path) -> Factory:
    return Factory(image)


def test_an_update_reaches_a_board_that_serves_and_a_bad_one_reverts_by_itself(
    factory: Factory, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with site(factory, tmp_path, 7) as s:
            s.give(factory.release(8))
            await s.until(lambda: s.update().stage == "sending", "the release on its way")
            s.reader.place(CARD)
            s.board.press_help(600)
            await s.until(lambda: s.button.ringing, "the bell during an update")
            await s.until(lambda: s.gate.openings == 1, "a citizen served during an update")
            s.reader.lift()
            s.board.answer_help(600)
            await s.until(lambda: not s.button.ringing, "the desk's answer")
            await s.until(lambda: s.update().stage == "done", "the new release confirmed")
            assert s.update().version == 8
            resets = s.board.resets
            assert resets == 1

            bad = compiled(BAD, tmp_path)
            s.give(factory.release(9, firmware_app_mpy=bad))
            await s.until(lambda: s.update().stage == "failed", "the old release back")
            assert s.update().told()["reason"] == "did not start"
            assert s.board.resets - resets == 4  # into the trial, three tries that end
            assert any("a release that never starts" in line for line in s.board.log)

            s.reader.place(OTHER_CARD)
            await s.until(lambda: s.gate.openings == 2, "a citizen served by the old release")

    play_in_true_time(scene, 150)


def test_a_board_from_flash_needs_micropython(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="micropython"):
        Board(
            "t1",
            tmp_path,
            {},
            firmware_folder=tmp_path,
            runtime="cpython",
            flash_files={"main.py": b""},
        )
