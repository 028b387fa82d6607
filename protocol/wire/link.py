"""The board link: messages in order, once, over a line that loses, repeats and garbles bytes.

Rules. A session is one attempt of one side: going down takes the next session number, so that a
connection (two sessions) is never taken up again with other counters. `connection` is the CRC-32
of agent session | board session. DATA is Go-Back-N with a cumulative ack of the next seq expected.
What is in flight, in encoded bytes, never exceeds the window last announced by the peer. A window
of 0 heals by the keep-alive ACK, which announces it again.

| state | event | next | does |
| --- | --- | --- | --- |
| DOWN | HELLO due | DOWN | say HELLO |
| DOWN | HELLO, no common version | DOWN | down(`version`) once a peer session, HELLO goes on |
| DOWN | HELLO naming our session | UP | up(version, info), HELLO unless the peer is up |
| DOWN | HELLO not naming our session | DOWN | answer HELLO |
| UP | HELLO, same peer session, peer not up | UP | answer HELLO |
| UP | HELLO, other peer session | DOWN | down(`peer_reboot`), answer HELLO |
| UP | DATA next in order | UP | deliver, ack |
| UP | DATA old or ahead | UP | ack again |
| UP | ack of something in flight | UP | it is forgotten |
| UP | oldest in flight unanswered for its time | UP | send all again, wait longer |
| UP | the same a time more than RESEND_MAX | DOWN | down(`unanswered`) |
| UP | nothing heard for LINK_LOST_MS | DOWN | down(`silent`) |

Any other frame is counted and dropped. Going down forgets what was not acked.
"""

import binascii
import struct

from protocol.wire.frames import (
    BODY_MIN,
    FRAME_ENCODED_MAX,
    HEADER_BYTES,
    MESSAGE_MAX,
    TAG_BYTES,
    FrameDecoder,
    Views,
    encode,
)
from protocol.wire.ticks import add, diff

try:
    from typing import TYPE_CHECKING
except ImportError:  # MicroPython
    TYPE_CHECKING = False  # type: ignore[misc]

if TYPE_CHECKING:
    from typing import Protocol

    class Handler(Protocol):
        """Who is told; called from within `receive` and `tick`."""

        def link_up(self, version: int, info: bytes) -> None:
            """A connection stands; `info` is the peer's."""

        def link_message(self, view: memoryview) -> None:
            """A message; the view holds until the call returns."""

        def link_down(self, reason: str) -> None:
            """`peer_reboot`, `silent`, `unanswered` or `version`."""


AGENT = 0
BOARD = 1

HELLO = 1
DATA = 2
ACK = 3
FLAG_UP = 1

HELLO_MS = 300
KEEPALIVE_MS = 500
LINK_LOST_MS = 3000
RESEND_MS = 200
RESEND_MS_MAX = 1000
RESEND_MAX = 12
QUEUE_MESSAGES_MAX = 48
QUEUE_BYTES_MAX = 8192
INFO_BYTES_MAX = MESSAGE_MAX - 11

_U16 = 0xFFFF
_HEADER = "<BBIHHH"
_HELLO = "<BBBII"
_HELLO_BYTES = 11
_OVERHEAD = FRAME_ENCODED_MAX - MESSAGE_MAX


