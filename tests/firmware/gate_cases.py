"""What the gate promises, on a pin and on a relay board. Runs under CPython and MicroPython."""

from firmware.drivers.gate import Gate
from firmware.drivers.gate_lcus import REPEATS, LcusRelay
from firmware.drivers.gate_relay import PinRelay
from firmware.effects import BEGIN_LATER, BEGIN_REFUSED, BEGUN_NOW
from protocol.wire import states
from tests.firmware.scene import Ledger, Scene, ScriptedPort, hexes


class GateScene(Scene):
    def __init__(self, begin=BEGUN_NOW, held=False, door=False, relay=None):
        super().__init__()
        self.edges = []
        self.closed = {"passed": False, "door": door, "fire": False}
        self.told = []
        self.ledger = Ledger(self.port, begin)
        inputs = {
            "passed": lambda: self.closed["passed"],
            "door": lambda: self.closed["door"],
            "fire": lambda: self.closed["fire"],
        }
        self.driver = Gate(
            relay or PinRelay(lambda on: self.edges.append((on, self.now)), held),
            inputs,
            self.ledger.begin,
            self.ledger.end,
            self,
            self.report,
            self.now,
            passage_s=30,
            held_s=20,
        )

    def happened(self, kind, tail, now):
        self.told.append((kind, int.from_bytes(tail, "little")) if tail else (kind,))

    def passages(self):
        return [event[1] for event in self.told if event[0] == states.GATE_PASSED]

    def doings(self):
        return [event[0] for event in self.told if event[0] != states.GATE_PASSED]

    def pass_through(self):
        self.closed["passed"] = True
        self.run(100)
        self.closed["passed"] = False
        self.run(100)

    def door(self, is_open):
        self.closed["door"] = is_open
        self.run(50)

    def fire(self, on):
        self.closed["fire"] = on
        self.run(30)


def case_the_relay_is_off_first(vectors, folder):
    assert GateScene().edges == [(False, 0x3FFFFFFF - 50)]


def case_one_pulse_of_its_length(vectors, folder):
    s = GateScene()
    s.driver.start(5, 300, s.now)
    s.run(1000)
    on, off = s.edges[1:]
    assert (on[0], off[0]) == (True, False)
    assert 300 <= (off[1] - on[1]) & 0x3FFFFFFF <= 305
    assert s.ledger.notes[0][:2] == ("begin", 5)
    assert s.ledger.ends() == [(5, states.DONE, 0)]


def case_a_fail_safe_gate_is_held_shut(vectors, folder):
    s = GateScene(held=True)
    s.driver.start(5, 300, s.now)
    s.run(1000)
    s.fire(True)
    assert [on for on, _ in s.edges] == [True, False, True, False]


def case_no_edge_before_the_journal(vectors, folder):
    s = GateScene(BEGIN_LATER)
    s.driver.start(5, 300, s.now)
    s.run(1000)
    assert len(s.edges) == 1
    s.ledger.answer = BEGIN_REFUSED
    s.run(10)
    assert len(s.edges) == 1
    assert s.ledger.ends() == [(5, states.NOT_DONE, states.DETAIL_JOURNAL)]


def case_a_pulse_without_sense_is_refused(vectors, folder):
    for duration_ms in (0, 60_000):
        s = GateScene()
        s.driver.start(5, duration_ms, s.now)
        s.run(100)
        assert len(s.edges) == 1
        assert s.ledger.ends() == [(5, states.NOT_DONE, states.DETAIL_BAD_REQUEST)]


def case_a_passage_names_its_pulse_and_uses_it_up(vectors, folder):
    s = GateScene()
    s.pass_through()
    assert s.passages() == [0]
    s.driver.start(5, 300, s.now)
    s.run(500)
    s.pass_through()
    s.pass_through()  # a second person behind the first
    assert s.passages() == [0, 5, 0]


def case_an_authorisation_without_passage_expires(vectors, folder):
    s = GateScene()
    s.driver.start(5, 300, s.now)
    s.run(30_500)
    s.pass_through()
    assert s.passages() == [0]
    s.door(True)
    assert s.doings() == [states.DOOR_FORCED]


def case_contact_bounce_is_one_passage(vectors, folder):
    s = GateScene()
    for level in (1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0):
        s.closed["passed"] = bool(level)
        s.run(5)
    assert s.passages() == [0]


def case_a_door_may_open_behind_a_pulse(vectors, folder):
    s = GateScene()
    s.driver.start(5, 300, s.now)
    s.run(100)
    s.door(True)
    s.run(5000)
    s.door(False)
    s.run(60_000)
    assert s.doings() == []
    assert s.states == [(states.ONLINE, 0)]


def case_a_forced_door_is_told_once_and_until_it_is_shut(vectors, folder):
    s = GateScene()
    s.door(True)
    s.run(60_000)
    assert s.doings() == [states.DOOR_FORCED]
    assert s.states[-1] == (states.FRAUD_ATTEMPT, states.GATE_FORCED)
    s.door(False)
    assert s.states[-1] == (states.ONLINE, 0)


