"""Resident ID card reader (SAM_V module, SDT protocol): searches, reads the text block, tells when
the card has left.

A read is asked for by `start` and ends with one CARD message, with `stop`, or with the fault
TIME_LIMIT; other faults are told and the search goes on. A card is `held` from its CARD until two
searches in a row do not find it. Many modules do not find a card again that they have read, some
do: what is found while a card is held is read and compared, and told only if it is another card.

| state | event | next | does |
| --- | --- | --- | --- |
| REST | due; reader not known to work, or nothing to do | STATUS | send 11 FF |
| REST | due; a read is asked for, or a card is held | FIND | send 20 01 |
| FIND | 9F, no read, or card held and compared just now | REST | |
| FIND | 9F | SELECT | send 20 02; CARD_FOUND if none is held, once until none is found |
| FIND | 80, card held, second in a row | REST | CARD_REMOVED |
| FIND | 80 | REST | faults may be told again |
| SELECT | 90 | READ | send 30 01 |
| READ | 90 with text, the held card's | REST | |
| READ | 90 with text | REST, or ADDRESS when wanted | CARD_REMOVED if one was held; CARD; held |
| ADDRESS | entered | ADDRESS | send 30 03 |
| ADDRESS | 90, 91, anything else | REST | CARD_ADDRESS: added, none, not read |
| ADDRESS | time-out, second damage | STATUS, REST | CARD_ADDRESS: not read |
| SELECT, READ | 40 | REST | fault UNKNOWN_CARD |
| SELECT, READ | 21 | REST, due now | from the beginning |
| SELECT, READ | any other refusal (41, 81 ...) | REST | fault NOT_READ |
| any | damaged, broken off, or 10 / 11: first | same | send again |
| REST | a frame has begun and is not whole when the next command goes out | same | forgotten |
| any | the same: second | REST, due now | from the beginning |
| any | the same: DAMAGED_MAX | REST | fault BAD_CHECKSUM |
| any | 60 or 66 | REST, STATUS_EVERY_MS | HARDWARE_ERROR, fault SAM_FAILED |
| FIND, SELECT, READ | time-out | STATUS | flush, send 11 FF |
| STATUS | any answer but 60, 66 | REST | ONLINE; fault NOT_READ if a read had timed out |
| STATUS | time-out, second in a row | REST, STATUS_EVERY_MS | OFFLINE, fault READER_SILENT |

One fault is told once until a search finds no card. Times: 115200 baud and the figures below; a
card's own radio takes most.
"""

import binascii

from firmware.drivers import sdt_frames as sdt
from firmware.drivers.sender import Sender
from protocol.wire import states
from protocol.wire.messages import (
    ADDRESS_BYTES_MAX,
    CARD,
    CARD_ADDRESS,
    CARD_FAULT,
    CARD_FOUND,
    CARD_OPTIONS,
    CARD_REMOVED,
)
from protocol.wire.ticks import add, diff

FIND_EVERY_MS = 300
FIND_MS_MAX = 1000
SELECT_MS_MAX = 1000
READ_MS_MAX = 4000
STATUS_MS_MAX = 1000
STATUS_EVERY_MS = 2000  # while the reader does not work
IDLE_CHECK_MS = 10_000
FRAME_GAP_MS_MAX = 300  # a frame that has begun and does not go on
DAMAGED_MAX = 3
SILENT_MAX = 2
REMOVED_FINDS = 2
COMPARE_EVERY_MS = 2000
_LAYOUT_AT = 248
_SAM_FAILED = (sdt.SW_SELFTEST, sdt.SW_UNAUTHORISED)
_NOT_UNDERSTOOD = (sdt.SW_BAD_CHECKSUM, sdt.SW_BAD_LENGTH)

REST = 0
FIND = 1
SELECT = 2
READ = 3
STATUS = 4
ADDRESS = 5
_COMMANDS = (
    None,
    memoryview(sdt.FIND),
    memoryview(sdt.SELECT),
    memoryview(sdt.READ),
    memoryview(sdt.STATUS),
    memoryview(sdt.READ_ADDRESS),
)
_TIMES_MS_MAX = (0, FIND_MS_MAX, SELECT_MS_MAX, READ_MS_MAX, STATUS_MS_MAX, SELECT_MS_MAX)


