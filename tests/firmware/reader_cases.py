"""What the ID card reader driver promises, byte by byte against the vectors. Runs under CPython and
MicroPython.
"""

from firmware.drivers.sdt_card_reader import SdtCardReader
from protocol.wire import states
from protocol.wire.messages import CARD, CARD_ADDRESS, CARD_FAULT, CARD_FOUND, CARD_REMOVED
from tests.firmware.scene import Scene


class ReaderScene(Scene):
    def __init__(self, vectors):
        super().__init__()
        self.v = {name: bytes.fromhex(text) for name, text in vectors["sam"].items()}
        self.driver = SdtCardReader(self.port, self.emit, self.report, self.now)

    def answer(self, command, reply, ms_max=400, piece=64):
        """Expect a command, give a reply (names of vectors, or bytes)."""
        self.expect(self.v["cmd_" + command], ms_max)
        self.reply(self.v[reply] if isinstance(reply, str) else reply, piece)

    def ready(self, read_no=7, limit_ms=0):
        """The reader has told its status and a read is asked for."""
        self.answer("status", "rep_ok")
        self.driver.start(read_no, limit_ms, self.now)

    def find_and_select(self):
        self.answer("find", "rep_find_ok")
        self.answer("select", "rep_select_ok")

    def said(self):
        """What was told, but that a card was found: case_a_card_is_told_... looks at that."""
        return [message for message in self.everything_said() if message[0] != CARD_FOUND]

    def everything_said(self):
        return super().said()

    def faults(self):
        return [message for message in self.said() if message[0] == CARD_FAULT]


