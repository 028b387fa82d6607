"""One end of the board link: messages in order, once, over a line that garbles, loses and repeats.

A session is one attempt of one side at a connection: 64 fresh random bits. The connection of two
sessions has the number `CRC-32(agent session | board session)`; it is never taken up a second time,
so a frame of an earlier one is a stranger. A side goes up by a HELLO that names its session: a late
HELLO of an earlier life names another one, and at most makes us say HELLO. Frames of a connection
are numbered: one that was taken, or comes after a later one, is never taken again. Between paired
sides every frame carries a tag (tag.py) and no other frame does anything.

| state | event | next | does |
| --- | --- | --- | --- |
| DOWN | HELLO_MS over | DOWN | says HELLO |
| DOWN | HELLO not of our pair | DOWN | down(`unpaired`, `paired`, `pair_key`) once a session |
| DOWN | HELLO, no common version | DOWN | down(`version`) once a peer session; HELLO_SLOW_MS |
| DOWN | HELLO not naming our session | DOWN | says HELLO naming the peer's |
| DOWN | HELLO naming our session | UP | reports up; says HELLO if the peer is not up |
| UP | HELLO, same peer session | UP | says HELLO if the peer is not up |
| UP | HELLO, other session, not naming ours | UP | says HELLO naming it: a reboot, or late |
| UP | HELLO, other session, naming ours | UP | down(`peer_reboot`), then up with it |
| UP | the same, session left for another before | UP | drops it: it was late |
| UP | the same, no common version or LEFT_MAX | DOWN | down(`peer_reboot`), new session |
| UP | DATA or ACK, wrong tag, or number not above the last | UP | counts and drops it |
| UP | DATA next in order | UP | delivers, acks |
| UP | DATA old or ahead | UP | drops it, acks again |
| UP | DATA or ACK with a new ack | UP | forgets what is acked |
| UP | oldest unacked for its time, window open | UP | sends all again, waits longer |
| UP | the same after RESEND_MAX times | DOWN | down(`unanswered`), new session |
| UP | no DATA or ACK for LINK_LOST_MS | DOWN | down(`silent`), new session |
| UP | numbers of frames used up | DOWN | down(`worn`), new session |
| UP | nothing said for KEEP_ALIVE_MS, or own window changed | UP | acks |
| any | any other frame | same | counts and drops it |

Every frame carries seq, ack and window: what a lost ACK said, the next frame or the keep-alive says
again, so a window that opened is never missed. Going down forgets what was not acked.

(Over 400 lines: the table and the machine that it describes are read together.)
"""

import struct
from binascii import crc32

from protocol.wire.frames import (
    BODY_MIN,
    FRAME_ENCODED_MAX,
    HEADER_BYTES,
    MESSAGE_MAX,
    FrameDecoder,
    Views,
    encode,
)
from protocol.wire.send_queue import SendQueue
from protocol.wire.tag import Tags
from protocol.wire.ticks import add, diff

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class LinkHandler(Protocol):
        """Who is told, from within `receive` and `tick`."""

        def link_up(self, version: int, info: bytes) -> None:
            """A connection stands; `info` is the peer's."""

        def link_message(self, view: memoryview) -> None:
            """A message; `view` is good until this returns."""

        def link_down(self, reason: str) -> None:
            """`peer_reboot`, `silent`, `unanswered`, `worn`; or, without a link_up before, why
            none comes: `version`, `unpaired`, `paired`, `pair_key`."""


AGENT = 0
BOARD = 1

HELLO = 1
DATA = 2
ACK = 3
FLAG_UP = 0x01  # in a HELLO: the sender is up with the session it names, no answer needed
FLAG_BOARD = 0x80  # the board speaks: a frame that comes back to its sender is none

HELLO_MS = 250
HELLO_SLOW_MS = 5000
KEEP_ALIVE_MS = 500
LINK_LOST_MS = 3000
RESEND_MS = 200
RESEND_MS_MAX = 1000
RESEND_MAX = 8
LEFT_MAX = 8
SESSION_BYTES = 8
NUMBER_MAX = 0x3FFFFFFF  # 30 bits: no 32-bit board allocates for a number