class SdtCardReader:
    """`emit(kind, *fields, tail)` takes board messages, `report(state, detail)` changes of the
    device's state.
    """

    def __init__(self, port, emit, report, now):
        self.counts = [0, 0, 0]  # cards read, faults told, replies damaged
        self._emit = emit
        self._report = report
        self._sender = Sender(port)
        self._replies = sdt.SdtReplies()
        self._state = REST
        self._due = now  # REST: when to begin; else: when the answer is late
        self._heard = now
        self._works = False
        self._read_no = None
        self._limit_at = None
        self._held_no = None  # the read that took the card still lying there
        self._held_sum = 0  # CRC-32 of its text
        self._compared = now
        self._missed = 0
        self._found = False  # it was told that a card lies there
        self._told = 0
        self._damaged = 0
        self._silent = 0
        self._read_timed_out = False
        self._options = 0

    @property
    def long_answer_due(self):
        """An answer longer than a hardware FIFO is coming: not the time to stall interrupts."""
        return self._state in (READ, ADDRESS)

    @property
    def _has_card(self):
        return SELECT <= self._state <= READ

    def start(self, read_no, limit_ms, now):
        """Search for a card under this number; `limit_ms` 0 = until stopped. The same number again
        changes nothing.
        """
        if read_no == self._read_no:
            return
        self._read_no = read_no
        self._limit_at = add(now, limit_ms) if limit_ms else None
        self._told = 0
        self._damaged = 0
        if self._state == REST and self._works:
            self._due = now

    def stop(self, read_no=None):
        """End this read (None: whichever runs, with its options). A held card is watched until it
        leaves.
        """
        if read_no is None or read_no == self._read_no:
            self._read_no = None
        if read_no is None:
            self._options = 0

    def set_options(self, options):
        """For the reads that follow: a mask of the CARD_WITH_ bits."""
        self._options = options

    def feed(self, buf, n, now):
        at = 0
        replies = self._replies
        while at < n:
            at = replies.take(buf, at, n)
            if replies.result == sdt.REPLY:
                self._on_reply(now)
            elif replies.result == sdt.DAMAGED:
                self._on_damage(now)
        self._heard = now

    def tick(self, now):
        self._sender.pump()
        self._check_limit(now)
        late = diff(now, self._due) >= 0
        if self._state == REST:
            if late:
                self._begin(now)
        elif late:
            self._on_silence(now)
        elif self._replies.in_frame and diff(now, self._heard) >= FRAME_GAP_MS_MAX:
            self._replies.reset()
            self._on_damage(now)

    def deadline(self, now):
        """Milliseconds until `tick` has work, at least 0."""
        return max(0, diff(self._due, now))

    def _begin(self, now):
        if self._works and (self._read_no is not None or self._held_no is not None):
            self._exchange(FIND, now)
        else:
            self._exchange(STATUS, now)

    def _exchange(self, state, now):
        if self._replies.in_frame:  # what has begun before this command does not answer it
            self._replies.reset()
        self._state = state
        self._due = add(now, _TIMES_MS_MAX[state])
        self._sender.send(_COMMANDS[state])

    def _rest(self, now, delay_ms):
        self._state = REST
        self._due = add(now, delay_ms)

    def _check_limit(self, now):
        if self._read_no is None or self._limit_at is None or self._has_card:
            return
        if diff(now, self._limit_at) >= 0:
            self._emit(CARD_FAULT, self._read_no, states.CARD_TIME_LIMIT)
            self._read_no = None

    def _on_reply(self, now):
        state = self._state
        if state == REST:
            self._replies.forget()  # an answer that came after its time-out
            return
        self._silent = 0
        sw = self._replies.sw3
        if sw in _SAM_FAILED:
            self._works = False
            self._report(states.HARDWARE_ERROR, sw)
            self._fault(states.CARD_SAM_FAILED, now, STATUS_EVERY_MS)
            return
        if not self._works:
            self._works = True
            self._report(states.ONLINE, 0)
        if sw in _NOT_UNDERSTOOD:
            self._on_damage(now)
        elif state == FIND:
            self._on_find(sw, now)
        elif state == STATUS:
            self._on_status(now)
        elif state == ADDRESS:
            self._on_address(sw, now)
        elif sw == sdt.SW_DONE and state == SELECT:
            self._exchange(READ, now)
        elif sw == sdt.SW_DONE:
            self._on_card(now)
        elif sw == sdt.SW_BAD_COMMAND:
            self._rest(now, 0)
        else:
            unknown = sw == sdt.SW_UNKNOWN_CARD
            self._fault(states.CARD_UNKNOWN if unknown else states.CARD_NOT_READ, now)

    def _on_find(self, sw, now):
        self._rest(now, FIND_EVERY_MS)
        if sw == sdt.SW_FOUND:
            self._missed = 0
            compared = self._held_no is not None and diff(now, self._compared) < COMPARE_EVERY_MS
            if self._read_no is not None and not compared:
                if self._held_no is None and not self._found:
                    self._found = True
                    self._emit(CARD_FOUND, self._read_no)
                self._exchange(SELECT, now)
        elif sw == sdt.SW_NO_CARD:
            self._told = 0
            self._found = False
            self._damaged = 0
            self._missed += 1
            if self._held_no is not None and self._missed >= REMOVED_FINDS:
                self._emit(CARD_REMOVED, self._held_no)
                self._held_no = None

    def _on_status(self, now):
        if self._read_timed_out:
            self._read_timed_out = False
            self._fault(states.CARD_NOT_READ, now)
            return
        wanted = self._read_no is not None or self._held_no is not None
        self._rest(now, 0 if wanted else IDLE_CHECK_MS)

    def _on_card(self, now):
        replies = self._replies
        if not replies.has_text:
            self._on_damage(now)
            return
        text_sum = binascii.crc32(replies.text)
        if self._held_no is not None and text_sum == self._held_sum:
            self._compared = now
        elif self._read_no is not None:
            if self._held_no is not None:
                self._emit(CARD_REMOVED, self._held_no)
            layout = replies.text[_LAYOUT_AT]
            self.counts[0] += 1
            self._emit(CARD, self._read_no, layout if layout in b"JIY" else 0x43, tail=replies.text)
            self._held_no = self._read_no
            self._held_sum = text_sum
            self._compared = add(now, -COMPARE_EVERY_MS)
            self._read_no = None
            self._missed = 0
            self._damaged = 0
            if self._options & states.CARD_WITH_ADDRESS:
                replies.forget()
                self._exchange(ADDRESS, now)
                return
        replies.forget()
        self._rest(now, FIND_EVERY_MS)

    def _on_address(self, sw, now):
        count = self._replies.data_bytes
        if sw == sdt.SW_DONE and count <= ADDRESS_BYTES_MAX:
            address = self._replies.data[:count]
            self._emit(CARD_ADDRESS, self._held_no, states.ADDRESS_ADDED, tail=address)
        elif sw == sdt.SW_NO_ITEM:
            self._emit(CARD_ADDRESS, self._held_no, states.ADDRESS_NONE)
        else:
            self._emit(CARD_ADDRESS, self._held_no, states.ADDRESS_NOT_READ)
        self._replies.forget()
        self._rest(now, FIND_EVERY_MS)

    def _on_damage(self, now):
        if self._state == REST:
            return
        self._replies.forget()
        self._damaged += 1
        self.counts[2] += 1
        if self._damaged == 1:
            self._exchange(self._state, now)
        elif self._state == ADDRESS:
            self._damaged = 0
            self._emit(CARD_ADDRESS, self._held_no, states.ADDRESS_NOT_READ)
            self._rest(now, FIND_EVERY_MS)
        elif self._damaged < DAMAGED_MAX:
            self._rest(now, 0)
        else:
            self._damaged = 0
            self._fault(states.CARD_BAD_CHECKSUM, now)

    def _on_silence(self, now):
        self._replies.reset()
        self._sender.drop()
        if self._state != STATUS:
            if self._state == ADDRESS:
                self._emit(CARD_ADDRESS, self._held_no, states.ADDRESS_NOT_READ)
            self._read_timed_out = self._has_card
            self._exchange(STATUS, now)
            return
        self._silent += 1
        if self._silent < SILENT_MAX:
            self._exchange(STATUS, now)
            return
        self._works = False
        self._read_timed_out = False
        self._report(states.OFFLINE, 0)
        self._fault(states.CARD_READER_SILENT, now, STATUS_EVERY_MS)

    def _fault(self, reason, now, rest_ms=FIND_EVERY_MS):
        if self._read_no is not None and self._told != reason:
            self._told = reason
            self.counts[1] += 1
            self._emit(CARD_FAULT, self._read_no, reason)
        self._rest(now, rest_ms)


def build(host, part):
    """The driver of a board's card reader."""
    reader = SdtCardReader(host.port, host.emit, host.report, host.now)
    host.server.at_link_down(reader.stop)
    host.server.serve(CARD_OPTIONS, lambda fields, tail, now: reader.set_options(fields[0]))
    return reader
