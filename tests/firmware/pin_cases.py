"""What the gate promises. Runs under CPython and MicroPython."""

from firmware.drivers.gate_relay import GateRelay
from firmware.effects import BEGIN_LATER, BEGIN_REFUSED, BEGUN_NOW
from protocol.wire import states
from tests.firmware.scene import Ledger, Scene


class GateScene(Scene):
    def __init__(self, begin=BEGUN_NOW):
        super().__init__()
        self.edges = []
        self.contact = False
        self.passages = []
        self.ledger = Ledger(self.port, begin)
        self.driver = GateRelay(
            lambda on: self.edges.append((on, self.now)),
            lambda: self.contact,
            self.ledger.begin,
            self.ledger.end,
            lambda effect_id, now: self.passages.append(effect_id),
        )

    def pass_through(self):
        self.contact = True
        self.run(100)
        self.contact = False
        self.run(100)


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


def case_a_passage_names_its_pulse(vectors, folder):
    s = GateScene()
    s.pass_through()
    assert s.passages == [0]
    s.driver.start(5, 300, s.now)
    s.run(500)
    s.pass_through()
    assert s.passages == [0, 5]
    s.run(31_000)
    s.pass_through()
    assert s.passages == [0, 5, 0]


def case_contact_bounce_is_one_passage(vectors, folder):
    s = GateScene()
    for level in (1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0):
        s.contact = bool(level)
        s.run(5)
    assert s.passages == [0]


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
