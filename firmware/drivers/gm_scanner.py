"""Barcode scanner of the Grow family in command mode: reads one code when asked, and nothing else.

A scan is asked for by `start` and ends with one SCAN (in parts), with `stop`, or with the fault
TIME_LIMIT; other faults are told and it goes on. A code that nobody asked for is dropped. Settings
are read back before each trigger: a scanner that lost power for a moment has factory settings.

| state | event | next | does |
| --- | --- | --- | --- |
| REST | due, or a scan is asked for | CHECK | read the first zone; every BEAT_EVERY_MS: heartbeat |
| CHECK | value is as wanted | CHECK | read the next zone |
| CHECK | value is wrong, first time | SET | write it |
| SET | reply | CHECK | read the same zone again |
| CHECK | value is wrong again | REST, RETRY_EVERY_MS | HARDWARE_ERROR, fault SILENT |
| CHECK | last zone, a scan is asked for | TRIGGER | ONLINE; write 1 to the trigger |
| CHECK | last zone otherwise | REST | ONLINE |
| TRIGGER | reply | READING | |
| READING | READ_MS over | CHECK | it gave up and is to be triggered again |
| READING | nobody asks any more | STOP | write 0 to the trigger |
| STOP, BEAT | reply | REST | |
| CHECK, SET, TRIGGER, STOP, BEAT | late: fewer than MISSES_MAX in a row | same | send again |
| the same | late otherwise | REST, RETRY_EVERY_MS | OFFLINE, fault SILENT |
| any | a scan while asked | same, then REST | SCAN |
| any | a scan without tail, other than the last such | CUT | it may be cut: read it again |
| CUT | bytes | CUT | they may be its rest: dropped |
| CUT | CUT_MS without a byte | CHECK | |
| any | a scan without tail, the same as the last such | same, then REST | SCAN |
| any | more than SCAN_MAX bytes | CUT | fault TOO_LONG |
"""

import binascii

from firmware.drivers import gm_frames as gm
from firmware.drivers.sender import Sender
from firmware.models import load
from protocol.wire import states
from protocol.wire.messages import SCAN, SCAN_FAULT, SCAN_PART_BYTES_MAX, SCAN_START, SCAN_STOP
from protocol.wire.ticks import add, diff

ANSWER_MS_MAX = 400
MISSES_MAX = 3
BEAT_EVERY_MS = 10_000
RETRY_EVERY_MS = 2000  # while it does not work
CUT_MS = 200
READ_MS = 5000  # factory: one trigger reads for so long
_DECISECOND_MS = 100

REST = 0
CHECK = 1
SET = 2
TRIGGER = 3
READING = 4
STOP = 5
BEAT = 6
CUT = 7