class Link:
    """One side of the link. `session`: 32 random bits, new at each start; `window`: receive room in
    encoded bytes, at least one frame; `info`: what the peer's `link_up` gets. Times are ticks.
    """

    def __init__(
        self,
        role: int,
        session: int,
        handler: "Handler",
        *,
        window: int,
        info: bytes = b"",
        version_min: int = 1,
        version_max: int = 1,
    ) -> None:
        if not FRAME_ENCODED_MAX <= window <= _U16 or len(info) > INFO_BYTES_MAX:
            raise ValueError("window or info out of range")
        self.up = False
        self.stats = {"resent": 0, "dropped": 0, "refused": 0}
        self.window = window
        self._role = role
        self._session = session
        self._handler = handler
        self._info = info
        self._versions = (version_min, version_max)
        self._on_message = handler.link_message
        self.decoder = FrameDecoder(self._on_body)
        self._payload = Views(self.decoder.body, HEADER_BYTES)
        self._now = 0
        self._started = False
        self._refused = -1  # peer session that has no common version
        self._begin(-1)

    def _begin(self, peer: int) -> None:
        """A new attempt; `peer` is the peer's session as far as it is known, -1 if not."""
        self.up = False
        self._peer = peer
        self._queue: list[bytes] = []
        self._queue_bytes = 0
        self._flight: list[int] = []  # encoded bytes of the frames at the head of the queue
        self._flight_bytes = 0
        self._sent_high = 0  # frames at the head of the queue that were ever sent
        self._base = 0  # seq of the head of the queue
        self._expected = 0
        self._peer_window = 0
        self._ack_due = False
        self._hello_now = True
        self._resends = 0
        self._resend_ms = RESEND_MS
        self._conn_low = self._conn_high = 0
        self._connection = 0

    # ---- what the owner calls

    def receive(self, buf: bytes | bytearray | memoryview, n: int, now: int) -> None:
        """Take `n` bytes of `buf` from the line."""
        self._start(now)
        self.decoder.feed(buf, n)

    def send(self, message: bytes) -> bool:
        """Queue a message of 1 to MESSAGE_MAX bytes; False when down or the queue is full."""
        size = len(message)
        if not 0 < size <= MESSAGE_MAX:
            raise ValueError("message of %d bytes" % size)
        full = len(self._queue) >= QUEUE_MESSAGES_MAX
        if not self.up or full or self._queue_bytes + size > QUEUE_BYTES_MAX:
            return False
        self._queue.append(message)
        self._queue_bytes += size
        return True

    def pull(self, now: int) -> bytes | None:
        """The next frame for the line, whole, or None."""
        self._start(now)
        if self._hello_now:
            return self._say_hello()
        if not self.up:
            return None
        index = len(self._flight)
        if index < len(self._queue):
            room = self._peer_window - self._flight_bytes
            message = self._queue[index]
            if len(message) + _OVERHEAD <= room or FRAME_ENCODED_MAX <= room:
                return self._say_data(index, message)
        if self._ack_due or diff(now, self._said) >= KEEPALIVE_MS:
            return self._frame(ACK, (self._base + index) & _U16, b"")
        return None

    def tick(self, now: int) -> None:
        """Timers."""
        self._start(now)
        if not self.up:
            if diff(now, self._said) >= HELLO_MS:
                self._hello_now = True
        elif diff(now, self._heard) >= LINK_LOST_MS:
            self._go_down("silent")
        elif self._flight and diff(now, self._flight_since) >= self._resend_ms:
            self._resend()

    def deadline(self, now: int) -> int:
        """Milliseconds until `tick` or `pull` has something to do; 0 when at once."""
        if self._hello_now or (self.up and self._ack_due):
            return 0
        if not self.up:
            return max(0, diff(add(self._said, HELLO_MS), now))
        wait = diff(add(self._heard, LINK_LOST_MS), now)
        wait = min(wait, diff(add(self._said, KEEPALIVE_MS), now))
        if self._flight:
            wait = min(wait, diff(add(self._flight_since, self._resend_ms), now))
        return max(0, wait)

    # ---- saying

    def _start(self, now: int) -> None:
        self._now = now
        if not self._started:
            self._started = True
            self._said = self._heard = self._flight_since = now

    def _frame(self, kind: int, seq: int, payload: bytes) -> bytes:
        self._said = self._now
        self._ack_due = False
        flags = FLAG_UP if self.up else 0
        connection = 0 if kind == HELLO else self._connection
        head = struct.pack(_HEADER, kind, flags, connection, seq, self._expected, self.window)
        return encode(head + payload + bytes(TAG_BYTES))

    def _say_hello(self) -> bytes:
        self._hello_now = False
        low, high = self._versions
        peer = max(self._peer, 0)
        return self._frame(
            HELLO, 0, struct.pack(_HELLO, low, high, self._role, self._session, peer) + self._info
        )

    def _say_data(self, index: int, message: bytes) -> bytes:
        frame = self._frame(DATA, (self._base + index) & _U16, message)
        if not self._flight:
            self._flight_since = self._now
        self._flight.append(len(frame))
        self._flight_bytes += len(frame)
        self._sent_high = max(self._sent_high, index + 1)
        return frame

    def _resend(self) -> None:
        self._resends += 1
        if self._resends > RESEND_MAX:
            self._go_down("unanswered")
            return
        self.stats["resent"] += len(self._flight)
        self._resend_ms = min(RESEND_MS_MAX, self._resend_ms * 2)
        self._flight.clear()
        self._flight_bytes = 0

    # ---- hearing

    def _on_body(self, body: bytearray, n: int) -> None:
        kind = body[0]
        for i in range(n - TAG_BYTES, n):
            if body[i]:  # a tag, but nobody is paired
                self.stats["refused"] += 1
                return
        if kind == HELLO:
            self._on_hello(body, n)
        elif (
            self.up
            and kind in (DATA, ACK)
            and body[2] | body[3] << 8 == self._conn_low
            and body[4] | body[5] << 8 == self._conn_high
        ):
            self._heard = self._now
            self._peer_window = body[10] | body[11] << 8
            self._on_ack(body[8] | body[9] << 8)
            if kind == DATA:
                self._on_data(body[6] | body[7] << 8, n - BODY_MIN)
        else:
            self.stats["dropped"] += 1

    def _on_ack(self, ack: int) -> None:
        acked = (ack - self._base) & _U16
        if not 0 < acked <= self._sent_high:
            return
        for _ in range(acked):
            self._queue_bytes -= len(self._queue.pop(0))
            if self._flight:
                self._flight_bytes -= self._flight.pop(0)
        self._base = ack
        self._sent_high -= acked
        self._resends = 0
        self._resend_ms = RESEND_MS
        self._flight_since = self._now

    def _on_data(self, seq: int, size: int) -> None:
        self._ack_due = True
        if seq != self._expected or not size:
            self.stats["dropped"] += 1
            return
        self._expected = (seq + 1) & _U16
        self._on_message(self._payload.get(size))

    def _on_hello(self, body: bytearray, n: int) -> None:
        if n < BODY_MIN + _HELLO_BYTES:
            self.stats["dropped"] += 1
            return
        low, high, role, session, named = struct.unpack_from(_HELLO, body, HEADER_BYTES)
        if role == self._role:  # our own echo
            self.stats["dropped"] += 1
            return
        if self.up and session != self._peer:
            self._go_down("peer_reboot")
        self._peer = session
        version = min(high, self._versions[1])
        if version < max(low, self._versions[0]):
            self._refuse(session)
        elif self.up:
            self._heard = self._now
            self._hello_now = self._hello_now or not body[1] & FLAG_UP
        elif named == self._session:
            info = bytes(self._payload.get(n - BODY_MIN)[_HELLO_BYTES:])
            self._go_up(version, info, bool(body[1] & FLAG_UP))
            self._peer_window = body[10] | body[11] << 8
        else:
            self._hello_now = True

    def _refuse(self, session: int) -> None:
        if self._refused != session:
            self._refused = session
            self._handler.link_down("version")

    def _go_up(self, version: int, info: bytes, peer_is_up: bool) -> None:
        mine, other = self._session, self._peer
        pair = (mine, other) if self._role == AGENT else (other, mine)
        self._connection = binascii.crc32(struct.pack("<II", pair[0], pair[1]))
        self._conn_low = self._connection & _U16
        self._conn_high = self._connection >> 16
        self.up = True
        self._heard = self._now
        self._hello_now = not peer_is_up
        self._handler.link_up(version, info)

    def _go_down(self, reason: str) -> None:
        self._session = (self._session + 1) & 0xFFFFFFFF
        self._begin(-1)
        self._handler.link_down(reason)
