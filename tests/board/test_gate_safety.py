"""A gate that is forced, held open, in a fire, without its board, or behind a relay board: what the
whole firmware does and tells."""

import asyncio
from pathlib import Path

import pytest

from protocol.wire import messages, states
from simulator.devices.gate import Gate
from simulator.devices.lcus_relay import LcusRelay
from tests.board.pin_scenes import PULSE_MS, passage
from tests.board.terminal_scene import Terminal, play, terminal

SHORT = "gate.passage_s=5\ngate.held_s=5"
LCUS = "gate.model=lcus\ngate.uart=6"
FEEDBACK = "\ngate.feedback=12\ngate.feedback_active=0"


async def happened(t: Terminal, kind: int) -> None:
    """This event, and no other, is told; it is acknowledged."""
    told = await t.probe.expect(messages.EVENT)
    assert told.fields[1] == kind, states.EVENT_NAMES[told.fields[1]]
    await t.probe.send(messages.EVENT_ACK, told.fields[0])


async def relay_is(t: Terminal, on: bool) -> None:
    async with asyncio.timeout(5):
        while bool(t.gate.pulses and t.gate.pulses[-1].ended_ms is None) != on:
            await asyncio.sleep(0.01)


def test_forced_held_open_and_fire_are_told_and_the_gate_works_on(
    image: Path, tmp_path: Path
) -> None:
    async def scene() -> None:
        gate = Gate(fire_wired=False)
        options = {"settings": SHORT, "clock_rate": 4, "gate": gate}
        async with terminal(image, tmp_path, **options) as t:
            gate.force(t.board.now_ms())
            await happened(t, states.DOOR_FORCED)
            await t.state(states.GATE, states.FRAUD_ATTEMPT, states.GATE_FORCED)
            await t.state(states.GATE, states.ONLINE)  # it fell shut again

            assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE
            gate.stand_in(True)
            await happened(t, states.DOOR_HELD)
            await t.state(states.GATE, states.USER_ERROR, states.GATE_DOOR_OPEN)
            gate.stand_in(False)
            await t.state(states.GATE, states.ONLINE)

            gate.fire_alarm(True)
            await relay_is(t, True)
            await happened(t, states.FIRE_OPENED)
            await t.state(states.GATE, states.USER_ERROR, states.GATE_FIRE)
            assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE
            await relay_is(t, True)
            gate.fire_alarm(False)
            await relay_is(t, False)
            await t.state(states.GATE, states.ONLINE)
            await passage(t)

    play(scene)


def test_fire_opens_without_an_agent_and_is_told_when_it_comes(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        gate = Gate(fire_wired=False)
        async with terminal(image, tmp_path, gate=gate) as t:
            await t.probe.vanish()
            gate.fire_alarm(True)
            await relay_is(t, True)
            await asyncio.sleep(0.5)
            t.board.kill()  # nothing is lost with the board either
            await relay_is(t, False)
            await relay_is(t, True)  # and the next life opens by itself

    play(scene)


def test_a_board_that_dies_in_mid_pulse_shuts_the_gate(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            await t.probe.send(messages.PULSE, t.number(), 5000)
            await relay_is(t, True)
            await t.lose_power()
            await relay_is(t, False)
            assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE

    play(scene)


def test_a_fail_safe_gate_opens_without_its_board(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        gate = Gate(fail_safe=True)
        settings = "gate.fail_safe=1"
        async with terminal(image, tmp_path, settings=settings, gate=gate) as t:
            await relay_is(t, False)  # held, as soon as the board is there
            async with asyncio.timeout(5):
                while gate.is_open:
                    await asyncio.sleep(0.05)
            await passage(t)
            ups, openings = t.probe.ups, gate.openings
            t.board.kill()
            await relay_is(t, True)
            await t.probe.up_again(ups)
            await relay_is(t, False)
            assert gate.openings == openings + 1

    play(scene)


@pytest.mark.parametrize("feedback", ["", FEEDBACK])
def test_a_gate_behind_a_relay_board(image: Path, tmp_path: Path, feedback: str) -> None:
    async def scene() -> None:
        board = LcusRelay()
        options = {"settings": LCUS + feedback, "relay_board": board}
        async with terminal(image, tmp_path, **options) as t:
            await passage(t)
            board.faults.add("lost_command", 1)
            await passage(t)
            board.faults.add("power_off")
            number = t.number()
            expected = states.UNKNOWN if feedback else states.DONE  # nothing tells without it
            assert await t.probe.pulse(number, PULSE_MS) == expected
            assert not t.gate.is_open
            if feedback:
                await t.state(states.GATE, states.HARDWARE_ERROR, states.DETAIL_STUCK)
            board.faults.remove("power_off")
            await passage(t)
            await t.state(states.GATE, states.ONLINE)
            if not feedback:
                return
            board.faults.add("coil_dead")
            assert await t.probe.pulse(t.number(), PULSE_MS) == states.UNKNOWN
            board.faults.remove("coil_dead")
            await passage(t)
            board.faults.add("feedback_dead")
            assert await t.probe.pulse(t.number(), PULSE_MS) == states.UNKNOWN  # it did open
            board.faults.remove("feedback_dead")
            board.faults.add("welded")
            assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE
            await t.state(states.GATE, states.HARDWARE_ERROR, states.DETAIL_STUCK)
            board.faults.remove("welded")
            await t.state(states.GATE, states.ONLINE)
            assert not board.closed
            assert set(board.FAULTS) == set(board.faults.happened)

    play(scene)
