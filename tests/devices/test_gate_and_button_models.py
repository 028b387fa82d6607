"""Gate and help button: levels and times, as a driver sees them."""

import random

from simulator.devices.contact import EDGES_PENDING_MAX, Contact
from simulator.devices.gate import CLOSED, Gate, GateTiming
from simulator.devices.help_button import HelpButton


def pulse(gate: Gate, at_ms: float, lasts_ms: float = 300) -> None:
    gate.relay(1, at_ms)
    gate.relay(0, at_ms + lasts_ms)


def contact_times(gate: Gate, from_ms: int, to_ms: int) -> list[int]:
    """Milliseconds at which the contact was seen closed."""
    return [at for at in range(from_ms, to_ms) if gate.passed_contact(at)]


def test_a_pulse_opens_once_and_the_gate_closes_by_itself() -> None:
    opened = []
    gate = Gate(on_open=lambda: opened.append(True))
    pulse(gate, 1000)
    assert (gate.openings, gate.pulse_count, gate.is_open, opened) == (1, 1, True, [True])
    assert (gate.pulses[0].started_ms, gate.pulses[0].ended_ms) == (1000, 1300)
    assert gate.next_ms(1300) == 7100
    assert not gate.passed_contact(7200)
    assert (gate.state, gate.passages, gate.next_ms(7200)) == (CLOSED, 0, None)


def test_a_short_pulse_is_counted_and_opens_nothing() -> None:
    gate = Gate()
    pulse(gate, 0, 99)
    assert (gate.pulse_count, gate.openings, gate.is_open) == (1, 0, False)


def test_a_passage_closes_the_contact_for_a_while() -> None:
    gate = Gate(timing=GateTiming(contact_ms=300, close_after_passage_ms=800))
    assert not gate.walk_through()
    pulse(gate, 0)
    assert gate.walk_through()
    assert contact_times(gate, 400, 900) == list(range(400, 700))
    gate.passed_contact(1300)
    assert (gate.passages, gate.is_open) == (1, False)


def test_a_second_pulse_keeps_an_open_gate_open_without_a_new_opening() -> None:
    gate = Gate()
    pulse(gate, 0)
    pulse(gate, 5000)
    gate.passed_contact(7000)
    assert (gate.openings, gate.pulse_count, gate.is_open) == (1, 2, True)


def test_people_may_walk_by_themselves() -> None:
    gate = Gate(auto_pass_ms=1500)
    pulse(gate, 0)
    assert contact_times(gate, 1000, 2500)[0] == 1600
    assert gate.passages == 1


def test_a_relay_that_never_falls_is_seen_in_the_pulses() -> None:
    gate = Gate()
    gate.relay(1, 0)
    gate.passed_contact(100_000)
    assert (gate.openings, gate.pulses[0].ended_ms, gate.is_open) == (1, None, True)


def test_the_doors_contact_is_closed_while_the_gate_is_open() -> None:
    gate = Gate(timing=GateTiming(open_ms=2000))
    assert not gate.door_contact(0)
    gate.force(100)
    assert (gate.door_contact(200), gate.openings) == (True, 0)
    assert not gate.door_contact(2200)
    pulse(gate, 3000)
    gate.stand_in(True)
    assert gate.door_contact(60_000)
    gate.stand_in(False)
    assert not gate.door_contact(62_000)


def test_a_fail_safe_gate_opens_when_its_relay_is_let_go() -> None:
    gate = Gate(fail_safe=True)
    gate.relay(1, 0)
    assert not gate.is_open
    gate.relay(0, 1000)
    gate.relay(1, 1300)
    assert gate.openings == 1


def test_the_fire_alarm_has_a_contact_of_its_own() -> None:
    gate = Gate(fire_wired=False)
    gate.fire_alarm(True)
    assert (gate.fire_contact(), gate.is_open) == (True, False)


def test_fire_opens_whatever_is_wrong() -> None:
    gate = Gate()
    gate.faults.add("power_off")
    assert not gate.is_open
    gate.fire_alarm(True)
    assert gate.is_open
    gate.fire_alarm(False)
    assert not gate.is_open
    safe = Gate(fail_safe=True)
    safe.faults.add("power_off")
    assert safe.is_open


def edges(button: HelpButton, from_ms: int, to_ms: int) -> list[float]:
    """Moments at which the contact changed."""
    found, level = [], button.pressed(from_ms)
    for step in range(from_ms * 10, to_ms * 10):
        if button.pressed(step / 10) != level:
            level = not level
            found.append(step / 10)
    return found


def test_a_press_bounces_and_then_rests() -> None:
    button = HelpButton(rng=random.Random(2))
    button.press(100, 250)
    assert button.next_ms(100) == 100
    moments = edges(button, 50, 1000)
    assert len(moments) > 2
    assert all(100 <= at <= 109 or 350 <= at <= 359 for at in moments)
    assert not button.pressed(1000)
    assert (button.presses, button.next_ms(1000)) == (1, None)


def test_a_held_button_stays_down_until_released() -> None:
    button = HelpButton()
    button.hold(0)
    assert button.pressed(10_000)
    button.release(10_000)
    assert not button.pressed(10_100)


def test_bounce_comes_from_the_seed() -> None:
    def run(seed: int) -> list[float]:
        button = HelpButton(rng=random.Random(seed))
        button.press(100)
        return edges(button, 0, 600)

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_lamp_follows_its_pin() -> None:
    button = HelpButton()
    for at, level in enumerate((0, 1, 1, 0)):
        button.lamp(level, at)
    assert button.lamp_changes == [(1, 1), (3, 0)]
    assert not button.lamp_lit


def test_bell_follows_its_pin() -> None:
    button = HelpButton()
    for at, level in enumerate((0, 1, 1, 0, 1)):
        button.bell(level, at)
    assert button.bell_changes == [(1, 1), (3, 0), (4, 1)]
    assert button.ringing
    assert button.lamp_changes == []


def test_the_answer_button_bounces_apart_from_the_citizens() -> None:
    button = HelpButton(rng=random.Random(2))
    button.answer(100, 250)
    seen = [button.desk_contact(step / 10) for step in range(1000, 4000)]
    changes = [100 + at / 10 for at in range(1, 3000) if seen[at] != seen[at - 1]]
    assert len(changes) > 2
    assert all(100 <= at <= 109 or 350 <= at <= 359 for at in changes)
    assert not button.desk_contact(1000)
    assert (button.answers, button.presses, button.next_ms(1000)) == (1, 0, None)
    assert not button.pressed(1000)


def test_a_hand_that_never_rests_queues_a_bounded_number_of_edges() -> None:
    contact = Contact(random.Random(1), 4)
    for at in range(1000):
        contact.move(at % 2, at, 8)
    assert EDGES_PENDING_MAX <= len(contact._edges) < EDGES_PENDING_MAX + 9


def test_devices_wake_their_board_when_people_act() -> None:
    woken = []
    gate, button = Gate(), HelpButton()
    gate.wake = button.wake = lambda: woken.append(True)
    pulse(gate, 0)
    gate.walk_through()
    button.press(0)
    button.answer(0)
    gate.faults.add("stuck_open")
    assert len(woken) == 6
