"""What the receipt printer driver promises. Runs under CPython and MicroPython."""

from firmware.drivers import escpos_printer
from firmware.drivers.escpos_printer import EscposPrinter
from firmware.effects import BEGIN_LATER, BEGIN_REFUSED, BEGUN_NOW
from protocol.wire import states
from tests.firmware.scene import Ledger, Scene

JOB = b"\x1b\x40A001\x0a\x1d\x56\x42\x00"
EFFECT = 0x1122334455667788
QUERIES = (b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x03", b"\x10\x04\x04")
CLEAR = b"\x10\x05\x02"
CLEAR_ALL = b"\x10\x05\x02\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
COVER_OPEN = b"\x1a\x16\x12\x12"
CUTTER_JAM = b"\x1a\x52\x1a\x12"
HEALTHY = b"\x12\x12\x12\x12"
NEAR_END = b"\x12\x12\x12\x1e"


class PrinterScene(Scene):
    def __init__(self, vectors, process_id=True, begin=BEGUN_NOW):
        super().__init__()
        self.v = {name: bytes.fromhex(text) for name, text in vectors["escpos"].items()}
        self.ledger = Ledger(self.port, begin)
        self.driver = EscposPrinter(
            self.port,
            self.ledger.begin,
            self.ledger.end,
            self.report,
            self.now,
            process_id=process_id,
        )

    def queried(self, answers, ms_max=3000):
        """Four queries, these four answers."""
        for at in range(4):
            self.expect(QUERIES[at], ms_max)
            self.reply(answers[at : at + 1])

    def start(self, effect_id=EFFECT):
        self.driver.start(effect_id, memoryview(JOB), self.now)

    def printing(self):
        """A job whose bytes are all out."""
        self.queried(HEALTHY)
        self.start()
        self.queried(HEALTHY)
        self.expect(JOB)
        return self.sent()

    def ends(self):
        return self.ledger.ends()


def block_for(mark):
    return b"\x37\x22" + mark[-4:] + b"\x00"


def case_done_when_the_printer_names_the_job(vectors, folder):
    s = PrinterScene(vectors)
    mark = s.printing()
    assert mark[:7] == s.v["process_id_A001"][:7]
    assert all(0x20 <= byte <= 0x7E for byte in mark[7:])
    assert s.ends() == []
    s.reply(block_for(mark), 2)
    assert s.ends() == [(EFFECT, states.DONE, 0)]
    assert not s.driver.busy


def case_the_vector_id_gives_the_vector_answer(vectors, folder):
    s = PrinterScene(vectors)
    effect_id = 0
    for at, char in enumerate(b"A0  "):
        effect_id |= (char - 0x20) << 6 * at
    s.queried(HEALTHY)
    s.start(effect_id)
    s.queried(HEALTHY)
    s.expect(JOB)
    assert s.sent() == s.v["process_id_A001"][:7] + b"A0  "
    s.reply(s.v["process_id_reply_A001"])
    assert s.ends() == []  # A001 is another job's
    s.reply(b"\x37\x22A0  \x00")
    assert s.ends() == [(effect_id, states.DONE, 0)]


def case_begun_is_on_flash_before_the_first_byte(vectors, folder):
    s = PrinterScene(vectors, begin=BEGIN_LATER)
    s.queried(HEALTHY)
    s.start()
    s.queried(HEALTHY)
    assert s.sent(1000) == b""
    s.ledger.answer = BEGUN_NOW
    s.expect(JOB)
    assert s.ledger.notes[-1] == ("begin", EFFECT, 0)


def case_no_journal_no_print(vectors, folder):
    s = PrinterScene(vectors, begin=BEGIN_REFUSED)
    s.queried(HEALTHY)
    s.start()
    s.queried(HEALTHY)
    s.run(400)
    assert s.port.taken() == b""
    assert s.ends() == [(EFFECT, states.NOT_DONE, states.DETAIL_JOURNAL)]


def case_trouble_before_the_first_byte_is_not_done(vectors, folder):
    for answers, detail in (
        (bytes.fromhex(vectors["escpos"]["paper_out"]), states.PAPER_OUT),
        (COVER_OPEN, states.COVER_OPEN),
        (CUTTER_JAM, states.PAPER_JAMMED),
    ):
        s = PrinterScene(vectors)
        s.queried(HEALTHY)
        s.start()
        s.queried(answers)
        assert s.ends() == [(EFFECT, states.NOT_DONE, detail)]
        assert s.ledger.notes[0][0] == "end"
        assert s.states[-1][1] == detail
        s.queried(HEALTHY)
        assert s.states[-1] == (states.ONLINE, states.PAPER_FULL)


def case_a_silent_printer_is_not_done_and_offline(vectors, folder):
    s = PrinterScene(vectors)
    s.queried(HEALTHY)
    s.start()
    s.expect(QUERIES[0], 3000)
    s.expect(QUERIES[0], 510)
    s.run(510)
    assert s.ends() == [(EFFECT, states.NOT_DONE, states.DETAIL_SILENT)]
    assert s.states[-1] == (states.OFFLINE, 0)


def case_paper_low_still_prints(vectors, folder):
    s = PrinterScene(vectors)
    s.queried(NEAR_END)
    assert s.states[-1] == (states.ONLINE, states.PAPER_LOW)
    s.start()
    s.queried(NEAR_END)
    s.expect(JOB)


def case_paper_out_in_the_middle_is_unknown_and_cleared(vectors, folder):
    s = PrinterScene(vectors)
    s.printing()
    s.queried(s.v["paper_out"])
    s.queried(s.v["paper_out"])
    s.expect(CLEAR_ALL)
    assert s.ends() == []
    s.reply(b"\x37\x25\x00")
    s.queried(s.v["paper_out"])
    assert s.ends() == [(EFFECT, states.UNKNOWN, states.PAPER_OUT)]


def case_an_answer_while_clearing_is_done(vectors, folder):
    s = PrinterScene(vectors)
    mark = s.printing()
    s.queried(COVER_OPEN)
    s.queried(COVER_OPEN)
    s.expect(CLEAR_ALL)
    s.reply(block_for(mark))
    assert s.ends() == [(EFFECT, states.DONE, 0)]


def case_a_printer_that_reset_in_the_middle_is_unknown(vectors, folder):
    s = PrinterScene(vectors)
    s.printing()
    s.run(5)
    before = s.now
    sent = s.sent(1000)
    while sent in QUERIES:
        s.reply(b"\x12")
        sent = s.sent(1000)
        assert (s.now - before) & 0x3FFFFFFF < 30_000
    assert sent == CLEAR_ALL
    s.queried(HEALTHY)
    assert s.ends() == [(EFFECT, states.UNKNOWN, states.DETAIL_TIME_OUT)]


def case_silence_in_the_middle_is_unknown(vectors, folder):
    s = PrinterScene(vectors)
    s.printing()
    s.expect(QUERIES[0], 1000)
    s.expect(QUERIES[0], 1000)
    s.expect(CLEAR_ALL, 1000)
    s.expect(QUERIES[0], 1000)
    s.expect(QUERIES[0], 1000)
    s.run(600)
    assert s.ends() == [(EFFECT, states.UNKNOWN, states.DETAIL_SILENT)]


def case_no_query_inside_job_data(vectors, folder):
    s = PrinterScene(vectors)
    s.queried(HEALTHY)
    s.start()
    s.port.room = 1
    out = b""
    for _ in range(4000 // 5):
        s.run(5)
        data = s.port.taken()
        out += data
        for query in QUERIES:
            if out.endswith(query) and JOB[:2] not in out:
                s.reply(b"\x12")
        if s.driver._state == escpos_printer.AWAIT:
            break
    job_and_mark = out[out.index(JOB[:2]) :]
    assert job_and_mark.startswith(JOB + b"\x1d\x28\x48")
    assert len(job_and_mark) == len(JOB) + 11


def case_xoff_pauses_and_a_stuck_line_ends(vectors, folder):
    s = PrinterScene(vectors)
    s.queried(HEALTHY)
    s.start()
    s.queried(HEALTHY)
    s.port.room = 4
    assert s.sent() == JOB[:4]
    s.reply(b"\x13")
    assert s.sent(1000) == b""
    s.reply(b"\x11")
    s.port.room = None
    assert s.sent().startswith(JOB[4:])
    s = PrinterScene(vectors)
    s.queried(HEALTHY)
    s.start()
    s.queried(HEALTHY)
    s.port.room = 0
    s.run(escpos_printer.SEND_MS_MAX + 20)
    s.port.room = None
    s.expect(CLEAR_ALL)
    s.queried(HEALTHY)
    assert s.ends() == [(EFFECT, states.UNKNOWN, states.DETAIL_TIME_OUT)]


def case_xoff_between_jobs_does_not_stop_queries(vectors, folder):
    s = PrinterScene(vectors)
    s.queried(HEALTHY)
    s.reply(b"\x13")
    s.queried(COVER_OPEN)
    assert s.states[-1] == (states.USER_ERROR, states.COVER_OPEN)


def case_clone_without_process_id(vectors, folder):
    s = PrinterScene(vectors, process_id=False)
    assert s.printing() == b"\x1d\x72\x01"
    s.queried(HEALTHY)
    assert s.ends() == []
    s.reply(b"\x00")
    s.queried(HEALTHY)
    assert s.ends() == [(EFFECT, states.DONE, 0)]


def case_clone_that_does_not_answer_is_unknown(vectors, folder):
    s = PrinterScene(vectors, process_id=False)
    s.printing()
    s.queried(s.v["paper_out"])
    s.queried(s.v["paper_out"])
    s.expect(CLEAR)
    s.queried(s.v["paper_out"])
    assert s.ends() == [(EFFECT, states.UNKNOWN, states.PAPER_OUT)]


def case_automatic_status_and_noise_are_skipped(vectors, folder):
    s = PrinterScene(vectors)
    mark = s.printing()
    s.reply(s.v["asb_out"] + s.v["asb_ok"] + b"\xff\x80")
    s.reply(b"\x37\x22 too long to be an id\x00")
    assert s.ends() == []
    s.reply(block_for(mark))
    assert s.ends() == [(EFFECT, states.DONE, 0)]


def case_states_follow_the_printer_while_idle(vectors, folder):
    s = PrinterScene(vectors)
    for answers, state in (
        (s.v["status_ok"], (states.ONLINE, states.PAPER_FULL)),
        (s.v["paper_out"], (states.USER_ERROR, states.PAPER_OUT)),
        (b"\x1a\x32\x12\x72", (states.USER_ERROR, states.PAPER_OUT)),
        (NEAR_END, (states.ONLINE, states.PAPER_LOW)),
    ):
        s.queried(answers)
        assert s.states[-1] == state
    s.expect(QUERIES[0], 3000)
    s.expect(QUERIES[0], 510)
    s.run(510)
    assert s.states[-1] == (states.OFFLINE, 0)


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
