"""ESC/POS receipt printer: a job is DONE when the printer says so, NOT_DONE when no byte went out,
else UNKNOWN.

With a process id (GS ( H) the printer answers when everything before it is printed and cut. A clone
without it gets GS r 1, and four healthy answers to DLE EOT after it. Queries run between jobs and
after the last byte of a job, never inside one.

| state | event | next | does |
| --- | --- | --- | --- |
| IDLE | due | IDLE | query 1..4, report |
| IDLE | job | CHECK | query 1..4 |
| CHECK | healthy | BEGIN | |
| CHECK | not healthy, or silent twice | IDLE | NOT_DONE, detail |
| BEGIN | `begin` answers LATER | BEGIN | the journal comes before the first byte |
| BEGIN | `begin` answers BEGUN_NOW | SEND | |
| BEGIN | `begin` answers REFUSED | IDLE | NOT_DONE |
| SEND | all bytes taken by the port | AWAIT | |
| SEND | XOFF, XON | SEND | pause, go on |
| SEND | SEND_MS_MAX | CLEAR | |
| AWAIT | answer with this job's id | IDLE | DONE |
| AWAIT | (clone) GS r answered, then healthy | IDLE | DONE |
| AWAIT | two sets of answers not healthy, silent twice, or PRINT_MS_MAX | CLEAR | |
| CLEAR | entered | CLEAR | DLE ENQ 2, DLE DC4 8: the next visitor must not get this slip |
| CLEAR | answer with this job's id | IDLE | DONE |
| CLEAR | queried 1..4, or silent twice | IDLE | UNKNOWN, detail of what went wrong |
"""

from firmware.drivers import escpos_replies
from firmware.drivers.escpos_status import device_state, is_healthy
from firmware.drivers.sender import Sender
from firmware.effects import BEGIN_LATER, BEGUN_NOW
from protocol.wire import states
from protocol.wire.ticks import add, diff

IDLE_EVERY_MS = 2000
AWAIT_QUERY_EVERY_MS = 500
QUERY_MS_MAX = 500
SEND_MS_MAX = 15_000
PRINT_MS_MAX = 20_000
CLEAR_MS = 100
SILENT_MAX = 2
UNHEALTHY_MAX = 2
_QUERIES = (
    memoryview(b"\x10\x04\x01"),
    memoryview(b"\x10\x04\x02"),
    memoryview(b"\x10\x04\x03"),
    memoryview(b"\x10\x04\x04"),
)
_CLEAR = memoryview(b"\x10\x05\x02")  # DLE ENQ 2: recover and clear
_CLEAR_ALL = memoryview(b"\x10\x05\x02\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08")
_PAPER_STATUS = b"\x1d\x72\x01"
_PROCESS_ID_BLOCK = 0x22
_ID_BYTES = 4

IDLE = 0
CHECK = 1
BEGIN = 2
SEND = 3
AWAIT = 4
CLEAR = 5


