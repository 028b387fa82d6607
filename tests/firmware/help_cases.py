"""What help button, bell and desk contact promise. Runs under CPython and MicroPython."""

from firmware.drivers.bell import BELL_MS_MAX, PAUSE_MS, REMIND_MS, RING_MS
from firmware.drivers.help_button import ANSWERED_MS, CALL_MS_MAX, HelpButton
from protocol.wire import states
from protocol.wire.states import AGE_UNKNOWN
from tests.firmware.scene import Scene

MINUTE_MS = 60_000
BUSY_STEP_MS = 50


class HallEvents:
    """Stands where the events do: numbers from 1, acknowledged when a case says so."""

    def __init__(self, left_open=(0, 0)):
        self.happenings = []
        self.unheard = set()
        self.full = False
        self._left_open = left_open

    def happened(self, kind, tail, now):
        if self.full:
            return 0
        self.happenings.append((kind, bytes(tail)))
        self.unheard.add(len(self.happenings))
        return len(self.happenings)

    def waits(self, number):
        return number in self.unheard

    def call_left_open(self):
        return self._left_open


class HelpScene(Scene):
    def __init__(self, left_open=(0, 0), desk_closed=False, wired=True):
        super().__init__()
        self.pressed = False
        self.closed = desk_closed
        self.lamp = []
        self.bell = []
        self._looked = 0
        self.events = HallEvents(left_open)
        self.driver = HelpButton(
            lambda: self.pressed,
            self.lamp.append,
            (lambda on: self.bell.append((on, self.now))) if wired else None,
            (lambda: self.closed) if wired else None,
            self.events,
            self.report,
            self.now,
        )

    def press(self, ms=300):
        self.pressed = True
        self.run(ms)
        self.pressed = False
        self.run(100)

    def answer_at_desk(self, ms=200):
        self.closed = True
        self.run(ms)
        self.closed = False
        self.run(100)

    @property
    def presses(self):
        return len([kind for kind, _ in self.events.happenings if kind == states.HELP_PRESSED])

    def answers(self):
        """(number, wait_ms) of each HELP_ANSWERED."""
        tails = [tail for kind, tail in self.events.happenings if kind == states.HELP_ANSWERED]
        return [(number(tail[:4]), number(tail[4:])) for tail in tails]

    def rings(self):
        """How often the bell began since the last look, and whether it is on now."""
        begun = len([on for on, _ in self.bell[self._looked :] if on])
        self._looked = len(self.bell)
        return begun, self.bell[-1][0]

    def is_silent(self, ms=2 * MINUTE_MS):
        self.run(10)
        before = len(self.bell)
        self.run(ms)
        return not self.bell[-1][0] and len(self.bell) == before

    def lamp_is(self):
        """off, steady or blinking, from a look of two seconds."""
        before = len(self.lamp)
        self.run(2000)
        if len(self.lamp) > before:
            return "blinking"
        return "steady" if self.lamp[-1] else "off"


def number(data):
    return int.from_bytes(data, "little")


def case_a_press_rings_the_hall_and_blinks_at_once(vectors, folder):
    s = HelpScene()
    assert (s.lamp, [on for on, _ in s.bell]) == ([False], [False])
    s.pressed = True
    s.run(50)
    assert s.lamp[-1] is True
    assert s.bell[-1][0] is True
    assert s.presses == 1
    assert s.lamp_is() == "blinking"


def case_the_bell_has_its_pattern(vectors, folder):
    s = HelpScene()
    s.press()
    s.run(BELL_MS_MAX + 3 * REMIND_MS)
    turns = [(on, (at - s.bell[1][1]) & 0x3FFFFFFF) for on, at in s.bell[1:]]
    quick = [at for on, at in turns if on and at < BELL_MS_MAX]
    assert len(quick) == BELL_MS_MAX // (RING_MS + PAUSE_MS)
    late = [at for on, at in turns if on and at > BELL_MS_MAX]
    assert 2 <= len(late) <= 3
    assert abs(late[1] - late[0] - REMIND_MS) <= 10
    ends = [at for on, at in turns if not on]
    starts = [at for on, at in turns if on]
    assert all(RING_MS <= ends[n] - starts[n] <= RING_MS + 5 for n in range(len(ends)))


def case_a_call_that_nobody_answers_ends(vectors, folder):
    s = HelpScene()
    s.press()
    s.run(CALL_MS_MAX, BUSY_STEP_MS)
    assert s.lamp_is() == "off"
    assert s.is_silent()
    assert s.answers() == []


def case_bounce_and_spikes_do_not_call(vectors, folder):
    s = HelpScene()
    for _ in range(20):
        s.press(20)
    assert s.presses == 0
    for level in (1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0):
        s.pressed = bool(level)
        s.run(5)
    assert s.presses == 1


def case_the_desk_answers_once_with_the_time_it_took(vectors, folder):
    s = HelpScene()
    s.press(500)
    s.run(7000)
    for level in (1, 0, 1, 0, 1, 1, 1, 0, 1, 1):
        s.closed = bool(level)
        s.run(5)
    s.answer_at_desk()
    [(call, wait_ms)] = s.answers()
    assert call == 1
    assert 7500 <= wait_ms <= 7800
    assert s.lamp_is() == "steady"
    assert s.is_silent(ANSWERED_MS)
    assert s.lamp_is() == "off"


def case_the_desk_takes_an_answer_back(vectors, folder):
    s = HelpScene()
    s.press()
    s.answer_at_desk()
    s.answer_at_desk()
    assert s.lamp_is() == "off"
    assert [call for call, _ in s.answers()] == [1, 1]
    s.answer_at_desk()
    assert len(s.answers()) == 2


