"""The agent's side of the board link: what the terminal wants from its board, kept until it is so.

The session holds wishes, not messages: the read or scan that is on, the utterance that sounds, the
call for help that rings, the effects that nobody has answered (effect_wishes.py), the cash that is
wanted (cash_wishes.py). After each link up it says them again.

Times are ticks of protocol.wire.ticks. Nothing here blocks, waits or does I/O.
"""

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.core import board_events as bx
from edge_agent.core.cash_wishes import CashWishes
from edge_agent.core.effect_wishes import EffectWishes
from edge_agent.core.scan_text import ScanError, ScanParts
from protocol.wire import messages, states
from protocol.wire import trace_entries as te
from protocol.wire.link import AGENT, Link
from protocol.wire.ticks import add, diff

WINDOW_BYTES = 4096
EVENT_ACKS_MAX = 32
IDLE_MS = 1_000
_COUNT = struct.Struct("<I")
BACKGROUND_BYTES_MAX = 300


@dataclass
class _HelpWish:
    """What the board shall do about a call for help. `since` ticks, None when nobody can tell."""

    number: int
    answered: bool
    since: int | None = None
    sent: bool = False


@dataclass
class _Utterance:
    """`at`: which part sounds; `number`: the utterance number that this part has on the link."""

    say_id: int
    parts: list[bytes]
    volume: int
    speed: int
    number: int
    at: int = 0
    sent: bool = False


