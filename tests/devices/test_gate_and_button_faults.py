"""Every named fault of gate and help button is reached, does what its table says, and can end."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton


def open_gate(gate: Gate, at_ms: float = 0) -> None:
    gate.relay(1, at_ms)
    gate.relay(0, at_ms + 300)


def gate_power_off(gate) -> None:
    open_gate(gate)
    assert (gate.is_open, gate.openings, gate.pulse_count) == (False, 0, 1)


def stuck_closed(gate) -> None:
    open_gate(gate)
    assert (gate.is_open, gate.openings, gate.walk_through()) == (False, 0, False)


def stuck_open(gate) -> None:
    open_gate(gate)
    gate.passed_contact(60_000)
    assert gate.is_open


def contact_dead(gate) -> None:
    open_gate(gate)
    gate.walk_through()
    assert not gate.passed_contact(310)
    assert gate.passages == 1


def contact_stuck(gate) -> None:
    assert gate.passed_contact(0)


def contact_bounce(gate) -> None:
    open_gate(gate)
    gate.walk_through()
    levels = [gate.passed_contact(400 + step / 10) for step in range(3100)]
    changes = sum(a != b for a, b in pairwise(levels))
    assert changes >= 3
    assert gate.passages == 1
    assert not levels[-1]


def door_contact_dead(gate) -> None:
    open_gate(gate)
    assert gate.is_open
    assert not gate.door_contact(400)


def door_contact_stuck(gate) -> None:
    assert gate.door_contact(0)
    assert not gate.is_open


def fire_contact_dead(gate) -> None:
    gate.fire_alarm(True)
    assert not gate.fire_contact()


def dead(button) -> None:
    button.press(0)
    assert not any(button.pressed(at) for at in range(300))


def stuck_pressed(button) -> None:
    assert button.pressed(0)


def long_bounce(button) -> None:
    button.hold(0)
    levels = [button.pressed(at / 10) for at in range(700)]
    last_change = max(i for i, (a, b) in enumerate(pairwise(levels)) if a != b)
    assert last_change / 10 > 30


def lamp_broken(button) -> None:
    button.lamp(1, 0)
    assert not button.lamp_lit
    button.faults.clear()
    assert button.lamp_lit


def bell_broken(button) -> None:
    button.bell(1, 0)
    assert not button.ringing
    button.faults.clear()
    assert button.ringing


def answer_dead(button) -> None:
    button.answer(0)
    assert not any(button.desk_contact(at) for at in range(300))


def answer_stuck(button) -> None:
    assert button.desk_contact(0)
    assert not button.pressed(0)


SCENARIOS: dict[type, dict[str, Callable[[Any], None]]] = {
    Gate: {
        "power_off": gate_power_off,
        "stuck_closed": stuck_closed,
        "stuck_open": stuck_open,
        "contact_dead": contact_dead,
        "contact_stuck": contact_stuck,
        "contact_bounce": contact_bounce,
        "door_contact_dead": door_contact_dead,
        "door_contact_stuck": door_contact_stuck,
        "fire_contact_dead": fire_contact_dead,
    },
    HelpButton: {
        "dead": dead,
        "stuck_pressed": stuck_pressed,
        "long_bounce": long_bounce,
        "lamp_broken": lamp_broken,
        "bell_broken": bell_broken,
        "answer_dead": answer_dead,
        "answer_stuck": answer_stuck,
    },
}


@pytest.mark.parametrize("model", [Gate, HelpButton])
def test_every_fault_has_a_scenario_and_a_sentence(model: Any) -> None:
    assert set(SCENARIOS[model]) == set(model.FAULTS)
    assert all(len(fault.what) > 10 for fault in model.FAULTS.values())


@pytest.mark.parametrize(
    ("model", "name"),
    [(model, name) for model, names in SCENARIOS.items() for name in names],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_fault(model: Any, name: str) -> None:
    device = model()
    device.faults.add(name)
    SCENARIOS[model][name](device)
    if name in ("contact_bounce", "long_bounce"):
        assert device.faults.happened[name] == 1
