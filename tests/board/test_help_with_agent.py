"""Help with everything real but the people: firmware, board, devices, agent. The agent dies."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from protocol.records import ANSWERED_AT_DESK, HelpAnswered, HelpCall
from simulator.board import Board
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.speech_chip import VoiceTiming
from simulator.devices.syn6288_voice import Syn6288Voice
from tests.agent.agent_process import AgentProcess
from tests.agent.test_terminal_help import COMING, GO, RINGS
from tests.board.terminal_scene import play_in_true_time

WAIT_S = 20.0
CALM_S = 2.0
SPEED = 4
HELD_MS = 600  # of a hand, so that a busy machine sees it too


async def until(is_so: Callable[[], bool], what: str) -> None:
    give_up = asyncio.get_running_loop().time() + WAIT_S
    while not is_so():
        assert asyncio.get_running_loop().time() < give_up, f"waited in vain for: {what}"
        await asyncio.sleep(0.01)


def test_help_from_the_press_to_the_word_and_without_its_agent(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        button, voice = HelpButton(), Syn6288Voice(timing=VoiceTiming.for_speed(SPEED))
        devices = {
            "card_reader": SdtReader(),
            "printer": EscposPrinter(),
            "voice": voice,
            "gate": Gate(),
            "help_button": button,
        }
        board = Board("t1", tmp_path / "board", devices, firmware_folder=image, speed=SPEED)
        await board.start()
        agent = AgentProcess(tmp_path, board.link_path)
        try:
            await board.booted()
            await asyncio.to_thread(agent.start)
            heard = lambda: [said.text for said in voice.transcript]  # noqa: E731

            board.press_help(HELD_MS)
            await until(lambda: button.ringing, "the bell")
            await until(lambda: RINGS + GO in heard(), "honest words")
            assert COMING not in heard()
            board.answer_help(HELD_MS)
            await until(lambda: COMING in heard(), "the promise")
            assert button.lamp_lit
            assert not button.ringing

            agent.kill()
            await asyncio.sleep(CALM_S)
            said = len(heard())
            board.press_help(HELD_MS)
            await until(lambda: button.ringing, "the bell without an agent")
            board.answer_help(HELD_MS)
            await until(lambda: not button.ringing and button.lamp_lit, "the desk's answer")
            rung = len(button.bell_changes)
            await asyncio.to_thread(agent.start)
            await asyncio.sleep(CALM_S)
            assert len(button.bell_changes) == rung
            assert RINGS + GO not in heard()[said:]
            assert await asyncio.to_thread(agent.stop) == 0
        finally:
            await asyncio.to_thread(agent.stop)
            await board.stop()
        helps = [body for body in agent.records() if isinstance(body, HelpCall | HelpAnswered)]
        first, answer, second, other = helps
        assert isinstance(answer, HelpAnswered)
        assert isinstance(other, HelpAnswered)
        assert (answer.event, answer.by) == (first.event, ANSWERED_AT_DESK)
        assert (other.event, other.by) == (second.event, ANSWERED_AT_DESK)
        assert 0 < answer.wait_ms < WAIT_S * 1000

    play_in_true_time(scene, 90)
