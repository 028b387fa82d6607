"""What the cash desk promises of a note, from escrow to its end. Runs under CPython, MicroPython;
`folder` is fresh and empty.
"""

import os

from firmware.cash_desk import ESCROW_MS_MAX, HOLD_EVERY_MS, HOLD_MS_MAX, MEND_EVERY_MS
from firmware.cash_journal import NOTES_OPEN_MAX, CashJournal
from protocol.wire import states
from protocol.wire.messages import (
    CASH_ACCEPT,
    CASH_ACK,
    CASH_NOTE,
    CASH_REJECTED,
    CASH_RETURN,
    CASH_STACK,
    CASH_STATE,
)
from tests.firmware.cash_scene import ALL_NOTES, SESSION, CashScene, OpenGate, ShutGate


def case_a_note_is_money_only_when_the_journal_says_stacked(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.stacking()
    assert scene.commands[-1] == scene.v["stack"]
    scene.poll = "stacking"
    scene.run(300)
    scene.poll = "stacked_3"
    scene.gate = ShutGate()
    acks = scene.acks
    scene.run(400)
    assert scene.acks == acks  # 81 waits for the flash
    assert scene.notes() == []
    scene.gate = OpenGate()
    scene.run(400)
    assert scene.notes() == [(number, states.NOTE_STACKED, 0, 0)]
    assert scene.acks > acks
    again = CashJournal(folder, None)
    assert [(n.number, n.state, n.yuan) for n in again.open] == [(number, states.NOTE_STACKED, 20)]


def case_stack_goes_out_after_the_journal_and_once(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.in_escrow()
    scene.gate = ShutGate()
    scene.tell(CASH_STACK, number)
    scene.run(300)
    assert scene.v["stack"] not in scene.commands
    scene.gate = OpenGate()
    scene.run(20)
    scene.poll = "stacking"
    scene.tell(CASH_STACK, number)
    scene.run(500)
    assert scene.commands.count(scene.v["stack"]) == 1


def case_81_again_is_the_same_bill(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.stacking()
    scene.poll = "stacked_3"
    scene.run(3000)
    assert scene.notes() == [(number, states.NOTE_STACKED, 0, 0)]
    scene.boot()
    scene.run(1000)
    assert scene.notes() == [(number, states.NOTE_STACKED, 0, 0)]  # told again, not new


def case_an_end_is_told_until_it_is_acknowledged(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.stacking()
    scene.poll = "stacked_3"
    scene.run(500)
    scene.poll = "idle"
    scene.said()
    for _ in range(2):
        scene.driver.link_down(scene.now)
        scene.driver.link_up(scene.now)
        assert scene.notes() == [(number, states.NOTE_STACKED, 0, 0)]
    scene.tell(CASH_ACK, number)
    scene.run(100)
    scene.driver.link_up(scene.now)
    assert scene.notes() == []
    assert CashJournal(folder, None).open == []


def case_it_is_busy_from_the_opening_of_a_session_to_the_last_ack(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(1000)
    assert not scene.driver.is_busy
    scene.opened()
    assert scene.driver.is_busy
    number = scene.stacking()
    scene.poll = "stacked_3"
    scene.run(500)
    scene.poll = "idle"
    scene.tell(CASH_ACCEPT, SESSION, 0)
    scene.run(500)
    assert scene.driver.is_busy  # the agent has not said that it knows
    scene.tell(CASH_ACK, number)
    scene.run(500)
    assert not scene.driver.is_busy


def case_a_note_in_escrow_goes_back_when_asked_for(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.in_escrow()
    scene.tell(CASH_RETURN, number)
    scene.run(50)
    assert scene.commands[-1] == scene.v["ret"]
    scene.tell(CASH_STACK, number)  # too late
    scene.poll = "returning"
    scene.run(300)
    scene.poll = "returned_3"
    scene.run(400)
    assert scene.notes()[-1] == (number, states.NOTE_RETURNED, 0, 0)
    assert scene.v["stack"] not in scene.commands


def case_hold_is_renewed_while_the_agent_thinks(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    scene.in_escrow()
    scene.run(2 * HOLD_EVERY_MS + 500)
    assert scene.commands.count(scene.v["hold"]) == 2
    scene.poll = "holding"
    scene.run(2 * HOLD_EVERY_MS)
    assert scene.commands.count(scene.v["hold"]) == 4
    assert scene.v["ret"] not in scene.commands


def case_a_lost_link_gives_the_note_back_and_shuts(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    scene.in_escrow()
    scene.driver.link_down(scene.now)
    scene.run(HOLD_MS_MAX - 500)
    assert scene.v["ret"] not in scene.commands
    scene.run(1000)
    assert scene.commands[-1] == scene.v["ret"]
    scene.poll = "idle"
    scene.run(500)
    assert scene.commands[-1] == scene.v["disable"]


def case_a_short_loss_of_the_link_changes_nothing(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.in_escrow()
    scene.driver.link_down(scene.now)
    scene.run(HOLD_MS_MAX - 500)
    scene.driver.link_up(scene.now)
    assert (CASH_STATE, SESSION, states.CASH_OPEN, ALL_NOTES) in scene.messages
    assert scene.notes() == [(number, states.NOTE_ESCROW, 0, 0)]
    scene.tell(CASH_STACK, number)
    scene.run(50)
    assert scene.commands[-1] == scene.v["stack"]


def case_a_note_without_a_session_goes_back_unwritten(vectors, folder):
    scene = CashScene(vectors, folder, poll="escrow_3")
    scene.run(500)
    assert scene.commands
    assert set(scene.commands) == {scene.v["ret"]}
    assert scene.said() == []


def case_a_rejected_note_is_told_once(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    scene.poll = "reject_65"
    scene.run(1000)
    assert scene.said() == [(CASH_REJECTED, SESSION, 0x65)]


def ends(vectors, folder, before, polls):
    """How a note that is in escrow or being stacked ends when a new life hears these."""
    scene = CashScene(vectors, folder).opened()
    number = scene.stacking() if before == states.NOTE_STACKING else scene.in_escrow()
    scene.poll = None
    scene.commands = []
    scene.boot()
    scene.said()
    scene.poll, scene.after_reset = polls[0], polls[-1]
    scene.run(600)
    for name in polls[1:]:
        scene.poll = name
        scene.run(600)
    ended = [note for note in scene.notes() if note[1] in states.NOTE_ENDS]
    assert len(ended) <= 1
    for note in ended:
        assert note[0] == number
    return ended[0][1:] if ended else None


NEW_LIFE = (
    (states.NOTE_STACKING, ("stacked_3",), (states.NOTE_STACKED, 0, 0)),
    (states.NOTE_STACKING, ("power_up_in_stacker",), (states.NOTE_STACKED, 0, 0)),
    (states.NOTE_STACKING, ("returned_3",), (states.NOTE_RETURNED, 0, 0)),
    (states.NOTE_STACKING, ("power_up_in_validator", "disabled"), (states.NOTE_RETURNED, 0, 0)),
    (states.NOTE_STACKING, ("power_up",), (states.NOTE_CASE, 4, states.DETAIL_REBOOTED)),
    (states.NOTE_STACKING, ("disabled",), (states.NOTE_CASE, 4, states.DETAIL_REBOOTED)),
    (states.NOTE_STACKING, ("jam_cassette",), (states.NOTE_CASE, 2, states.CASSETTE_JAMMED)),
    (states.NOTE_STACKING, ("cheated",), (states.NOTE_CASE, 4, states.CHEATED)),
    (states.NOTE_STACKING, ("fail_50",), (states.NOTE_CASE, 4, states.ACCEPTOR_FAILED)),
    (states.NOTE_STACKING, ("cassette_full",), (states.NOTE_CASE, 4, states.CASSETTE_FULL)),
    (states.NOTE_STACKING, ("stacking", "init", "pause", "busy_0a"), None),
    (states.NOTE_STACKING, (None, None, None, None), None),
    (states.NOTE_ESCROW, ("disabled",), (states.NOTE_RETURNED, 0, 0)),
    (states.NOTE_ESCROW, ("power_up",), (states.NOTE_RETURNED, 0, 0)),
    (states.NOTE_ESCROW, ("returned_3",), (states.NOTE_RETURNED, 0, 0)),
    (states.NOTE_ESCROW, ("stacked_3",), (states.NOTE_STACKED, 0, 0)),
    (states.NOTE_ESCROW, ("power_up_in_validator", "disabled"), (states.NOTE_RETURNED, 0, 0)),
    (
        states.NOTE_ESCROW,
        ("power_up_in_validator", "jam_validator"),
        (states.NOTE_CASE, 1, states.BILL_JAMMED),
    ),
    (states.NOTE_ESCROW, ("jam_validator",), (states.NOTE_CASE, 1, states.BILL_JAMMED)),
    (states.NOTE_ESCROW, ("escrow_3",), None),
)


def case_a_new_life_ends_a_note_by_what_the_device_says(vectors, folder):
    for number, (before, polls, wanted) in enumerate(NEW_LIFE):
        own = f"{folder}/{number}"
        os.mkdir(own)
        assert ends(vectors, own, before, polls) == wanted, (before, polls)


def case_nothing_is_reset_before_it_is_written(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.stacking()
    scene.poll = "power_up_in_stacker"
    scene.gate = ShutGate()
    scene.run(1000)
    assert scene.v["reset"] not in scene.commands
    scene.gate = OpenGate()
    scene.run(500)
    assert scene.notes() == [(number, states.NOTE_STACKED, 0, 0)]
    assert scene.commands[-1] != scene.v["stack"]
    assert scene.v["reset"] in scene.commands


def case_a_stack_that_was_not_heard_is_sent_again(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    scene.stacking()
    scene.run(500)
    assert scene.commands.count(scene.v["stack"]) >= 2


def case_a_bill_of_an_earlier_journal_is_a_case_of_unknown_value(vectors, folder):
    scene = CashScene(vectors, folder, poll="stacked_3")
    scene.run(500)
    place, reason = states.PLACE_CASSETTE, states.DETAIL_REBOOTED
    ((_, state, *rest),) = scene.notes()
    assert (state, rest) == (states.NOTE_CASE, [place, reason])
    scene.poll = "idle"
    scene.run(500)
    scene.poll = "stacked_3"
    scene.run(500)
    assert scene.notes() == []


def case_a_bill_that_sticks_before_it_is_known_is_a_case_once(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    scene.poll, scene.after_reset = "accepting", "jam_validator"
    scene.run(400)
    scene.poll = "jam_validator"
    scene.run(30_000)
    ((_, session, yuan, *rest),) = [m[1:] for m in scene.said() if m[0] == CASH_NOTE]
    assert (session, yuan) == (SESSION, 0)
    assert rest == [states.NOTE_CASE, states.PLACE_VALIDATOR, states.BILL_JAMMED]
    assert scene.commands.count(scene.v["reset"]) == 3


def case_a_note_that_nobody_knows_is_a_case_at_once(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    scene.tell(CASH_STACK, 7)
    anywhere, reason = states.PLACE_ANYWHERE, states.DETAIL_BAD_REQUEST
    assert scene.said() == [(CASH_NOTE, 7, SESSION, 0, states.NOTE_CASE, anywhere, reason)]


def refuse(*_):
    raise OSError(5)


def case_a_flash_that_refuses_gives_the_note_back_and_shuts(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    file = scene.driver._journal._file
    append, rewrite = file.append, file.rewrite
    file.append = file.rewrite = refuse
    scene.poll = "escrow_3"
    scene.run(400)
    assert scene.commands[-1] == scene.v["ret"]
    assert scene.said() == [(CASH_STATE, SESSION, states.CASH_REFUSED, 0)]
    assert scene.troubles
    file.append, file.rewrite = append, rewrite
    scene.poll = "idle"
    scene.run(MEND_EVERY_MS + 1000)
    scene.opened().stacking()


def case_an_end_is_told_though_the_flash_refuses(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.stacking()
    file = scene.driver._journal._file
    file.append = file.rewrite = refuse
    scene.poll = "stacked_3"
    scene.run(500)
    assert scene.notes() == [(number, states.NOTE_STACKED, 0, 0)]
    assert scene.troubles
    assert scene.driver.counts == [1, 0, 0, 0]


def case_damage_in_the_journal_begins_a_new_one_and_loses_no_note(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    number = scene.stacking()
    path = folder + "/cash.log"
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[24] ^= 0xFF  # the entry of ESCROW; STACKING follows it
    with open(path, "wb") as file:
        file.write(data)
    scene.poll = "stacked_3"
    scene.boot()
    scene.run(500)
    assert scene.notes()[-1] == (number, states.NOTE_STACKED, 0, 0)
    scene.poll = "idle"
    scene.run(500)
    assert scene.opened().stacking() >> 32 != number >> 32


def case_an_agent_without_a_word_gets_the_note_back_in_the_end(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    scene.in_escrow()
    scene.run(ESCROW_MS_MAX - 2000)
    assert scene.v["ret"] not in scene.commands
    scene.run(4000)
    assert scene.v["ret"] in scene.commands


def case_a_full_journal_shuts_the_acceptor(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    for _ in range(NOTES_OPEN_MAX):
        scene.stacking()
        scene.poll = "stacked_3"
        scene.run(400)
        scene.poll = "idle"
        scene.run(300)
    assert scene.said()[-1] == (CASH_STATE, SESSION, states.CASH_REFUSED, 0)
    assert scene.commands[-1] == scene.v["disable"]


def case_notes_that_are_not_in_the_table_are_refused(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.tell(CASH_ACCEPT, SESSION, 0x40)
    scene.run(300)
    assert scene.said() == [(CASH_STATE, SESSION, states.CASH_REFUSED, 0)]


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
