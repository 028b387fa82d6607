"""What the devices count, and when the agent hears it. Runs under CPython and MicroPython."""

import binascii
import struct

from firmware.counters import EVERY_MS
from protocol.wire import messages, states
from tests.firmware.rig import Rig

BUSY_STEP_MS = 25
JOB = b"\x1b\x40A001\x1d\x56\x42\x00"


def counted(rig):
    """Device -> {name: count}, the newest of each."""
    found = {}
    for device, tail in rig.agent.of(messages.COUNTERS):
        names = states.COUNTER_NAMES[device]
        found[device] = dict(zip(names, struct.unpack("<%dI" % len(names), tail)))  # noqa: B905, UP031
    return found


def case_every_device_counts_what_its_names_say(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.run(200)
    assert sorted(counted(rig)) == [1, 2, 3, 4, 5]
    for driver in rig.app._drivers:
        if hasattr(driver, "counts"):
            assert not any(driver.counts)


def case_a_busy_minute_is_counted_and_told(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.READ_CARD, 5, 0)
    rig.run(1000)
    rig.card = "rep_find_ok"
    rig.heard(messages.CARD)
    rig.card = "rep_no_card"
    rig.print_job(8, JOB, binascii.crc32(JOB))
    rig.agent.send(messages.PULSE, 9, 300)
    rig.heard(messages.EFFECT_RESULT, 2)
    rig.press(5)  # somebody passes
    rig.press(6)  # and somebody calls
    rounds = len(rig.agent.of(messages.COUNTERS))
    rig.run(EVERY_MS, BUSY_STEP_MS)
    told = counted(rig)
    assert len(rig.agent.of(messages.COUNTERS)) == rounds + 5
    assert told[states.CARD_READER] == {"read": 1, "faults": 0, "damaged": 0}
    assert told[states.PRINTER] == {"printed": 1, "not_printed": 0, "unknown": 0}
    assert told[states.GATE] == {"pulses": 1, "passed": 1, "expired": 0, "forced": 0}
    assert told[states.HELP_BUTTON] == {"called": 1, "answered": 0}


def case_counters_are_told_at_every_link_up(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.run(200)
    rounds = len(rig.agent.of(messages.COUNTERS))
    rig.cable = False
    rig.run(5000)
    rig.cable = True
    rig.up()
    rig.run(200)
    assert len(rig.agent.of(messages.COUNTERS)) == 2 * rounds


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