class BoardSession:
    """`listener` gets the events of board_events. `entropy(n)`: n random bytes. `pair_key`: what
    this terminal and its board know, None while it has no key."""

    def __init__(
        self,
        entropy: Callable[[int], bytes],
        info: bytes,
        listener: Callable[[bx.BoardEvent], None],
        pair_key: bytes | None = None,
    ) -> None:
        self.trace: Callable[[int, bytes | memoryview], None] = lambda _kind, _data: None
        """Is told every message and mark, by the kinds of protocol.wire.trace_entries."""
        self._listener = listener
        self._link = Link(AGENT, entropy, self, window=WINDOW_BYTES, info=info, pair_key=pair_key)
        self._now = 0
        self._read: tuple[int, int] | None = None
        self._read_sent = False
        self._card_options = self._card_options_sent = 0
        self._stop_read: int | None = None
        self._scan: int | None = None
        self._scan_sent = False
        self._stop_scan: int | None = None
        self._scan_parts = ScanParts()
        self._utterance: _Utterance | None = None
        self._hush = False
        self._utterance_no = 0
        self._acks: deque[int] = deque()
        self._help: _HelpWish | None = None
        self._background: Callable[[int], bytes | None] | None = None
        self.effects = EffectWishes(self._send)
        self.cash = CashWishes(self._send)

    @property
    def up(self) -> bool:
        """Whether the board is there."""
        return bool(self._link.up)

    # ---- bytes and time

    def receive(self, data: bytes, now: int) -> None:
        """Bytes from the line."""
        self._now = now
        self._link.receive(data, len(data), now)

    def pull(self, now: int) -> bytes | None:
        """The next bytes for the line, None when there is nothing to write now."""
        self._now = now
        self._say_wishes()
        frame = self._link.pull(now)
        return bytes(frame) if frame is not None else None

    def tick(self, now: int) -> None:
        """Timers."""
        self._now = now
        self._link.tick(now)
        self.effects.tick(now)

    def deadline_ms(self, now: int) -> int:
        """Milliseconds until `tick` is due."""
        return max(0, min(IDLE_MS, self._link.deadline(now), self.effects.deadline_ms(now)))

    # ---- wishes

    def read_card(self, read_no: int, time_limit_ms: int, options: int = 0) -> None:
        """Read one card; 0 ms waits until one comes or `stop_read`. `options`: a mask of the
        CARD_WITH_ bits."""
        self._card_options = options
        self._read = (read_no & 0xFFFF, min(0xFFFF, -(-time_limit_ms // 100)))
        self._read_sent = False
        self._stop_read = None

    def stop_read(self) -> None:
        """Read no card."""
        if self._read is not None:
            self._stop_read = self._read[0] if self._read_sent else None
            self._read = None

    def scan(self, scan_no: int) -> None:
        """Scan one code; waits until one comes or `stop_scan`."""
        self._scan = scan_no & 0xFFFF
        self._scan_sent = False
        self._stop_scan = None

    def stop_scan(self) -> None:
        """Scan no code."""
        if self._scan is not None:
            self._stop_scan = self._scan if self._scan_sent else None
            self._scan = None

    def say(self, say_id: int, parts: list[bytes], volume: int, speed: int) -> None:
        """Speak encoded parts one after the other; what sounds now is interrupted."""
        self._utterance = _Utterance(say_id, parts, volume, speed, self._next_utterance_no())
        self._hush = False

    def hush(self) -> None:
        """Stop speaking."""
        self._hush = self._utterance is not None
        self._utterance = None

    def ring_help(self, number: int, age_ms: int, now: int) -> None:
        """Ring for this call, and go on with it after a reboot; AGE_UNKNOWN is one of its ages."""
        since = None if age_ms == states.AGE_UNKNOWN else add(now, -age_ms)
        self._help = _HelpWish(number, False, since)

    def answer_help(self, number: int) -> None:
        """Show that this call was answered."""
        self._help = _HelpWish(number, True)

    def forget_help(self) -> None:
        """No call is open: the board hears nothing any more, and ends by itself."""
        self._help = None

    def acknowledge(self, event_no: int) -> None:
        """The board may forget this event. One ack too many comes again with its event."""
        if self.up and len(self._acks) < EVENT_ACKS_MAX:
            self._acks.append(event_no)

    def carry(self, next_message: Callable[[int], bytes | None]) -> None:
        """`next_message(now)` is asked for a message whenever the link has nothing else to do."""
        self._background = next_message

    def _next_utterance_no(self) -> int:
        self._utterance_no = self._utterance_no % 0xFFFF + 1
        return self._utterance_no

    # ---- sending

    def _say_wishes(self) -> None:
        if self._link.up:
            _ = (
                self._send_reads()
                and self._send_scans()
                and self.effects.say(self._now)
                and self._send_speech()
                and self.cash.say()
                and self._send_help()
                and self._send_acks()
                and self._send_background()
            )

    def _send(self, kind: int, *fields: int, tail: bytes = b"") -> bool:
        return self._put(messages.pack(kind, *fields, tail=tail))

    def _put(self, message: bytes) -> bool:
        if not self._link.send(message):
            return False
        self.trace(te.MESSAGE_OUT, message)
        return True

    def _send_reads(self) -> bool:
        if self._stop_read is not None:
            if not self._send(messages.READ_STOP, self._stop_read):
                return False
            self._stop_read = None
        if self._read is not None and not self._read_sent:
            if self._card_options_sent != self._card_options:
                if not self._send(messages.CARD_OPTIONS, self._card_options):
                    return False
                self._card_options_sent = self._card_options
            self._read_sent = self._send(messages.READ_CARD, *self._read)
            return self._read_sent
        return True

    def _send_scans(self) -> bool:
        if self._stop_scan is not None:
            if not self._send(messages.SCAN_STOP, self._stop_scan):
                return False
            self._stop_scan = None
        if self._scan is not None and not self._scan_sent:
            self._scan_sent = self._send(messages.SCAN_START, self._scan, 0)
            return self._scan_sent
        return True

    def _send_speech(self) -> bool:
        if self._hush:
            if not self._send(messages.HUSH):
                return False
            self._hush = False
        spoken = self._utterance
        if spoken is None or spoken.sent:
            return True
        head = (spoken.number, spoken.volume, spoken.speed)
        spoken.sent = self._send(messages.SAY, *head, tail=spoken.parts[spoken.at])
        return spoken.sent

    def _send_help(self) -> bool:
        wish = self._help
        if wish is None or wish.sent:
            return True
        if wish.answered:
            wish.sent = self._send(messages.HELP_ANSWER, wish.number)
        else:
            age_ms = states.AGE_UNKNOWN if wish.since is None else diff(self._now, wish.since)
            wish.sent = self._send(messages.HELP_RING, wish.number, age_ms)
        return wish.sent

    def _send_acks(self) -> bool:
        while self._acks:
            if not self._send(messages.EVENT_ACK, self._acks[0]):
                return False
            self._acks.popleft()
        return True

    def _send_background(self) -> bool:
        """What can wait goes out when nothing else waits; little of it is ever on its way."""
        if self._background is None or self._link.queued_bytes > BACKGROUND_BYTES_MAX:
            return False
        message = self._background(self._now)
        return message is not None and self._put(message)

    # ---- what the link reports

    def link_up(self, version: int, info: bytes) -> None:
        """Called by the link."""
        self.trace(te.MARK, bytes((te.MARK_UP,)))
        self._read_sent = False
        self._card_options_sent = 0  # a board forgets them with the link
        self._stop_read = None
        self._scan_sent = False
        self._stop_scan = None
        self._hush = False
        self._acks.clear()  # what was not acknowledged comes again
        if self._utterance is not None:
            self._utterance.sent = False
        if self._help is not None:
            self._help.sent = False
        self.cash.link_up()
        self.effects.link_up()
        self._listener(bx.LinkUp(version, parse_info(bytes(info))))

    def link_down(self, reason: str) -> None:
        """Called by the link."""
        self.trace(te.MARK, bytes((te.MARK_DOWN,)))
        self._listener(bx.LinkDown(reason))

    def link_message(self, view: memoryview) -> None:
        """Called by the link for every message of the board."""
        self.trace(te.MESSAGE_IN, view)
        try:
            kind, fields, tail = messages.unpack(view)
        except messages.MessageError as error:
            self._listener(bx.BoardTrouble(f"board message refused: {error}"))
            return
        if kind == messages.EFFECT_RESULT:
            if self.effects.ended(*fields):
                self._listener(bx.EffectResult(*fields))
        elif kind == messages.SPEECH:
            self._on_speech(*fields)
        elif kind == messages.CARD:
            self._listener(bx.Card(fields[0], bytes(tail)))
            self._end_read(fields[0])
        elif kind == messages.CARD_ADDRESS:
            self._listener(bx.CardAddress(fields[0], fields[1], bytes(tail)))
        elif kind == messages.CARD_FOUND:
            self._listener(bx.CardFound(*fields))
        elif kind == messages.CARD_FAULT:
            self._listener(bx.CardFault(*fields))
        elif kind == messages.CARD_REMOVED:
            self._listener(bx.CardRemoved(*fields))
        elif kind == messages.SCAN:
            self._on_scan(bytes(tail), *fields)
        elif kind == messages.SCAN_FAULT:
            self._listener(bx.ScanFault(*fields))
        elif kind == messages.EVENT:
            self._listener(bx.Happened(fields[0], fields[1], fields[2], bytes(tail)))
        elif kind == messages.DEVICE:
            self._listener(bx.Device(*fields))
        elif kind == messages.COUNTERS:
            counts = tuple(value for (value,) in _COUNT.iter_unpack(tail[: len(tail) // 4 * 4]))
            self._listener(bx.Counted(fields[0], counts))
        elif kind == messages.CASH_NOTE:
            self.cash.ended(fields[0], fields[3])
            self._listener(bx.CashNote(*fields))
        elif kind == messages.CASH_STATE:
            self._listener(bx.CashState(*fields[:2]))
        elif kind == messages.CASH_REJECTED:
            self._listener(bx.CashRejected(*fields))
        elif kind == messages.UPDATE_STATE:
            self._listener(bx.UpdateState(*fields))
        elif kind == messages.UPDATE_SLOT:
            self._listener(bx.UpdateSlot(*fields))
        else:
            self._listener(bx.BoardTrouble(f"board sent an agent's message 0x{kind:02X}"))

    def _on_scan(self, part: bytes, scan_no: int, offset: int, total: int) -> None:
        try:
            code = self._scan_parts.add(scan_no, offset, total, part)
        except ScanError as error:
            self._listener(bx.BoardTrouble(f"board message refused: {error}"))
            return
        if code is not None:
            if self._scan == scan_no:  # over: it is not asked for again after a link up
                self._scan = None
            self._listener(bx.Scanned(scan_no, code))

    def _end_read(self, read_no: int) -> None:
        """A read is over with its card; it is not asked for again after a link up."""
        if self._read is not None and self._read[0] == read_no:
            self._read = None

    def _on_speech(self, number: int, state: int) -> None:
        spoken = self._utterance
        if spoken is None or number != spoken.number or state == states.SPEECH_STARTED:
            return
        finished = state == states.SPEECH_FINISHED
        if finished and spoken.at + 1 < len(spoken.parts):
            spoken.at += 1
            spoken.sent = False
            spoken.number = self._next_utterance_no()
            return
        self._utterance = None
        self._listener(bx.SpeechEnded(spoken.say_id, finished))


def parse_info(info: bytes) -> dict[str, str]:
    """`key=value` lines of a HELLO; lines of another form are left out."""
    lines = info.decode("utf-8", "replace").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key.strip(): value.strip() for key, value in pairs}
