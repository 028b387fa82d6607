"""What the bill acceptor's driver and the cash desk promise, byte by byte against the vectors. Runs
under CPython and MicroPython.
"""

import os

from firmware.cash_desk import HOLD_EVERY_MS, HOLD_MS_MAX, CashDesk
from firmware.cash_journal import NOTES_OPEN_MAX, CashJournal
from firmware.drivers import ccnet_acceptor, ccnet_frames
from firmware.drivers.ccnet_acceptor import MISSED_MAX, NAKS_MAX, CcnetAcceptor
from firmware.drivers.ccnet_bills import BillTable
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
from tests.firmware.scene import STEP_MS, Scene, hexes

ALL_NOTES = 0x3F
SESSION = 0x1234


class OpenGate:
    """Flash may be written whenever it is asked."""

    def is_open(self, since, now):
        return True


class ShutGate:
    def is_open(self, since, now):
        return False


class CashScene(Scene):
    """A desk whose acceptor answers what the case says. `boot` is a new life on the same flash."""

    def __init__(self, vectors, folder, poll="idle"):
        super().__init__()
        self.v = {name: bytes.fromhex(text) for name, text in vectors["ccnet"].items()}
        self.folder = folder
        self.entropy = 0
        self.troubles = 0
        self.gate = OpenGate()
        self.poll = poll
        self.commands = []  # all but POLL and ACK, in order
        self.acks = 0
        self.answers = True
        self.after_reset = "disabled"
        self.boot()

    def boot(self):
        self.handlers = {}
        self.acceptor = CcnetAcceptor(self.port, self.report, self.now)
        self.driver = CashDesk(
            CashJournal(self.folder, self._entropy),
            self.acceptor,
            self,
            self.emit,
            self._trouble,
            self.now,
        )
        self.driver.serve(self._serve)
        self.driver.link_up(self.now)

    def is_open(self, since, now):
        return self.gate.is_open(since, now)

    def run(self, ms):
        """Time goes by; the device answers each frame at once."""
        for _ in range(ms // STEP_MS):
            self.now = (self.now + STEP_MS) & 0x3FFFFFFF
            self.driver.tick(self.now)
            if self.answers:
                self._answer(self.port.taken())

    def _answer(self, data):
        v = self.v
        at = 0
        while at < len(data):
            frame = data[at : at + data[at + 2]]
            at += len(frame)
            if frame == v["ack"]:
                self.acks += 1
                continue
            if frame == v["poll"]:
                if self.poll:
                    self.reply(v[self.poll])
                continue
            self.commands.append(frame)
            answers = {v["ident"]: v["ident_reply"], v["table"]: v["table_cny"]}
            self.reply(answers.get(frame, v["ack"]))
            if frame == v["reset"]:
                self.poll = self.after_reset
            elif frame == v["disable"]:
                self.poll = "disabled"
            elif frame == v["enable_0_to_5_escrow"]:
                self.poll = "idle"

    def tell(self, kind, *fields):
        self.handlers[kind](fields, b"", self.now)

    def opened(self):
        """A session in which all notes are taken."""
        self.run(2000)
        self.tell(CASH_ACCEPT, SESSION, ALL_NOTES)
        self.run(1000)
        assert self.said()[-1] == (CASH_STATE, SESSION, states.CASH_OPEN, ALL_NOTES)
        self.commands = []
        return self

    def in_escrow(self):
        """The number of a 20 yuan note."""
        self.poll = "escrow_3"
        self.run(400)
        message = self.said()[-1]
        assert message[0] == CASH_NOTE
        assert message[2:] == (SESSION, 20, states.NOTE_ESCROW, 0, 0)
        return message[1]

    def stacking(self):
        number = self.in_escrow()
        self.tell(CASH_STACK, number)
        self.run(20)
        assert self.said() == [(CASH_NOTE, number, SESSION, 20, states.NOTE_STACKING, 0, 0)]
        return number

    def notes(self):
        """(number, state, place, reason) of each CASH_NOTE since the last call."""
        return [m[1:2] + m[4:] for m in self.said() if m[0] == CASH_NOTE]

    def _serve(self, kind, handle):
        self.handlers[kind] = handle

    def _entropy(self, count):
        self.entropy += 1
        return bytes([self.entropy] * count)

    def _trouble(self):
        self.troubles += 1


# ---- frames


def case_every_frame_of_the_vectors_has_its_crc_and_is_found(vectors, folder):
    for name, text in vectors["ccnet"].items():
        frame = bytes.fromhex(text)
        assert ccnet_frames.crc16(frame, len(frame)) == 0, name
        replies = ccnet_frames.CcnetReplies()
        assert replies.take(frame, 0, len(frame)) == len(frame)
        assert replies.result == ccnet_frames.FRAME, name
        data = bytes([replies.data(at) for at in range(replies.length)])
        assert data == frame[3:-2], name


def case_crc_is_kermit(vectors, folder):
    assert ccnet_frames.crc16(b"123456789", 9) == 0x2189


def case_commands_are_those_of_the_vectors(vectors, folder):
    names = {
        "ack": ccnet_frames.ACK,
        "nak": ccnet_frames.NAK,
        "reset": ccnet_frames.RESET,
        "poll": ccnet_frames.POLL,
        "stack": ccnet_frames.STACK,
        "ret": ccnet_frames.RETURN,
        "hold": ccnet_frames.HOLD,
        "ident": ccnet_frames.IDENTIFICATION,
        "table": ccnet_frames.BILL_TABLE,
    }
    for name, frame in names.items():
        assert hexes(frame) == vectors["ccnet"][name], name
    frame = ccnet_frames.enable_frame()
    for types, name in ((0xFFFFFF, "enable_all_escrow"), (0, "disable"), (0x3F, None)):
        ccnet_frames.set_enabled(frame, types)
        assert hexes(frame) == vectors["ccnet"][name or "enable_0_to_5_escrow"]


def case_a_frame_is_found_behind_noise_and_behind_beginnings(vectors, folder):
    idle = bytes.fromhex(vectors["ccnet"]["idle"])
    for noise in (
        b"\x02",
        b"\x02\x03",
        b"\xff\x02\x02\x03\x03",
        b"\x02\x03\x07\x02\x03",
        b"\x00" * 9,
    ):
        replies = ccnet_frames.CcnetReplies()
        data = noise + idle + idle
        found = at = 0
        while True:
            at = replies.take(data, at, len(data))
            if replies.result == ccnet_frames.NOTHING:
                break
            if replies.result == ccnet_frames.FRAME:
                assert replies.data(0) == 0x14
                found += 1
        assert found == 2, hexes(noise)


def case_a_flipped_bit_is_never_a_frame(vectors, folder):
    good = bytes.fromhex(vectors["ccnet"]["stacked_3"])
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        replies = ccnet_frames.CcnetReplies()
        replies.take(bad, 0, len(bad))
        assert replies.result != ccnet_frames.FRAME, bit


def table_of(rows):
    data = b"".join(rows)
    frame = bytearray(b"\x02\x03\x7d" + data + bytes(120 - len(data)) + b"\x00\x00")
    crc = ccnet_frames.crc16(frame, 123)
    frame[123], frame[124] = crc & 0xFF, crc >> 8
    replies = ccnet_frames.CcnetReplies()
    replies.take(frame, 0, len(frame))
    assert replies.result == ccnet_frames.FRAME
    bills = BillTable()
    bills.read(replies)
    return bills


def case_the_bill_table_may_hold_any_order_exponents_and_empty_rows(vectors, folder):
    rows = (
        b"\x01CNY\x02",
        bytes(5),
        b"\xc8CHN\x81",
        b"\x05CHN\x00",
        b"\x05USD\x00",
        b"\x02CHN\x00",
    )
    bills = table_of(rows)
    assert [bills.yuan(kind) for kind in range(6)] == [100, 0, 20, 5, 0, 0]
    assert bills.types(0b100010) == 0b001001
    assert bills.types(ALL_NOTES) == 0b001101
    assert bills.mask(bills.types(ALL_NOTES)) == 1 << 5 | 1 << 3 | 1 << 1
    assert bills.yuan(24) == bills.yuan(-1) == 0


def case_a_table_of_fractions_and_of_huge_powers_takes_nothing(vectors, folder):
    bills = table_of((b"\x05CHN\x81", b"\x01CHN\x7f", b"\x01CHN\xff", b"\x65CHN\x81"))
    assert bills.types(ALL_NOTES) == 0


# ---- the acceptor


def case_it_is_polled_before_any_reset_and_identified(vectors, folder):
    scene = CashScene(vectors, folder, poll="power_up")
    scene.run(50)
    assert not scene.commands or scene.commands[0] == scene.v["reset"]
    scene.run(2000)
    v = scene.v
    assert scene.commands == [v["reset"], v["ident"], v["table"]]
    assert scene.acceptor.identity == v["ident_reply"][3:-2]
    assert scene.states == [(states.STARTING, 0), (states.ONLINE, 0)]


def case_one_that_runs_already_is_disabled_first(vectors, folder):
    scene = CashScene(vectors, folder, poll="idle")
    scene.run(2000)
    v = scene.v
    assert scene.commands == [v["disable"], v["ident"], v["table"]]


def case_a_session_enables_with_escrow_and_its_end_disables(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.commands = []
    scene.tell(CASH_ACCEPT, SESSION, ALL_NOTES)
    scene.run(500)
    assert scene.commands == [scene.v["enable_0_to_5_escrow"]]
    scene.tell(CASH_ACCEPT, SESSION, 0)
    scene.run(500)
    assert scene.commands[1:] == [scene.v["disable"]]
    assert scene.said()[-1] == (CASH_STATE, SESSION, states.CASH_CLOSED, 0)


def case_every_state_has_its_device_state(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    wanted = (
        ("cassette_full", states.USER_ERROR, states.CASSETTE_FULL),
        ("cassette_out", states.USER_ERROR, states.CASSETTE_OUT),
        ("jam_validator", states.HARDWARE_ERROR, states.BILL_JAMMED),
        ("jam_cassette", states.HARDWARE_ERROR, states.CASSETTE_JAMMED),
        ("cheated", states.FRAUD_ATTEMPT, states.CHEATED),
        ("pause", states.USER_ERROR, states.SECOND_BILL),
        ("fail_50", states.HARDWARE_ERROR, states.ACCEPTOR_FAILED),
        ("init", states.STARTING, 0),
        ("power_up_in_validator", states.STARTING, 0),
        ("accepting", states.ONLINE, 0),
        ("holding", states.ONLINE, 0),
    )
    for name, state, detail in wanted:
        scene.poll = name
        scene.run(250)
        assert (state, detail) in scene.states[-2:], name  # a RESET follows some at once


def case_silence_is_told_after_missed_polls_and_ends(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.opened()
    scene.poll = None
    scene.run(MISSED_MAX * 400)
    assert scene.states[-1] == (states.OFFLINE, states.DETAIL_SILENT)
    assert scene.said() == [(CASH_STATE, SESSION, states.CASH_REFUSED, 0)]
    scene.poll = "power_up"
    scene.run(3000)
    assert scene.states[-1] == (states.ONLINE, 0)


def case_a_damaged_answer_is_asked_for_again(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.answers = False
    scene.expect(scene.v["poll"])
    for _ in range(NAKS_MAX):
        scene.reply(scene.v["idle"][:-1] + b"\x00")
        assert scene.port.taken() == scene.v["nak"]
    scene.reply(scene.v["idle"])
    assert scene.port.taken() == scene.v["ack"]


def case_a_nak_repeats_the_command(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.answers = False
    scene.expect(scene.v["poll"])
    for _ in range(ccnet_acceptor.SENT_MAX - 1):
        scene.reply(scene.v["nak"])
        assert scene.port.taken() == scene.v["poll"]
    scene.reply(scene.v["nak"])
    assert scene.port.taken() == b""


def case_times_between_polls_and_after_an_ack(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.answers = False
    scene.expect(scene.v["poll"])
    scene.reply(scene.v["disabled"])
    assert scene.port.taken() == scene.v["ack"]
    at = scene.now
    scene.expect(scene.v["poll"])
    assert 195 <= (scene.now - at) & 0x3FFFFFFF <= 205


# ---- notes


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


def case_a_note_that_nobody_knows_is_a_case_at_once(vectors, folder):
    scene = CashScene(vectors, folder).opened()
    scene.tell(CASH_STACK, 7)
    anywhere, reason = states.PLACE_ANYWHERE, states.DETAIL_BAD_REQUEST
    assert scene.said() == [(CASH_NOTE, 7, SESSION, 0, states.NOTE_CASE, anywhere, reason)]


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
