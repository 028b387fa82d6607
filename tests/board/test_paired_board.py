"""A paired board in its own process: it serves its agent, with the heap that every board has, and
nobody else."""

import asyncio
from pathlib import Path

import pytest

from protocol.wire import states
from simulator.board.probe import Probe
from tests.board.terminal_scene import play, play_in_true_time, terminal

KEY = bytes(range(32))


@pytest.mark.parametrize("runtime", ["micropython", "cpython"])
def test_a_paired_board_serves_its_agent_and_no_other(
    image: Path, tmp_path: Path, runtime: str
) -> None:
    async def scene() -> None:
        options = {"runtime": runtime, "pair_key": KEY}
        async with terminal(image, tmp_path, **options) as t:
            assert await t.probe.pulse(7, 200) == states.DONE
            assert await t.print_slip() == states.DONE
            await t.lose_power()
            assert await t.probe.pulse(8, 200) == states.DONE
            assert t.probe.downs
            assert set(t.probe.downs) <= {"peer_reboot", "silent"}
            stats = t.probe.link.stats
            assert (stats.forged, stats.refused) == (0, 0)
            await t.probe.vanish()
            async with Probe(t.board.link_port(), 9) as stranger:
                while not stranger.downs:  # the board still waits for its agent
                    await asyncio.sleep(0.05)
                assert stranger.downs == ["paired"]
                assert not stranger.link.up

    (play if runtime == "micropython" else play_in_true_time)(scene)