def case_a_desk_contact_without_a_call_is_nothing(vectors, folder):
    s = HelpScene()
    s.answer_at_desk()
    assert s.events.happenings == []
    s.press()
    assert s.lamp_is() == "blinking"


def case_a_short_circuit_at_the_desk_answers_nobody(vectors, folder):
    s = HelpScene(left_open=(7, 0), desk_closed=True)
    s.run(31_000)
    assert s.answers() == []
    assert s.lamp_is() == "blinking"
    assert s.states[-1] == (states.HARDWARE_ERROR, states.DETAIL_STUCK)
    s.closed = False
    s.run(100)
    assert s.states[-1] == (states.ONLINE, 0)
    s.answer_at_desk()
    assert s.answers() == [(7, AGE_UNKNOWN)]


def case_a_press_again_rings_again_and_is_told_once_the_first_was_heard(vectors, folder):
    s = HelpScene()
    s.press()
    s.run(2 * BELL_MS_MAX - 2000)
    s.rings()
    s.press()
    assert s.rings() == (1, True)
    assert s.presses == 1
    s.events.unheard.clear()
    s.press()
    assert s.presses == 2
    s.answer_at_desk()
    assert [call for call, _ in s.answers()] == [1]


def case_a_press_after_the_answer_is_a_new_call(vectors, folder):
    s = HelpScene()
    s.press()
    s.answer_at_desk()
    s.press()
    assert s.presses == 2
    assert s.lamp_is() == "blinking"
    s.answer_at_desk()
    assert [call for call, _ in s.answers()] == [1, 3]


def case_a_press_that_no_journal_took_rings_all_the_same(vectors, folder):
    s = HelpScene()
    s.events.full = True
    s.press()
    assert s.rings()[1]
    assert s.lamp_is() == "blinking"
    s.events.full = False
    s.press()
    s.answer_at_desk()
    assert [call for call, _ in s.answers()] == [1]


def case_a_call_that_a_reset_interrupted_rings_again(vectors, folder):
    s = HelpScene(left_open=(7, 3))
    s.run(50)
    assert s.rings()[1]
    assert s.lamp_is() == "blinking"
    s.answer_at_desk()
    assert s.answers() == [(7, AGE_UNKNOWN)]
    assert not HelpScene(left_open=(0, 3)).rings()[1]


def case_the_agent_rings_for_a_call_of_its_own(vectors, folder):
    s = HelpScene()
    s.driver.ring(0x80000005, 0, s.now)
    s.run(20)
    assert s.rings()[1]
    assert s.lamp_is() == "blinking"
    assert s.events.happenings == []
    s.answer_at_desk()
    assert s.answers()[0][0] == 0x80000005
    s.driver.ring(0x80000005, 5000, s.now)  # late: the desk was quicker
    assert s.lamp_is() == "steady"


def case_the_agent_names_and_dates_a_call_that_rings(vectors, folder):
    s = HelpScene(left_open=(7, 0))
    s.driver.ring(9, AGE_UNKNOWN, s.now)
    s.driver.ring(9, 20_000, s.now)
    s.driver.ring(9, 10_000, s.now)
    s.run(5000)
    s.driver.answer(7, s.now)
    assert s.lamp_is() == "blinking"
    s.answer_at_desk()
    [(call, wait_ms)] = s.answers()
    assert call == 9
    assert 27_000 <= wait_ms <= 27_200


def case_a_call_of_long_ago_does_not_ring(vectors, folder):
    s = HelpScene()
    s.driver.ring(9, CALL_MS_MAX, s.now)
    assert not s.rings()[1]
    s.driver.ring(9, CALL_MS_MAX - 10_000, s.now)
    assert s.rings()[1]
    s.run(11_000)
    assert s.lamp_is() == "off"


def case_the_page_answers_once_and_only_its_call(vectors, folder):
    s = HelpScene()
    s.driver.answer(1, s.now)
    assert s.lamp_is() == "off"
    s.press()
    s.driver.answer(5, s.now)
    assert s.lamp_is() == "blinking"
    s.driver.answer(1, s.now)
    assert s.lamp_is() == "steady"
    s.run(ANSWERED_MS // 2)
    s.driver.answer(1, s.now)  # said again: the minute does not begin again
    s.run(ANSWERED_MS // 2)
    assert s.lamp_is() == "off"
    assert s.is_silent()
    assert s.answers() == []


def case_a_hall_without_bell_and_desk_has_its_button_and_lamp(vectors, folder):
    s = HelpScene(wired=False)
    s.press()
    assert s.presses == 1
    assert s.lamp_is() == "blinking"
    assert s.bell == []
    s.driver.answer(1, s.now)
    assert s.lamp_is() == "steady"
    s.run(40_000)
    assert s.states == [(states.ONLINE, 0)]


def case_a_stuck_button_is_told_and_heals(vectors, folder):
    s = HelpScene()
    s.press(31_000)
    assert s.states == [
        (states.ONLINE, 0),
        (states.HARDWARE_ERROR, states.DETAIL_STUCK),
        (states.ONLINE, 0),
    ]
    assert s.presses == 1


def case_a_stuck_button_lets_the_desk_answer(vectors, folder):
    s = HelpScene()
    s.pressed = True
    s.run(40_000)
    s.answer_at_desk()
    assert s.lamp_is() == "steady"
    assert s.is_silent()


def case_the_agent_sets_the_lamp(vectors, folder):
    s = HelpScene()
    s.driver.set_lamp(states.LAMP_BLINK, s.now)
    s.run(2000)
    assert s.lamp[:4] == [False, True, False, True]
    s.driver.set_lamp(states.LAMP_OFF, s.now)
    assert s.lamp_is() == "off"


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
