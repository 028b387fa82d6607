"""The relay board's model: frames as published, contacts that follow, and its faults."""

import pytest

from simulator.devices.lcus_relay import SWITCH_MS, LcusRelay

ON, OFF, ON_2 = (bytes.fromhex(text) for text in ("A00101A2", "A00100A1", "A00201A3"))


def test_commands_move_the_contact_and_nothing_is_answered(line) -> None:
    moves: list[tuple[int, float]] = []
    relay = LcusRelay()
    relay.on_change = lambda level, now_ms: moves.append((level, now_ms))
    wire = line(relay)
    assert wire.ask(ON) == b""
    assert (relay.closed, relay.contact) == (True, True)
    wire.wait(100)
    wire.ask(OFF)
    assert moves == [(1, SWITCH_MS), (0, 100 + SWITCH_MS + SWITCH_MS)]


@pytest.mark.parametrize("sent", [ON[:-1] + b"\xa3", ON_2, b"\x00" + ON[1:], ON[:3]])
def test_other_bytes_move_nothing(line, sent: bytes) -> None:
    relay = LcusRelay()
    line(relay).ask(sent)
    assert not relay.closed


def test_noise_before_a_command_is_skipped(line) -> None:
    relay = LcusRelay()
    line(relay).ask(b"\x00\x7e" + ON)
    assert relay.closed


@pytest.mark.parametrize(
    ("fault", "sent", "closed", "contact"),
    [
        ("lost_command", ON, False, False),
        ("coil_dead", ON, False, False),
        ("feedback_dead", ON, True, False),
        ("power_off", ON, False, False),
    ],
)
def test_faults(line, fault: str, sent: bytes, closed: bool, contact: bool) -> None:
    relay = LcusRelay()
    relay.faults.add(fault)
    line(relay).ask(sent)
    assert (relay.closed, relay.contact) == (closed, contact)


def test_a_welded_contact_stays_closed_and_power_that_goes_opens_a_whole_one(line) -> None:
    relay = LcusRelay()
    wire = line(relay)
    relay.faults.add("welded")
    wire.ask(ON)
    wire.ask(OFF)
    assert relay.closed
    relay.faults.remove("welded")
    relay.faults.add("power_off")
    wire.ask(b"")
    assert not relay.closed
