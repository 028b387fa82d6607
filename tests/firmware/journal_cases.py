"""What the journals promise. Runs under CPython and MicroPython; `folder` is fresh and empty."""

import os

from firmware.effect_journal import BEGUN, EFFECTS_MAX, NEVER, EffectJournal
from firmware.event_journal import EVENTS_MAX, EventJournal
from protocol.wire import states

BIG = 0xFEDCBA9876543210


def size(path):
    return os.stat(path)[6]


def patch(path, at, data):
    with open(path, "rb") as file:
        old = bytearray(file.read())
    old[at : at + len(data)] = data
    with open(path, "wb") as file:
        file.write(old)


def cut(path, length):
    with open(path, "rb") as file:
        old = file.read()
    with open(path, "wb") as file:
        file.write(old[:length])


def case_an_effect_goes_from_never_to_its_outcome(vectors, folder):
    journal = EffectJournal(folder)
    assert journal.state(BIG) == (NEVER, 0)
    journal.begin(BIG)
    assert journal.state(BIG) == (BEGUN, 0)
    journal.end(BIG, states.DONE, 5)
    assert journal.state(BIG) == (states.DONE, 5)
    assert EffectJournal(folder).state(BIG) == (states.DONE, 5)


def case_begun_in_an_earlier_life_is_unknown_for_ever(vectors, folder):
    EffectJournal(folder).begin(7)
    for _ in range(3):
        assert EffectJournal(folder).state(7) == (states.UNKNOWN, states.DETAIL_REBOOTED)


def case_the_last_64_are_known_and_the_file_stays_small(vectors, folder):
    journal = EffectJournal(folder)
    for number in range(1, 1001):
        journal.begin(number)
        journal.end(number, states.DONE, number & 0xFF)
        assert size(folder + "/effects.log") <= 4096
    for reader in (journal, EffectJournal(folder)):
        assert reader.state(1000 - EFFECTS_MAX) == (NEVER, 0)
        for number in range(1001 - EFFECTS_MAX, 1001):
            assert reader.state(number) == (states.DONE, number & 0xFF)


def case_a_torn_tail_is_left_out_whatever_its_length(vectors, folder):
    path = folder + "/effects.log"
    for length in range(16 * 3 + 1):
        journal = EffectJournal(folder)
        first = length * 10 + 1
        at = size(path) if length else 0
        for number in (first, first + 1, first + 2):
            journal.begin(number)
        cut(path, at + length)
        journal = EffectJournal(folder)
        assert not journal.damaged
        for place in range(3):
            known = states.UNKNOWN if length >= 16 * (place + 1) else NEVER
            assert journal.state(first + place)[0] == known
        journal.begin(first + 9)
        assert EffectJournal(folder).state(first + 9)[0] == states.UNKNOWN
        os.remove(path)
        EffectJournal(folder).begin(1)


def case_damage_in_the_middle_costs_one_entry_and_is_known(vectors, folder):
    journal = EffectJournal(folder)
    for number in (1, 2, 3):
        journal.begin(number)
    patch(folder + "/effects.log", 16, b"\xff\xff\xff")
    journal = EffectJournal(folder)
    assert journal.damaged
    assert [journal.state(number)[0] for number in (1, 2, 3)] == [
        states.UNKNOWN,
        NEVER,
        states.UNKNOWN,
    ]


def case_an_unfinished_rewrite_is_removed(vectors, folder):
    EffectJournal(folder).begin(1)
    with open(folder + "/effects.log.new", "wb") as file:
        file.write(b"half a")
    assert EffectJournal(folder).state(1)[0] == states.UNKNOWN
    assert "effects.log.new" not in os.listdir(folder)


def case_events_stay_until_acknowledged(vectors, folder):
    journal = EventJournal(folder)
    first = journal.add(journal.reserve(), states.HELP_PRESSED, b"", 100)
    second = journal.add(journal.reserve(), states.GATE_PASSED, b"12345678", 200)
    assert (first.number, second.number) == (1, 2)
    journal.acknowledge(first.number)
    journal.acknowledge(99)
    again = EventJournal(folder).open
    assert [(e.number, e.kind, e.tail, e.at) for e in again] == [
        (2, states.GATE_PASSED, b"12345678", None)
    ]


def case_event_numbers_never_start_again(vectors, folder):
    journal = EventJournal(folder)
    for number in range(1, 600):
        if number % 50 == 1:
            journal = EventJournal(folder)
        assert journal.add(journal.reserve(), states.GATE_PASSED, b"", 0).number == number
        journal.acknowledge(number)
        assert size(folder + "/events.log") <= 4096
    assert EventJournal(folder).open == []


def case_the_oldest_that_is_not_critical_goes_first(vectors, folder):
    journal = EventJournal(folder)
    journal.add(journal.reserve(), states.HELP_PRESSED, b"", 0)
    for _ in range(EVENTS_MAX):
        journal.add(journal.reserve(), states.GATE_PASSED, b"", 0)
    assert journal.dropped == 1
    assert [event.number for event in journal.open][:2] == [1, 3]
    for _ in range(EVENTS_MAX - 1):
        journal.add(journal.reserve(), states.HELP_PRESSED, b"", 0)
    assert journal.dropped == EVENTS_MAX
    assert journal.add(journal.reserve(), states.HELP_PRESSED, b"", 0) is None
    assert journal.refused == 1
    again = EventJournal(folder).open
    assert [event.number for event in again] == [event.number for event in journal.open]


def case_torn_event_tail(vectors, folder):
    journal = EventJournal(folder)
    for _ in range(3):
        journal.add(journal.reserve(), states.HELP_PRESSED, b"", 0)
    cut(folder + "/events.log", 24 * 3 - 1)
    journal = EventJournal(folder)
    assert [event.number for event in journal.open] == [1, 2]
    assert journal.add(journal.reserve(), states.HELP_PRESSED, b"", 0).number == 3
    assert len(EventJournal(folder).open) == 3


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