class GmScanner:
    """`zones`: ((zone, mask, value), ..), a mask over 255 for two bytes; `emit(kind, *fields,
    tail)`, `report(state, detail)`.
    """

    def __init__(self, port, emit, report, now, *, zones):
        self.counts = [0, 0, 0]  # scanned, faults told, codes nobody asked for
        self._emit = emit
        self._report = report
        self._zones = zones
        self._sender = Sender(port)
        self._stream = gm.GmStream()
        self._state = REST
        self._due = now
        self._heard = now
        self._works = None  # not known yet
        self._zone = 0
        self._written = False  # this zone was written and is read again
        self._command = b""
        self._reply_bytes = 0
        self._misses = 0
        self._scan_no = None
        self._limit_at = None
        self._told = 0
        self._unfinished = None  # length and CRC-32 of the last scan without tail
        self._lit = False  # it was triggered and may read a code at any time

    @property
    def long_answer_due(self):
        """A code is coming in, and no check would tell that some of it was lost."""
        return self._stream.count > 0

    def start(self, scan_no, limit_ms, now):
        """Read one code under this number; `limit_ms` 0 = until stopped. The same number again
        changes nothing.
        """
        if scan_no == self._scan_no:
            return
        self._scan_no = scan_no
        self._limit_at = add(now, limit_ms) if limit_ms else None
        self._told = 0
        self._unfinished = None
        if self._works is False:
            self._fault(states.SCAN_SILENT)
        elif self._state in (REST, READING):
            self._state = REST
            self._due = now

    def stop(self, scan_no=None):
        """End this scan (None: whichever runs)."""
        if scan_no is None or scan_no == self._scan_no:
            self._scan_no = None

    def feed(self, buf, n, now):
        for at in range(n):
            event = self._stream.take(buf[at])
            if event == gm.REPLY:
                self._on_reply(now)
                self._hand_over(False, now)
            elif event == gm.SCAN:
                self._hand_over(False, now)
        self._heard = now

    def tick(self, now):
        self._sender.pump()
        if self._stream.count and diff(now, self._heard) >= gm.SILENCE_MS:
            if self._stream.pause() == gm.REPLY:
                self._on_reply(now)
            self._hand_over(True, now)
        self._check_limit(now)
        if self._state == READING and self._scan_no is None:
            self._write(STOP, gm.ZONE_TRIGGER, 0, 1, now)
        elif diff(now, self._due) >= 0:
            self._on_time(now)

    def deadline(self, now):
        """Milliseconds until `tick` has work, at least 0."""
        wait_ms = diff(self._due, now)
        if self._stream.count:
            wait_ms = min(wait_ms, gm.SILENCE_MS - diff(now, self._heard))
        return max(0, wait_ms)

    def _on_time(self, now):
        if self._state in (REST, READING, CUT):
            if self._works and self._scan_no is None:
                self._send(BEAT, gm.command(gm.BEAT, 0, b"\x00"), 1, now)
            else:
                self._check(0, now)
            return
        self._misses += 1
        if self._misses < MISSES_MAX:
            self._put_out(now)
        else:
            self._give_up(states.OFFLINE, now)

    def _check(self, zone, now):
        self._zone = zone
        self._written = False
        self._read_back(now)

    def _read_back(self, now):
        zone, mask, _ = self._zones[self._zone]
        size = 2 if mask > 0xFF else 1
        self._send(CHECK, gm.command(gm.READ, zone, bytes((size,))), size, now)

    def _write(self, state, zone, value, size, now):
        data = bytes((value & 0xFF, value >> 8))[:size]
        self._send(state, gm.command(gm.WRITE, zone, data), 1, now)

    def _send(self, state, command, reply_bytes, now):
        self._state = state
        self._command = command
        self._reply_bytes = reply_bytes
        self._misses = 0
        self._put_out(now)

    def _put_out(self, now):
        self._due = add(now, ANSWER_MS_MAX)
        self._stream.expect(self._reply_bytes)
        self._sender.drop()
        self._sender.send(memoryview(self._command))

    def _on_reply(self, now):
        state = self._state
        if not self._lit:
            self._stream.drop_noise()
        if state in (TRIGGER, STOP):
            self._lit = state == TRIGGER
        if state == CHECK:
            self._on_zone(self._stream.value, now)
        elif state == SET:
            self._written = True
            self._read_back(now)
        elif state == TRIGGER:
            self._state = READING
            self._due = add(now, READ_MS)
        else:
            self._rest(BEAT_EVERY_MS, now)

    def _on_zone(self, value, now):
        zone, mask, wanted = self._zones[self._zone]
        if value & mask != wanted:
            if self._written:
                self._give_up(states.HARDWARE_ERROR, now)
            else:
                self._write(SET, zone, value & ~mask | wanted, 2 if mask > 0xFF else 1, now)
        elif self._zone + 1 < len(self._zones):
            self._check(self._zone + 1, now)
        else:
            self._works = True
            self._report(states.ONLINE, 0)
            if self._scan_no is None:
                self._rest(BEAT_EVERY_MS, now)
            else:
                self._write(TRIGGER, gm.ZONE_TRIGGER, 1, 1, now)

    def _give_up(self, state, now):
        self._works = False
        self._lit = False
        self._stream.expect(0)
        self._report(state, 0)
        self._fault(states.SCAN_SILENT)
        self._rest(RETRY_EVERY_MS, now)

    def _rest(self, delay_ms, now):
        self._state = REST
        self._due = now if self._works and self._scan_no is not None else add(now, delay_ms)

    def _hand_over(self, paused, now):
        """Every scan that is whole; after a pause, all that is there."""
        stream = self._stream
        length = stream.scan_end(paused)
        while length >= 0:
            if length > gm.SCAN_MAX or stream.too_long:
                stream.clear()
                self._fault(states.SCAN_TOO_LONG)
                self._wait_for_rest(now)
                return
            if self._state == CUT:
                self._wait_for_rest(now)
            elif length and self._scan_no is None:
                self.counts[2] += 1
            elif length and paused and not stream.has_tail(length) and self._is_new(length):
                self._wait_for_rest(now)
            elif length:
                self._tell(memoryview(stream.data)[:length])
                if self._state == READING:
                    self._rest(BEAT_EVERY_MS, now)
            stream.drop(length)
            length = stream.scan_end(paused)

    def _wait_for_rest(self, now):
        self._state = CUT
        self._lit = False
        self._stream.expect(0)
        self._due = add(now, CUT_MS)

    def _is_new(self, length):
        """Whether a scan without tail differs from the last one."""
        seen = length, binascii.crc32(memoryview(self._stream.data)[:length])
        is_new = seen != self._unfinished
        self._unfinished = seen
        return is_new

    def _tell(self, scan):
        for at in range(0, len(scan), SCAN_PART_BYTES_MAX):
            part = scan[at : at + SCAN_PART_BYTES_MAX]
            self._emit(SCAN, self._scan_no, at, len(scan), tail=part)
        self._scan_no = None
        self._lit = False
        self.counts[0] += 1

    def _check_limit(self, now):
        if self._scan_no is None or self._limit_at is None or self._stream.count:
            return
        if diff(now, self._limit_at) >= 0:
            self._emit(SCAN_FAULT, self._scan_no, states.SCAN_TIME_LIMIT)
            self._scan_no = None

    def _fault(self, reason):
        if self._scan_no is not None and self._told != reason:
            self._told = reason
            self.counts[1] += 1
            self._emit(SCAN_FAULT, self._scan_no, reason)


def zones_of(model, baud):
    """The zones that a scanner of this model must have, its speed the last."""
    return model.ZONES + ((gm.ZONE_BAUD, 0xFFFF, gm.divisor(baud)),)


def build(host, part):
    """The driver of a board's scanner; it serves SCAN_START and SCAN_STOP."""
    zones = zones_of(load(part["model"]), part["baud"])
    scanner = GmScanner(host.port, host.emit, host.report, host.now, zones=zones)
    server = host.server
    server.serve(
        SCAN_START,
        lambda fields, tail, now: scanner.start(fields[0], fields[1] * _DECISECOND_MS, now),
    )
    server.serve(SCAN_STOP, lambda fields, tail, now: scanner.stop(fields[0]))
    server.at_link_down(scanner.stop)
    return scanner
