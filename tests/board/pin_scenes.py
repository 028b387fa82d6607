"""Gate and help button: what the whole firmware makes of each fault. Most of them no board can
see."""

import asyncio
from collections.abc import Callable

from protocol.wire import messages, states
from tests.board.fault_scenes import Book
from tests.board.terminal_scene import Terminal

GATE = Book()
HELP_BUTTON = Book()
PULSE_MS = 400
RELEASED_S = 0.3  # a contact has opened again


def events(t: Terminal, kind: int) -> int:
    """How many events of this kind have come and were not taken."""
    told = [m for m in t.probe.inbox if m.kind == messages.EVENT and m.fields[1] == kind]
    return len({m.fields[0] for m in told})


async def passage(t: Terminal) -> None:
    """The gate works from pulse to passage."""
    assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE
    assert t.gate.walk_through()
    told = await t.probe.expect(messages.EVENT)
    assert told.fields[1] == states.GATE_PASSED
    await t.probe.send(messages.EVENT_ACK, told.fields[0])
    await asyncio.sleep(RELEASED_S)


@GATE.scene("power_off")
async def gate_power_off(t: Terminal) -> None:
    t.gate.faults.add("power_off")
    assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE  # the relay did its part
    assert not t.gate.walk_through()
    assert events(t, states.GATE_PASSED) == 0
    t.gate.faults.remove("power_off")
    await passage(t)


@GATE.scene("stuck_closed")
async def stuck_closed(t: Terminal) -> None:
    t.gate.faults.add("stuck_closed")
    assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE
    assert not t.gate.walk_through()
    t.gate.faults.remove("stuck_closed")
    await passage(t)


@GATE.scene("stuck_open", settings="gate.passage_s=5\ngate.held_s=5", clock_rate=4)
async def stuck_open(t: Terminal) -> None:
    t.gate.faults.add("stuck_open")
    await passage(t)
    await passage(t)  # every passage is told, also those that no pulse allowed
    assert t.gate.passages == 2
    told = await t.probe.expect(messages.EVENT)
    assert told.fields[1] == states.DOOR_HELD
    await t.probe.send(messages.EVENT_ACK, told.fields[0])
    await t.state(states.GATE, states.USER_ERROR, states.GATE_DOOR_OPEN)
    t.gate.faults.remove("stuck_open")
    await passage(t)
    await t.state(states.GATE, states.ONLINE)


@GATE.scene("contact_dead")
async def contact_dead(t: Terminal) -> None:
    t.gate.faults.add("contact_dead")
    assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE
    assert t.gate.walk_through()
    await asyncio.sleep(RELEASED_S)
    assert events(t, states.GATE_PASSED) == 0
    t.gate.faults.remove("contact_dead")
    await asyncio.sleep(RELEASED_S)
    await passage(t)


@GATE.scene("contact_stuck")
async def contact_stuck(t: Terminal) -> None:
    t.gate.faults.add("contact_stuck")
    first = await t.probe.expect(messages.EVENT)
    assert first.fields[1] == states.GATE_PASSED
    await t.probe.send(messages.EVENT_ACK, first.fields[0])
    await asyncio.sleep(RELEASED_S)
    assert events(t, states.GATE_PASSED) == 0  # told once, not in a stream
    t.gate.faults.remove("contact_stuck")
    await asyncio.sleep(RELEASED_S)
    await passage(t)


@GATE.scene("contact_bounce")
async def contact_bounce(t: Terminal) -> None:
    t.gate.faults.add("contact_bounce")
    await passage(t)
    await asyncio.sleep(RELEASED_S)
    assert events(t, states.GATE_PASSED) == 0


@GATE.scene("door_contact_dead")
async def door_contact_dead(t: Terminal) -> None:
    t.gate.faults.add("door_contact_dead")
    await passage(t)  # a gate without the contact works as well
    await t.state(states.GATE, states.ONLINE)
    t.gate.faults.remove("door_contact_dead")
    await passage(t)


@GATE.scene("door_contact_stuck")
async def door_contact_stuck(t: Terminal) -> None:
    t.gate.faults.add("door_contact_stuck")
    told = await t.probe.expect(messages.EVENT)
    assert told.fields[1] == states.DOOR_FORCED  # the board cannot tell it from a forced door
    await t.probe.send(messages.EVENT_ACK, told.fields[0])
    await t.state(states.GATE, states.FRAUD_ATTEMPT, states.GATE_FORCED)
    await passage(t)  # who is let in goes in
    t.gate.faults.remove("door_contact_stuck")
    await t.state(states.GATE, states.ONLINE)