def case_citizen_card_in_one_byte_pieces(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.answer("read", "read_reply_citizen", piece=1)
    assert s.said() == [(CARD, 7, ord("C"), s.v["text_citizen"])]
    assert s.states == [(states.ONLINE, 0)]


def case_each_kind_of_card_is_told_with_its_layout(vectors, folder):
    for reply, text, layout in (
        ("read_reply_citizen", "text_citizen", "C"),
        ("read_reply_foreign_I", "text_foreign_I", "I"),
        ("read_reply_hmt_J", "text_hmt_J", "J"),
        ("read_reply_foreign_2023", "text_foreign_2023", "Y"),
    ):
        s = ReaderScene(vectors)
        s.ready()
        s.find_and_select()
        s.answer("read", reply)
        assert s.said() == [(CARD, 7, ord(layout), s.v[text])]


def with_address(vectors):
    """A card was read, and its newest address is asked for."""
    s = ReaderScene(vectors)
    s.ready()
    s.driver.set_options(states.CARD_WITH_ADDRESS)
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert s.driver.long_answer_due
    assert [message[0] for message in s.said()] == [CARD]
    return s


def case_the_newest_address_follows_its_card_when_it_is_wanted(vectors, folder):
    s = with_address(vectors)
    s.answer("read_addr", "rep_added_address", piece=7)
    added = s.v["rep_added_address"][10:80]
    assert s.said() == [(CARD_ADDRESS, 7, states.ADDRESS_ADDED, added)]
    s.expect(s.v["cmd_find"])
    s = with_address(vectors)
    s.answer("read_addr", "rep_no_item")
    assert s.said() == [(CARD_ADDRESS, 7, states.ADDRESS_NONE)]


def case_an_address_that_cannot_be_read_is_told_and_the_search_goes_on(vectors, folder):
    damaged = bytes(vectors["sam"]["rep_added_address"], "ascii")[:-1] + b"9"
    damaged = bytes.fromhex(str(damaged, "ascii"))
    for replies in (("rep_read_failed",), (damaged, damaged), ("read_reply_citizen",)):
        s = with_address(vectors)
        for reply in replies:
            s.answer("read_addr", reply)
        assert s.said() == [(CARD_ADDRESS, 7, states.ADDRESS_NOT_READ)]
        s.expect(s.v["cmd_find"])
    s = with_address(vectors)
    s.expect(s.v["cmd_read_addr"])
    s.expect(s.v["cmd_status"], 1100)
    assert s.said() == [(CARD_ADDRESS, 7, states.ADDRESS_NOT_READ)]


def case_options_end_with_the_link(vectors, folder):
    s = ReaderScene(vectors)
    s.driver.set_options(states.CARD_WITH_ADDRESS)
    s.driver.stop()
    s.ready()
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    s.expect(s.v["cmd_find"])


def case_a_frame_cut_off_between_two_searches_swallows_no_answer(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.answer("find", "rep_no_card")
    s.reply(s.v["rep_select_ok"][:9], 64)  # comes late, and never ends
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert s.said() == [(CARD, 7, ord("C"), s.v["text_citizen"])]


def case_a_card_is_told_when_it_is_found_and_once_until_none_is(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.answer("find", "rep_find_ok")
    s.expect(s.v["cmd_select"])
    assert s.everything_said() == [(CARD_FOUND, 7)]  # before it is read, which takes long
    s.reply(s.v["rep_select_failed"], 64)
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert [m[0] for m in s.everything_said()] == [CARD_FAULT, CARD]
    s.driver.start(8, 0, s.now)
    s.find_and_select()  # a held card that is found again is compared, not told
    s.answer("read", "read_reply_citizen")
    s.answer("find", "rep_no_card")
    s.answer("find", "rep_no_card")
    assert s.everything_said() == [(CARD_REMOVED, 7)]
    s.answer("find", "rep_find_ok")
    s.expect(s.v["cmd_select"])
    assert s.everything_said() == [(CARD_FOUND, 8)]


def case_foreign_card_layout(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.answer("read", "read_reply_foreign_I", piece=256)
    assert s.said() == [(CARD, 7, ord("I"), s.v["text_foreign_I"])]


def case_photo_and_text_are_not_kept(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert not any(s.driver._replies.text)


def case_noise_and_long_runs_of_aa_before_the_header(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.answer("find", b"\x00\x96\xaa" + s.v["rep_find_ok"])
    s.answer("select", b"\xaa\xaa\xaa\x96\xaa" + s.v["rep_select_ok"], piece=1)
    s.answer("read", b"\xaa" * 9 + s.v["read_reply_citizen"])
    assert s.said()[0][0] == CARD


def case_two_replies_in_one_piece(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.answer("find", s.v["rep_find_ok"] + s.v["rep_no_card"], piece=64)
    # the stray second reply was taken for the select's: a refusal, and the search goes on
    s.expect(s.v["cmd_select"])
    s.run(300)
    s.answer("find", "rep_no_card")
    assert [m[2] for m in s.faults()] in ([], [states.CARD_NOT_READ])


def case_a_held_card_is_not_told_again_until_it_left(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    s.said()
    s.driver.start(8, 0, s.now)
    s.find_and_select()  # a module that finds it again: it is compared
    s.answer("read", "read_reply_citizen")
    for _ in range(3):  # and not compared all the time
        s.answer("find", "rep_find_ok")
        assert s.sent(200) == b""
    s.answer("find", "rep_no_card")
    assert s.said() == []
    s.answer("find", "rep_no_card")
    assert s.said() == [(CARD_REMOVED, 7)]
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert s.said()[0][:2] == (CARD, 8)


def case_another_card_put_down_between_two_searches_is_told(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    s.said()
    s.driver.start(8, 0, s.now)
    s.find_and_select()
    s.answer("read", "read_reply_foreign_I", piece=256)
    said = s.said()
    assert [m[:2] for m in said] == [(CARD_REMOVED, 7), (CARD, 8)], said


def case_search_repeats_every_300_ms(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    for _ in range(4):
        s.answer("find", "rep_no_card")
        before = s.now
        assert s.sent(290) == b""
        s.run(10)
        assert s.port.out == s.v["cmd_find"], (s.now - before) & 0x3FFFFFFF


def case_lifted_in_mid_read_is_told_once_and_the_search_goes_on(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.answer("read", "rep_read_failed")
    assert s.said() == [(CARD_FAULT, 7, states.CARD_NOT_READ)]
    s.answer("find", "rep_find_ok")
    s.answer("select", "rep_select_failed")
    assert s.said() == []
    s.answer("find", "rep_no_card")
    s.find_and_select()
    s.answer("read", "rep_read_failed")
    assert s.said() == [(CARD_FAULT, 7, states.CARD_NOT_READ)]
    s.answer("find", "rep_no_card")
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert s.said()[0][0] == CARD


def case_a_wrong_checksum_is_tried_again_and_bounded(vectors, folder):
    s = ReaderScene(vectors)
    wrong = bytearray(s.v["read_reply_citizen"])
    wrong[100] ^= 0x20
    wrong = bytes(wrong)
    s.ready()
    s.find_and_select()
    s.answer("read", wrong)
    s.answer("read", wrong)
    s.find_and_select()
    s.answer("read", wrong)
    assert s.said() == [(CARD_FAULT, 7, states.CARD_BAD_CHECKSUM)]
    assert not any(s.driver._replies.text)
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert s.said()[0][0] == CARD


def case_the_reader_saw_a_bad_checksum(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.answer("find", "rep_bad_checksum")
    s.answer("find", "rep_find_ok")
    s.answer("select", "rep_bad_length")
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert s.said()[0][0] == CARD


def case_a_truncated_reply_is_asked_for_again(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.answer("read", s.v["read_reply_citizen"][:700])
    s.answer("read", "read_reply_citizen")
    assert s.said()[0][0] == CARD


def case_out_of_order_begins_again(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.answer("find", "rep_find_ok")
    s.answer("select", "rep_bad_command")
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert s.said()[0][0] == CARD


def case_a_text_length_that_is_not_256_is_damage(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.answer("read", "rep_ok")
    s.answer("read", "read_reply_citizen")
    assert s.said()[0][0] == CARD


def case_timeouts_flush_and_ask_for_status(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.expect(s.v["cmd_find"])
    assert s.sent(980) == b""
    s.answer("status", "rep_ok", 30)
    s.answer("find", "rep_find_ok", 30)
    s.expect(s.v["cmd_select"])
    assert s.sent(980) == b""
    s.answer("status", "rep_ok", 30)
    assert s.said() == [(CARD_FAULT, 7, states.CARD_NOT_READ)]
    s.find_and_select()
    s.expect(s.v["cmd_read"])
    assert s.sent(3980) == b""
    s.expect(s.v["cmd_status"], 30)


def case_a_silent_reader_is_offline_and_comes_back(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.expect(s.v["cmd_find"])
    s.expect(s.v["cmd_status"], 1010)
    s.expect(s.v["cmd_status"], 1010)
    s.run(1010)
    assert s.said() == [(CARD_FAULT, 7, states.CARD_READER_SILENT)]
    assert s.states[-1] == (states.OFFLINE, 0)
    s.answer("status", "rep_ok", 2010)
    assert s.states[-1] == (states.ONLINE, 0)
    s.find_and_select()
    s.answer("read", "read_reply_citizen")
    assert s.said()[0][0] == CARD


def case_a_dead_sam_is_a_hardware_error_until_it_recovers(vectors, folder):
    for reply, code in (("rep_selftest", 0x60), ("rep_unauthorised", 0x66)):
        s = ReaderScene(vectors)
        s.ready()
        s.answer("find", reply)
        assert s.states[-1] == (states.HARDWARE_ERROR, code)
        assert s.said() == [(CARD_FAULT, 7, states.CARD_SAM_FAILED)]
        s.answer("status", reply, 2010)
        assert s.said() == []
        s.answer("status", "rep_ok", 2010)
        assert s.states[-1] == (states.ONLINE, 0)
        s.expect(s.v["cmd_find"])


def case_a_card_of_another_kind(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.answer("find", "rep_find_ok")
    s.answer("select", "rep_card_type")
    assert s.said() == [(CARD_FAULT, 7, states.CARD_UNKNOWN)]


def case_the_time_limit_ends_a_read_but_not_in_mid_card(vectors, folder):
    s = ReaderScene(vectors)
    s.ready(limit_ms=700)
    s.answer("find", "rep_no_card")
    s.find_and_select()
    s.expect(s.v["cmd_read"])
    s.run(1000)
    assert s.said() == []
    s.reply(s.v["read_reply_citizen"])
    assert s.said()[0][0] == CARD
    s = ReaderScene(vectors)
    s.ready(limit_ms=700)
    while not s.messages:
        s.answer("find", "rep_no_card")
        s.run(295)
    assert s.said() == [(CARD_FAULT, 7, states.CARD_TIME_LIMIT)]


def case_stop_ends_the_search_and_drops_a_card_in_mid_read(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.find_and_select()
    s.expect(s.v["cmd_read"])
    s.driver.stop(6)
    s.driver.stop(7)
    s.reply(s.v["read_reply_citizen"])
    assert s.said() == []
    assert not any(s.driver._replies.text)
    s.answer("status", "rep_ok")
    assert s.sent(9900) == b""


def case_a_late_answer_is_not_taken_for_the_next(vectors, folder):
    s = ReaderScene(vectors)
    s.ready()
    s.answer("find", "rep_no_card")
    s.reply(s.v["rep_find_ok"])
    assert s.sent(200) == b""
    assert s.said() == []


def case_partial_writes_go_on(vectors, folder):
    s = ReaderScene(vectors)
    s.port.room = 3
    sent = b""
    for _ in range(6):
        sent += s.sent(20)
    assert sent == s.v["cmd_status"]


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