class EscposPrinter:
    """`begin(id, now)` and `end(id, outcome, detail, now)` are the journal's; `report(state,
    detail)` the device's state.
    """

    def __init__(self, port, begin, end, report, now, *, process_id=True):
        self.counts = [0, 0, 0]  # printed, not printed, unknown
        self._begin = begin
        self._end = end
        self._report = report
        self._process_id = process_id
        self._sender = Sender(port)
        self._replies = escpos_replies.EscposReplies()
        self._answers = bytearray(4)
        self._mark = bytearray(b"\x1d\x28\x48\x06\x00\x30\x30    ")
        self._state = IDLE
        self._job_id = None
        self._data = None
        self._tail_sent = False
        self._query = -1  # index of the DLE EOT that awaits its answer, -1 for none
        self._query_late = now
        self._next_query = now
        self._late = now  # SEND, AWAIT: the end of patience
        self._silent = 0
        self._unhealthy = 0
        self._paper_answered = False
        self._trouble = 0

    @property
    def busy(self):
        return self._job_id is not None

    def start(self, effect_id, data, now):
        """Print `data` (memoryview that stays as it is until the end). Only when not `busy`."""
        self._job_id = effect_id
        self._data = data
        for at in range(_ID_BYTES):
            self._mark[7 + at] = 0x20 + (effect_id >> 6 * at & 0x3F)
        self._next_query = now

    def feed(self, buf, n, now):
        for at in range(n):
            kind = self._replies.take(buf[at])
            if kind == escpos_replies.NOTHING:
                continue
            if kind == escpos_replies.STATUS:
                self._on_status(now)
            elif kind == escpos_replies.BLOCK_END:
                self._on_block(now)
            elif kind == escpos_replies.PAPER:
                self._on_paper(now)
            else:
                self._sender.paused = kind == escpos_replies.XOFF and self._state == SEND

    def tick(self, now):
        self._sender.pump()
        if self._query >= 0:
            if diff(now, self._query_late) >= 0:
                self._on_silence(now)
        elif self._state == BEGIN:
            self._try_to_begin(now)
        elif self._state == SEND:
            self._go_on_sending(now)
        elif self._state == AWAIT and diff(now, self._late) >= 0:
            self._give_up(states.DETAIL_TIME_OUT, now)
        elif diff(now, self._next_query) >= 0:
            if self._state == IDLE and self._job_id is not None:
                self._state = CHECK
            self._ask(0, now)

    def deadline(self, now):
        """Milliseconds until `tick` has work, at least 0."""
        if self._query >= 0:
            return max(0, diff(self._query_late, now))
        return 0 if BEGIN <= self._state <= SEND else max(0, diff(self._next_query, now))

    def _ask(self, query, now):
        self._query = query
        self._query_late = add(now, QUERY_MS_MAX)
        self._sender.send(_QUERIES[query])

    def _on_status(self, now):
        if self._query < 0:
            return
        self._answers[self._query] = self._replies.value
        if self._query + 1 < len(_QUERIES):
            self._ask(self._query + 1, now)
            return
        self._query = -1
        self._silent = 0
        state, detail = device_state(self._answers)
        self._report(state, detail)
        self._on_answers(is_healthy(self._answers), detail, now)

    def _on_answers(self, healthy, detail, now):
        self._next_query = add(now, IDLE_EVERY_MS if self._state == IDLE else AWAIT_QUERY_EVERY_MS)
        if self._state == CHECK:
            if healthy:
                self._state = BEGIN
            else:
                self._finish(states.NOT_DONE, detail, now)
        elif self._state == AWAIT:
            self._unhealthy = 0 if healthy else self._unhealthy + 1
            if healthy and self._paper_answered:
                self._finish(states.DONE, 0, now)
            elif self._unhealthy >= UNHEALTHY_MAX:
                self._give_up(detail, now)
        elif self._state == CLEAR:
            self._finish(states.UNKNOWN, self._trouble, now)

    def _on_silence(self, now):
        self._replies.reset()
        self._sender.drop()
        self._silent += 1
        if self._silent < SILENT_MAX:
            self._ask(0, now)
            return
        self._silent = 0
        self._query = -1
        self._next_query = add(now, IDLE_EVERY_MS)
        self._report(states.OFFLINE, 0)
        if self._state == CHECK:
            self._finish(states.NOT_DONE, states.DETAIL_SILENT, now)
        elif self._state == AWAIT:
            self._give_up(states.DETAIL_SILENT, now)
        elif self._state == CLEAR:
            self._finish(states.UNKNOWN, self._trouble, now)

    def _try_to_begin(self, now):
        answer = self._begin(self._job_id, now)
        if answer == BEGIN_LATER:
            return
        if answer != BEGUN_NOW:
            self._finish(states.NOT_DONE, states.DETAIL_JOURNAL, now)
            return
        self._state = SEND
        self._late = add(now, SEND_MS_MAX)
        self._tail_sent = False
        self._paper_answered = False
        self._unhealthy = 0
        self._sender.paused = False
        self._sender.send(self._data, 0)

    def _go_on_sending(self, now):
        if not self._sender.idle:
            if diff(now, self._late) >= 0:
                self._give_up(states.DETAIL_TIME_OUT, now)
        elif not self._tail_sent:
            self._tail_sent = True
            self._sender.send(memoryview(self._mark if self._process_id else _PAPER_STATUS))
        else:
            self._state = AWAIT
            self._sender.paused = False
            self._late = add(now, PRINT_MS_MAX)
            self._next_query = add(now, AWAIT_QUERY_EVERY_MS)

    def _on_block(self, now):
        block = self._replies.block
        if self._replies.block_bytes != 1 + _ID_BYTES or block[0] != _PROCESS_ID_BLOCK:
            return
        for at in range(_ID_BYTES):
            if block[1 + at] != self._mark[7 + at]:
                return
        if self._process_id and self._state >= SEND and self._tail_sent:
            self._finish(states.DONE, 0, now)

    def _on_paper(self, now):
        if SEND <= self._state <= AWAIT and self._tail_sent and not self._process_id:
            self._paper_answered = True
            self._next_query = now

    def _give_up(self, detail, now):
        self._state = CLEAR
        self._trouble = detail
        self._sender.paused = False
        self._sender.send(_CLEAR_ALL if self._process_id else _CLEAR)
        self._next_query = add(now, CLEAR_MS)

    def _finish(self, outcome, detail, now):
        effect_id, self._job_id = self._job_id, None
        self._state = IDLE
        self._data = None
        self.counts[outcome - states.DONE] += 1
        self._end(effect_id, outcome, detail, now)


def build(host, part):
    """The driver of a board's printer."""
    effects = host.server.effects
    return EscposPrinter(
        host.port,
        effects.begin,
        effects.end,
        host.report,
        host.now,
        process_id=bool(part["process_id"]),
    )