_HEADER = "<BBIIHHH"  # type, flags, connection, number, seq, ack, window
_HELLO = "<BBB8s8s"  # version_min, version_max, role, session, peer_session
_HELLO_BYTES = 19
INFO_BYTES_MAX = MESSAGE_MAX - _HELLO_BYTES
_NOBODY = bytes(SESSION_BYTES)
_SOMEBODY = b"\xff" * SESSION_BYTES
_U16 = 0xFFFF


class LinkStats:
    """Counters since the start. The damage of frames is counted by the decoder."""

    def __init__(self) -> None:
        self.delivered = 0
        self.acked = 0
        self.resent = 0
        self.repeats = 0  # DATA old or ahead
        self.strangers = 0  # frames of no connection, or of another one; late HELLOs
        self.refused = 0  # good CRC, but unknown type, wrong length, our own echo
        self.forged = 0  # a tag that is not right
        self.stale = 0  # a number not above the last
        self.ups = 0
        self.downs = 0


class Link:
    """`entropy(n)`: n random bytes. `window`: bytes of encoded frames the line's receive buffer can
    take, FRAME_ENCODED_MAX to 65535. `info`: for the peer's `link_up`. `pair_key`: see tag.py.

    After any call, `pull` until None. `now` is in ticks.
    """

    def __init__(
        self,
        role: int,
        entropy: "Callable[[int], bytes]",
        handler: "LinkHandler",
        *,
        window: int,
        info: bytes = b"",
        version_min: int = 1,
        version_max: int = 1,
        pair_key: bytes | None = None,
    ) -> None:
        if role not in (AGENT, BOARD):
            raise ValueError("role is AGENT or BOARD")
        if not FRAME_ENCODED_MAX <= window <= _U16:
            raise ValueError("window of %d bytes, not %d to 65535" % (window, FRAME_ENCODED_MAX))
        if len(info) > INFO_BYTES_MAX:
            raise ValueError("info of %d bytes, at most %d" % (len(info), INFO_BYTES_MAX))
        self.up = False
        self.version = 0
        self.stats = LinkStats()
        self.decoder = FrameDecoder(self._on_body)
        self._body = self.decoder.body
        self._whole = memoryview(self._body)
        self._room = bytearray(FRAME_ENCODED_MAX)  # a piece so long is hard to find later
        self._payload = Views(self._body, HEADER_BYTES, 0)
        self._tags = Tags(pair_key)
        self._queue = SendQueue()
        self._handler = handler
        self._deliver = handler.link_message
        self._role = role
        self._own_flags = FLAG_BOARD if role == BOARD else 0
        self._entropy = entropy
        self._session = self._fresh()
        self._window = window
        self._info = info
        self._version_min = version_min
        self._version_max = version_max
        self._refused_session = _NOBODY  # whose versions were reported
        self._left: "list[bytes]" = []  # peers that were up with our session, until it is renewed
        self._now = self._said_at = self._heard_at = self._resend_from = 0
        self._begin()

    def _fresh(self) -> bytes:
        session = self._entropy(SESSION_BYTES)
        return session if session != _NOBODY else _SOMEBODY

    def _begin(self) -> None:
        """DOWN, no peer, nothing queued."""
        self.up = False
        self._peer = _NOBODY  # its session, while it is known
        self._asked = _NOBODY  # another session to say HELLO to
        self._strange: "list[str]" = []  # why HELLOs were not of our pair, as far as told
        self._queue.clear()
        self._connection = 0
        self._connection_low = 0
        self._connection_high = 0
        self._number = 0  # of the last frame said in this connection
        self._heard = 0  # of the last frame taken
        self._next_in = 0
        self._ack_due = False
        self._hello_due = True
        self._hello_ms = HELLO_MS
        self._resends = 0
        self._resend_ms = RESEND_MS

    # ---- what the owner calls

    def receive(self, buf: bytes | bytearray | memoryview, n: int, now: int) -> None:
        """The first `n` bytes of `buf` came from the line."""
        self._now = now
        self.decoder.feed(buf, n)

    def send(self, message: bytes) -> bool:
        """Queue a message of 1 to MESSAGE_MAX bytes. False while down or full (send_queue.py)."""
        if not 0 < len(message) <= MESSAGE_MAX:
            raise ValueError("message of %d bytes, not 1 to %d" % (len(message), MESSAGE_MAX))
        return self.up and self._queue.add(message)

    def announce(self, window: int) -> None:
        """From now on the line's receive buffer takes `window` bytes, 0 to pause the peer."""
        if not 0 <= window <= _U16:
            raise ValueError("window of %d bytes" % window)
        if window != self._window:
            self._window = window
            self._ack_due = self.up

    @property
    def queued_bytes(self) -> int:
        """Of messages that are not acked yet."""
        return self._queue.size

    def introduce(self, info: bytes) -> None:
        """What is said of this side from the next HELLO on."""
        if len(info) > INFO_BYTES_MAX:
            raise ValueError("info of %d bytes, at most %d" % (len(info), INFO_BYTES_MAX))
        self._info = info

    def pull(self, now: int) -> bytes | None:
        """The next frame to write, whole; None when there is nothing to say."""
        self._now = now
        if self._hello_due:
            return self._hello()
        if not self.up:
            return None
        if self._number == NUMBER_MAX:
            self._go_down("worn")
            return self._hello()
        message = self._queue.next()
        if message is not None:
            if self._queue.in_flight == 0:
                self._resend_from = now
            return self._frame(DATA, self._queue.sent(), message)
        if self._ack_due:
            return self._frame(ACK, self._queue.seq, b"")
        return None

    def tick(self, now: int) -> None:
        """Timers; at the latest when `deadline` is over."""
        self._now = now
        if not self.up:
            if diff(now, self._said_at) >= self._hello_ms:
                self._hello_due = True
            return
        if diff(now, self._heard_at) >= LINK_LOST_MS:
            self._go_down("silent")
            return
        if diff(now, self._said_at) >= KEEP_ALIVE_MS:
            self._ack_due = True
        if self._queue.unacked and diff(now, self._resend_from) >= self._resend_ms:
            self._resend()

    def deadline(self, now: int) -> int:
        """Milliseconds until `tick` is due; 0 while `pull` has a HELLO or an ACK to give."""
        if self._hello_due or self._ack_due:
            return 0
        if not self.up:
            return max(0, diff(add(self._said_at, self._hello_ms), now))
        wait_ms = diff(add(self._heard_at, LINK_LOST_MS), now)
        wait_ms = min(wait_ms, diff(add(self._said_at, KEEP_ALIVE_MS), now))
        if self._queue.unacked:
            wait_ms = min(wait_ms, diff(add(self._resend_from, self._resend_ms), now))
        return max(0, wait_ms)

    # ---- saying

    def _frame(self, kind: int, seq: int, payload: bytes) -> bytes:
        self._said_at = self._now
        self._ack_due = False
        self._number += 1
        place = (self._number, seq, self._next_in, self._window)
        head = struct.pack(_HEADER, kind, self._own_flags, self._connection, *place)
        untagged = head + payload
        return encode(untagged + self._tags.for_frame(untagged), self._room)

    def _hello(self) -> bytes:
        peer = self._peer if self._asked == _NOBODY else self._asked
        flags = FLAG_UP if self.up and peer == self._peer else 0
        self._hello_due = False
        self._asked = _NOBODY
        if not self.up:  # a HELLO keeps nothing alive
            self._said_at = self._now
        head = struct.pack(_HEADER, HELLO, self._own_flags | flags, 0, 0, 0, 0, self._window)
        versions = (self._version_min, self._version_max, self._role)
        untagged = head + struct.pack(_HELLO, *versions, self._session, peer) + self._info
        return encode(untagged + self._tags.for_hello(untagged), self._room)

    def _resend(self) -> None:
        self._resend_from = self._now
        resent = self._queue.go_back()
        if self._queue.next() is None:  # the peer has no room: it said so, it is not deaf
            return
        if self._resends == RESEND_MAX:
            self._go_down("unanswered")
            return
        self._resends += 1
        self._resend_ms = min(2 * self._resend_ms, RESEND_MS_MAX)
        self.stats.resent += resent

    # ---- hearing; what is allocated for a frame is bounded: the hashes of its tag

    def _on_body(self, n: int) -> None:
        body = self._body
        kind = body[0]
        size = n - BODY_MIN
        if body[1] & FLAG_BOARD == self._own_flags:
            self.stats.refused += 1
        elif kind == HELLO:
            self._on_hello(n)
        elif body[1] & ~FLAG_BOARD or (kind != DATA or size == 0) and (kind != ACK or size != 0):
            self.stats.refused += 1
        elif (
            not self.up
            or body[2] | body[3] << 8 != self._connection_low
            or body[4] | body[5] << 8 != self._connection_high
        ):
            self.stats.strangers += 1
        elif not self._tags.fits_frame(self._whole, n):
            self.stats.forged += 1
        elif self._is_new():
            self._heard_at = self._now
            self._on_ack(body[12] | body[13] << 8, body[14] | body[15] << 8)
            if kind == DATA:
                self._on_data(body[10] | body[11] << 8, size)

    def _is_new(self) -> bool:
        body = self._body
        number = body[6] | body[7] << 8 | body[8] << 16 | (body[9] & 0x3F) << 24
        if number <= self._heard or body[9] > 0x3F:
            self.stats.stale += 1
            return False
        self._heard = number
        return True

    def _on_ack(self, ack: int, window: int) -> None:
        queue = self._queue
        before = queue.unacked
        queue.window = window
        if queue.acknowledge(ack):
            self.stats.acked += before - queue.unacked
            self._resend_from = self._now
            self._resend_ms = RESEND_MS
            self._resends = 0

    def _on_data(self, seq: int, size: int) -> None:
        self._ack_due = True
        if seq != self._next_in:
            self.stats.repeats += 1
            return
        self._next_in = (seq + 1) & _U16
        self.stats.delivered += 1
        self._deliver(self._payload.get(size))

    def _on_hello(self, n: int) -> None:
        size = n - BODY_MIN
        problem = self._tags.hello_problem(self._whole, n)
        if problem:
            self._estrange(problem)
            return
        if size < _HELLO_BYTES:
            self.stats.refused += 1
            return
        low, high, role, session, named = struct.unpack_from(_HELLO, self._body, HEADER_BYTES)
        if role != 1 - self._role or session == _NOBODY or low > high:
            self.stats.refused += 1
            return
        version = min(high, self._version_max)
        common = version >= max(low, self._version_min)
        peer_is_up = self._body[1] & FLAG_UP != 0 and named == self._session
        if self.up and session == self._peer:
            self._hello_due = self._hello_due or not peer_is_up
            return
        if self.up and named != self._session:
            self._asked = session
            self._hello_due = True
            return
        if self.up:
            if session in self._left:
                self.stats.strangers += 1
                return
            self._go_down("peer_reboot", common and len(self._left) < LEFT_MAX)
        self._peer = session
        if not common:
            self._refuse(session)
        elif named == self._session:
            self._go_up(version, size, peer_is_up)
        else:
            self._hello_ms = HELLO_MS
            self._hello_due = True

    def _estrange(self, problem: str) -> None:
        self.stats.forged += 1
        if not self.up and problem not in self._strange:
            self._strange.append(problem)
            self._handler.link_down(problem)

    def _refuse(self, session: bytes) -> None:
        self._hello_ms = HELLO_SLOW_MS
        if session != self._refused_session:
            self._refused_session = session
            self._hello_due = True  # the peer shall know why
            self._handler.link_down("version")

    def _go_up(self, version: int, size: int, peer_is_up: bool) -> None:
        agent, board = self._session, self._peer
        if self._role == BOARD:
            agent, board = board, agent
        self._connection = crc32(agent + board)
        self._tags.connect(agent, board)
        self._connection_low = self._connection & _U16
        self._connection_high = self._connection >> 16
        self._queue.window = self._body[14] | self._body[15] << 8
        self._heard_at = self._said_at = self._now
        self._hello_due = not peer_is_up
        self.up = True
        self.version = version
        self.stats.ups += 1
        info = bytes(self._payload.get(size))[_HELLO_BYTES:]
        self._handler.link_up(version, info)

    def _go_down(self, reason: str, keep_session: bool = False) -> None:
        if keep_session:
            self._left.append(self._peer)
        else:
            self._left.clear()
            self._session = self._fresh()
        self.stats.downs += 1
        self._begin()
        self._handler.link_down(reason)