def case_a_door_held_open_is_told_when_its_time_is_over(vectors, folder):
    s = GateScene()
    s.driver.start(5, 300, s.now)
    s.run(100)
    s.door(True)
    s.run(30_000 + 19_000)
    assert s.doings() == []
    s.run(2000)
    assert s.doings() == [states.DOOR_HELD]
    assert s.states[-1] == (states.USER_ERROR, states.GATE_DOOR_OPEN)
    s.door(False)
    assert s.states[-1] == (states.ONLINE, 0)


def case_a_door_that_is_open_at_the_start_was_not_forced(vectors, folder):
    s = GateScene(door=True)
    s.run(1000)
    assert s.doings() == []
    s.run(20_000)
    assert s.doings() == [states.DOOR_HELD]


def case_fire_opens_at_once_and_holds(vectors, folder):
    s = GateScene(BEGIN_LATER)  # even with a flash that never gives way
    s.driver.start(5, 300, s.now)
    s.fire(True)
    assert [on for on, _ in s.edges] == [False, True]
    assert s.states[-1] == (states.USER_ERROR, states.GATE_FIRE)
    s.run(20_000)
    s.door(True)
    s.pass_through()
    assert [on for on, _ in s.edges] == [False, True]
    s.fire(False)
    assert [on for on, _ in s.edges] == [False, True, False]
    assert s.doings() == [states.FIRE_OPENED]  # nobody forced that door
    s.door(False)
    assert s.states[-1] == (states.ONLINE, 0)


def case_a_pulse_during_fire_is_done_and_shuts_nothing(vectors, folder):
    s = GateScene()
    s.fire(True)
    s.driver.start(5, 300, s.now)
    s.run(1000)
    assert s.ledger.ends() == [(5, states.DONE, 0)]
    assert [on for on, _ in s.edges] == [False, True]


class LcusScene(GateScene):
    """A relay board; `contact` is what its feedback says, None follows the commands."""

    def __init__(self, feedback=True, channel=1):
        self.contact = None
        self.commanded = 0
        port = ScriptedPort()
        read = self._read
        relay = LcusRelay(port, channel, read if feedback else None, False, 0x3FFFFFFF - 50)
        super().__init__(relay=relay)
        self.port = port

    def _read(self):
        return self.commanded == 1 if self.contact is None else self.contact

    def run(self, ms):
        for _ in range(ms // 5):
            super().run(5)
            if self.port.out and self.contact is None:
                self.commanded = self.port.out[-2]

    def commands(self):
        data = hexes(self.port.taken())
        return [data[at : at + 8] for at in range(0, len(data), 8)]


ON, OFF = "A00101A2", "A00100A1"


def case_a_relay_board_gets_its_commands_again_when_nothing_tells(vectors, folder):
    s = LcusScene(feedback=False)
    s.run(1000)
    assert s.commands() == [OFF] * REPEATS
    s.driver.start(5, 300, s.now)
    s.run(1000)
    assert s.commands() == [ON] * REPEATS + [OFF] * REPEATS
    assert s.ledger.ends() == [(5, states.DONE, 0)]
    s = LcusScene(feedback=False, channel=2)
    s.driver.start(5, 300, s.now)
    s.run(50)
    assert s.commands()[-1] == "A00201A3"


def case_a_relay_board_whose_contact_follows_gets_them_once(vectors, folder):
    s = LcusScene()
    s.run(500)
    s.driver.start(5, 300, s.now)
    s.run(1000)
    assert s.commands() == [OFF, ON, OFF]
    assert s.ledger.ends() == [(5, states.DONE, 0)]
    assert s.states == [(states.ONLINE, 0)]


def case_a_relay_that_does_not_close_is_no_success(vectors, folder):
    s = LcusScene()
    s.contact = False
    s.driver.start(5, 600, s.now)
    s.run(500)
    assert s.states[-1] == (states.HARDWARE_ERROR, states.DETAIL_STUCK)
    s.run(1000)
    assert s.ledger.ends() == [(5, states.UNKNOWN, states.DETAIL_STUCK)]
    assert s.states[-1] == (states.HARDWARE_ERROR, states.DETAIL_STUCK)
    s.contact = None
    s.driver.start(6, 300, s.now)
    s.run(500)
    assert s.states[-1] == (states.ONLINE, 0)
    assert len(s.states) <= 3  # it does not flicker meanwhile


def case_a_welded_relay_is_told_and_switched_off_until_it_opens(vectors, folder):
    s = LcusScene()
    s.run(200)
    s.driver.start(5, 300, s.now)
    s.run(200)
    s.contact = True
    s.run(200)
    s.commands()
    s.run(10_000)
    assert set(s.commands()) == {OFF}
    assert s.states[-1] == (states.HARDWARE_ERROR, states.DETAIL_STUCK)
    s.contact = False
    s.run(10)
    assert s.states[-1] == (states.ONLINE, 0)


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