@GATE.scene("fire_contact_dead")
async def fire_contact_dead(t: Terminal) -> None:
    t.gate.faults.add("fire_contact_dead")
    t.gate.fire_alarm(True)
    assert t.gate.is_open  # by its own wire
    told = await t.probe.expect(messages.EVENT)
    assert told.fields[1] == states.DOOR_FORCED  # as far as the board can tell
    await t.probe.send(messages.EVENT_ACK, told.fields[0])
    t.gate.fire_alarm(False)
    await t.state(states.GATE, states.ONLINE)
    t.gate.faults.remove("fire_contact_dead")
    await passage(t)


async def help_works(t: Terminal) -> None:
    t.button.press(t.board.now_ms())
    told = await t.probe.expect(messages.EVENT)
    assert told.fields[1] == states.HELP_PRESSED
    await t.probe.send(messages.EVENT_ACK, told.fields[0])
    await asyncio.sleep(RELEASED_S)


@HELP_BUTTON.scene("dead")
async def dead(t: Terminal) -> None:
    t.button.faults.add("dead")
    t.board.press_help()
    await asyncio.sleep(RELEASED_S)
    assert events(t, states.HELP_PRESSED) == 0
    t.button.faults.remove("dead")
    await help_works(t)


@HELP_BUTTON.scene("stuck_pressed", clock_rate=8)
async def stuck_pressed(t: Terminal) -> None:
    t.button.faults.add("stuck_pressed")
    told = await t.probe.expect(messages.EVENT)
    await t.probe.send(messages.EVENT_ACK, told.fields[0])
    await t.state(states.HELP_BUTTON, states.HARDWARE_ERROR, states.DETAIL_STUCK)
    assert events(t, states.HELP_PRESSED) == 0
    t.button.faults.remove("stuck_pressed")
    await t.state(states.HELP_BUTTON, states.ONLINE)
    await help_works(t)


@HELP_BUTTON.scene("long_bounce")
async def long_bounce(t: Terminal) -> None:
    t.button.faults.add("long_bounce")
    await help_works(t)  # once or twice, never not at all


@HELP_BUTTON.scene("lamp_broken")
async def lamp_broken(t: Terminal) -> None:
    t.button.faults.add("lamp_broken")
    await help_works(t)
    assert t.button.lamp_changes
    assert not await seen(t, lambda: t.button.lamp_lit)
    t.button.faults.remove("lamp_broken")
    assert await seen(t, lambda: t.button.lamp_lit)


async def seen(t: Terminal, look: Callable[[], bool], within_s: float = 1.5) -> bool:
    """Whether it is so at some moment of the next while: a lamp that blinks is dark at times."""
    give_up = asyncio.get_running_loop().time() + within_s
    while asyncio.get_running_loop().time() < give_up:
        if look():
            return True
        await asyncio.sleep(0.02)
    return False


async def answered(t: Terminal) -> None:
    """The desk answers: bell off, lamp steady, the agent is told."""
    t.board.answer_help()
    told = await t.probe.expect(messages.EVENT)
    assert told.fields[1] == states.HELP_ANSWERED
    await t.probe.send(messages.EVENT_ACK, told.fields[0])
    assert not t.button.ringing
    assert t.button.lamp_lit


@HELP_BUTTON.scene("bell_broken")
async def bell_broken(t: Terminal) -> None:
    t.button.faults.add("bell_broken")
    await help_works(t)
    assert t.button.bell_changes  # the board did its part, and no board can hear
    assert not await seen(t, lambda: t.button.ringing, 4)
    t.button.faults.remove("bell_broken")
    assert await seen(t, lambda: t.button.ringing, 4)
    await answered(t)


@HELP_BUTTON.scene("answer_dead")
async def answer_dead(t: Terminal) -> None:
    t.button.faults.add("answer_dead")
    await help_works(t)
    t.board.answer_help()
    await asyncio.sleep(RELEASED_S)
    assert events(t, states.HELP_ANSWERED) == 0
    t.button.faults.remove("answer_dead")
    await asyncio.sleep(RELEASED_S)
    await answered(t)


@HELP_BUTTON.scene("answer_stuck", clock_rate=8)
async def answer_stuck(t: Terminal) -> None:
    await help_works(t)
    t.button.faults.add("answer_stuck")
    told = await t.probe.expect(messages.EVENT)  # a closing is a closing: once
    assert told.fields[1] == states.HELP_ANSWERED
    await t.probe.send(messages.EVENT_ACK, told.fields[0])
    await t.state(states.HELP_BUTTON, states.HARDWARE_ERROR, states.DETAIL_STUCK)
    await help_works(t)  # the next call is not answered by it
    assert events(t, states.HELP_ANSWERED) == 0
    t.button.faults.remove("answer_stuck")
    await t.state(states.HELP_BUTTON, states.ONLINE)
    await answered(t)
