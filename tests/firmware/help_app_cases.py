"""Help as the whole firmware gives it, whatever else fails. Runs under CPython and MicroPython."""

import os

from protocol.wire import messages, states
from protocol.wire.states import AGE_UNKNOWN
from tests.firmware.rig import Rig, RigBoard

BUTTON, LAMP, BELL, DESK = 6, 7, 8, 9
AT_ONCE_MS = 100


def is_on(rig, pin):
    return rig.machine.pins[pin].level == 1


def calls(rig):
    """(event number, age) of each HELP_PRESSED told."""
    return [(e[0], e[2]) for e in rig.agent.of(messages.EVENT) if e[1] == states.HELP_PRESSED]


def answers(rig):
    """(event number, number of the call, wait_ms) of each HELP_ANSWERED told."""
    told = [e for e in rig.agent.of(messages.EVENT) if e[1] == states.HELP_ANSWERED]
    return [(e[0], number(e[3][:4]), number(e[3][4:])) for e in told]


def number(data):
    return int.from_bytes(data, "little")


def rings_and_is_answered(rig):
    """The promise: a press rings within AT_ONCE_MS, the desk stops it."""
    rig.press(BUTTON, AT_ONCE_MS)
    assert is_on(rig, BELL)
    rig.run(4000)
    rig.press(DESK)
    assert not is_on(rig, BELL)
    assert is_on(rig, LAMP)
    rig.run(5000)
    assert not is_on(rig, BELL)
    assert is_on(rig, LAMP)


def case_help_is_silent_at_the_start(vectors, folder):
    rig = Rig(vectors, folder)
    rig.run(5000)
    assert rig.machine.pins[BELL].levels.count(1) == 0
    assert rig.machine.pins[LAMP].levels.count(1) == 0
    assert b"help=lamp,bell,answer" in rig.app.server.link._info


def case_help_works_without_an_agent(vectors, folder):
    rig = Rig(vectors, folder)
    rig.cable = False
    rings_and_is_answered(rig)
    rig.cable = True
    rig.up()
    rig.heard(messages.EVENT, 2)
    [(call, age_ms)] = calls(rig)
    assert 9000 < age_ms < 20_000
    [(_, answered, wait_ms)] = answers(rig)
    assert answered == call
    assert 4000 <= wait_ms <= 4500


def case_help_works_with_a_printer_that_hangs_and_a_voice_that_is_silent(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.prints = False
    rig.machine.uarts[3].answer = None
    rig.print_job(5, b"\x1b\x40" * 60, 0)
    rings_and_is_answered(rig)


def case_help_works_while_a_card_comes_in(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.READ_CARD, 5, 0)
    rig.card = "rep_find_ok"
    rig.sam["read_reply_citizen"] = b""
    rig.run_until(lambda: rig.app.server.reader.long_answer_due)
    rings_and_is_answered(rig)


def case_help_works_when_the_flash_refuses(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    journal = rig.app.server.events._journal
    journal._file.append = refuse
    rings_and_is_answered(rig)
    rig.heard(messages.EVENT, 2)
    assert len(calls(rig)) == len(answers(rig)) == 1
    assert (5, states.HARDWARE_ERROR, states.DETAIL_JOURNAL) in rig.agent.of(messages.DEVICE)


def refuse(_entry):
    raise OSError(5)


def case_help_works_when_the_journal_is_full(vectors, folder):
    rig = Rig(vectors, folder)
    rig.cable = False
    events = rig.app.server.events
    for _ in range(40):
        events.happened(states.HELP_PRESSED, b"", rig.now)
        rig.run(300)
    assert events._journal.refused > 0
    rings_and_is_answered(rig)


def case_a_call_is_told_until_acknowledged_and_rings_again_after_a_reset(vectors, folder):
    rig = Rig(vectors, folder)
    rig.cable = False
    rig.press(BUTTON)
    rig.run(400)
    rig.cable = True
    rig.up()
    rig.heard(messages.EVENT)
    [(first, age_ms)] = calls(rig)
    assert 400 <= age_ms < 5000
    rig.boot()
    rig.run_until(lambda: rig.agent.ups == 2)
    rig.heard(messages.EVENT, 2)
    assert calls(rig)[1] == (first, AGE_UNKNOWN)
    rig.run_until(lambda: is_on(rig, BELL), 3000)
    rig.agent.send(messages.EVENT_ACK, first)
    rig.run(500)
    rig.boot()
    rig.run_until(lambda: rig.agent.ups == 3)
    rig.run(3000)
    assert len(calls(rig)) == 2
    assert rig.machine.pins[BELL].levels.count(1) == 0


def case_an_answer_outlives_a_reset_and_its_call_stays_silent(vectors, folder):
    rig = Rig(vectors, folder)
    rig.cable = False
    rig.press(BUTTON)
    rig.run(1000)
    rig.press(DESK)
    rig.run(500)
    rig.boot()
    rig.run(3000)
    assert rig.machine.pins[BELL].levels.count(1) == 0
    rig.cable = True
    rig.up()
    rig.agent.send(messages.HELP_RING, 1, 3000)  # before the agent knows of the answer
    rig.heard(messages.EVENT, 2)
    rig.run(1000)
    assert rig.machine.pins[BELL].levels.count(1) == 0
    assert [answered for _, answered, _ in answers(rig)] == [1]


def case_the_agent_rings_and_stops_the_bell(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    call = 0x80000001
    rig.agent.send(messages.HELP_RING, call, 0)
    rig.run_until(lambda: is_on(rig, BELL), 500)
    rig.agent.send(messages.HELP_RING, call, 100)
    rig.agent.send(messages.HELP_ANSWER, call + 1)
    rig.run(300)
    assert is_on(rig, BELL)
    for _ in range(2):
        rig.agent.send(messages.HELP_ANSWER, call)
        rig.run(300)
        assert not is_on(rig, BELL)
        assert is_on(rig, LAMP)
    rig.run(3000)
    assert rig.agent.of(messages.EVENT) == []


def case_a_board_without_bell_and_desk_calls_as_before(vectors, folder):
    class Plain(RigBoard):
        HELP = {"model": "button", "button": 6, "button_active": 0, "lamp": 7, "lamp_active": 1}  # noqa: RUF012

    rig = Rig(vectors, folder)
    rig.boot(Plain)
    rig.up()
    assert BELL not in rig.machine.pins
    assert DESK not in rig.machine.pins
    assert rig.agent.info.split(b"\n")[-1] == b"help=lamp"
    rig.press(BUTTON)
    rig.heard(messages.EVENT)
    assert len(calls(rig)) == 1


def case_bell_and_desk_are_switched_off_by_settings(vectors, folder):
    with open(folder + "/settings.txt", "w") as file:
        file.write("help.bell=-1\nhelp.answer=-1\n")
    rig = Rig(vectors, folder)
    assert BELL not in rig.machine.pins
    assert DESK not in rig.machine.pins
    os.remove(folder + "/settings.txt")


def case_a_board_without_help_takes_the_words_and_does_nothing(vectors, folder):
    class Bare(RigBoard):
        HELP = {}  # noqa: RUF012

    rig = Rig(vectors, folder)
    rig.boot(Bare)
    rig.up()
    rig.agent.send(messages.HELP_RING, 1, 0)
    rig.agent.send(messages.HELP_ANSWER, 1)
    rig.run(500)
    assert rig.app.server.bad_messages == 0


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
