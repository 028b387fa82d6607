"""A speech module (SYN6288, XFS5152 and their like): one utterance speaks, at most one waits; a new
one interrupts. `frames` is the module's own: syn6288_frames, xfs5152_frames.

One command is out at a time. `waiting` says for what the driver waits; `speaking` is the utterance
that sounds.

| waiting | byte | next | does |
| --- | --- | --- | --- |
| SPEAK | 41 | NOTHING | older utterance INTERRUPTED, this one STARTED |
| SETTINGS | 41 | NOTHING | the text goes next, SETTLE_MS later |
| STOP | 41 | NOTHING | speaking one INTERRUPTED |
| QUERY | 41 | ANSWER | |
| SPEAK, SETTINGS, STOP, QUERY | 45 | same | send again |
| the same | late, a module that must be woken | WAKE | |
| the same | late, any other module | same | send again |
| WAKE | any answer, SETTLE_MS later; or late | what was late | send again |
| the same | 45 for TRIES_MAX | NOTHING | utterance FAILED |
| the same | late for TRIES_MAX | NOTHING | utterance FAILED, OFFLINE |
| ANSWER | 4E | NOTHING | it does speak |
| ANSWER | 4F | NOTHING | speaking one FINISHED |
| ANSWER | late | QUERY | as above |
| NOTHING | 4F, speaking for EARLY_MS or longer | NOTHING | FINISHED |
| NOTHING | 4F, speaking for less | QUERY | it may be the end of what was interrupted: ask |
| any other | 4F | same | the end of what spoke before: FINISHED; never taken for an answer |
| any | 4A | same, sent again | the module has reset: speaking one FAILED, ONLINE |

| NOTHING, and | next |
| --- | --- |
| hush is wanted and something speaks | STOP |
| an utterance waits | SPEAK, or SETTINGS first when tags and text exceed one frame |
| SPEAK_CHECK_MS (speaking), IDLE_CHECK_MS or OFFLINE_CHECK_MS are over | QUERY |
| speaking for SPEECH_MS_MAX | STOP, FAILED |
"""

from firmware.drivers.sender import Sender
from protocol.wire import states
from protocol.wire.messages import SPEECH
from protocol.wire.ticks import add, diff

ANSWER_MS_MAX = 300  # after the frame's own time on the line
BETWEEN_FRAMES_MS = 20  # datasheet: more than 8 between frames, 16 after a reset
SETTLE_MS = 100
EARLY_MS = 60
TRIES_MAX = 4
SPEAK_CHECK_MS = 5000
IDLE_CHECK_MS = 10_000
OFFLINE_CHECK_MS = 2000
SPEECH_MS_MAX = 120_000
_TRACED_BYTES = 5  # of a frame: head, command, parameter; what follows is said to a person
_BITS_A_BYTE_S = 10_000  # 8N1, in thousandths

STARTED_UP = 0x4A
ACCEPTED = 0x41
REJECTED = 0x45
SPEAKING = 0x4E
IDLE = 0x4F

NOTHING = 0
SPEAK = 1
SETTINGS = 2
STOP = 3
QUERY = 4
WAKE = 5
ANSWER = 6


class Voice:
    """`emit(SPEECH, utterance_no, state)`; `report(state, detail)`. `encoding`: the character set
    of the texts, as the module counts them.
    """

    def __init__(self, port, emit, report, now, *, frames, baud, encoding):
        self._frames = frames
        self._stop = memoryview(frames.STOP)
        self._query = memoryview(frames.QUERY)
        self._wake = memoryview(frames.WAKE)
        self.counts = [0, 0, 0]  # spoken, interrupted, failed
        self._emit = emit
        self._report = report
        self._baud = baud
        self._encoding = encoding
        self._sender = Sender(port)
        self._frame = bytearray(frames.FRAME_MAX)
        self._frame_bytes = 0
        self._text = bytearray(frames.TEXT_MAX)
        self._text_bytes = 0
        self._next = None  # utterance whose text waits in _text
        self._sent = None  # utterance of the frame that is out
        self._speaking = None
        self._since = now  # speaking since
        self._settings = b""
        self._settings_at_module = None
        self._waiting = NOTHING
        self._command = NOTHING  # the one that is out, also while the module is woken for it
        self._late = now
        self._free_at = now
        self._check_at = now
        self._tries = 0
        self._hush = False
        self._heard = False  # anything since the command went out

    def say(self, utterance_no, volume, speed, text, now):
        """Speak `text` (bytes, encoded for the module). What speaks or waits is INTERRUPTED."""
        self._drop_next()
        if not 0 < len(text) <= self._frames.TEXT_MAX:
            self._ended(utterance_no, states.SPEECH_FAILED)
            return
        self._hush = False
        self._text[: len(text)] = text
        self._text_bytes = len(text)
        self._settings = self._frames.settings(volume, speed, self._encoding)
        self._next = utterance_no

    def hush(self):
        """Silence; what waits is never spoken."""
        self._drop_next()
        self._hush = True

    def feed(self, buf, n, now):
        for at in range(n):
            byte = buf[at]
            if byte == ACCEPTED:
                self._on_accepted(now)
            elif byte == REJECTED:
                self._on_rejected(now)
            elif byte == IDLE:
                self._on_idle(now)
            elif byte == STARTED_UP:
                self._on_started_up(now)
            elif byte == SPEAKING and self._waiting == ANSWER:
                self._done(now)

    def tick(self, now):
        self._sender.pump()
        if self._waiting != NOTHING:
            if diff(now, self._late) >= 0:
                self._try_again(now)
        elif diff(now, self._free_at) >= 0:
            self._begin(now)

    def deadline(self, now):
        """Milliseconds until `tick` has work, at least 0."""
        if self._waiting != NOTHING:
            return max(0, diff(self._late, now))
        wanted = self._next is not None or self._hush
        return max(0, diff(self._free_at if wanted else self._check_at, now))

    def _begin(self, now):
        if self._hush:
            self._hush = False
            if self._speaking is not None:
                self._send(STOP, now)
        elif self._next is not None:
            self._begin_to_speak(now)
        elif self._speaking is not None and diff(now, self._since) >= SPEECH_MS_MAX:
            self._end(states.SPEECH_FAILED, now)
            self._send(STOP, now)
        elif diff(now, self._check_at) >= 0:
            self._send(QUERY, now)

    def _begin_to_speak(self, now):
        text = memoryview(self._text)[: self._text_bytes]
        if len(self._settings) + self._text_bytes <= self._frames.TEXT_MAX:
            self._build(self._settings, text)
        elif self._settings_at_module != self._settings:
            self._build(self._settings, b"")
            self._send(SETTINGS, now)
            return
        else:
            self._build(text, b"")
        self._sent, self._next = self._next, None
        self._send(SPEAK, now)

    def _build(self, first, second):
        self._frame_bytes = self._frames.build_speak(self._frame, first, second, self._encoding)

    def _send(self, command, now):
        self._tries = 0
        self._command = command
        self._put_out(command, now)

    def _put_out(self, waiting, now):
        self._waiting = waiting
        self._heard = False
        if waiting == STOP:
            data = self._stop
        elif waiting == QUERY:
            data = self._query
        elif waiting == WAKE:
            data = self._wake
        else:
            data = memoryview(self._frame)[: self._frame_bytes]
        self._late = add(now, len(data) * _BITS_A_BYTE_S // self._baud + ANSWER_MS_MAX)
        self._sender.send(data, _TRACED_BYTES)

    def _on_accepted(self, now):
        waiting = self._waiting
        if waiting == QUERY:
            self._waiting = ANSWER
            self._late = add(now, ANSWER_MS_MAX)
            return
        if waiting == WAKE:
            self._late = add(now, SETTLE_MS)
            return
        if not NOTHING < waiting < ANSWER:
            return
        self._done(now)
        if waiting == SETTINGS:
            self._interrupt(now)
            self._settings_at_module = self._settings
            self._free_at = add(now, SETTLE_MS)
        elif waiting == STOP:
            self._interrupt(now)
        else:
            self._interrupt(now)
            self._settings_at_module = self._settings if self._next is None else None
            self._speaking, self._sent = self._sent, None
            self._since = now
            self._check_at = add(now, SPEAK_CHECK_MS)
            self._emit(SPEECH, self._speaking, states.SPEECH_STARTED)

    def _on_rejected(self, now):
        if self._waiting == WAKE:  # it was awake
            self._late = add(now, SETTLE_MS)
        elif NOTHING < self._waiting < ANSWER:
            self._heard = True
            self._waiting_again(now)

    def _waiting_again(self, now):
        """Send again, not before the module may take a frame, and later each time."""
        self._late = add(now, BETWEEN_FRAMES_MS << self._tries)

    def _on_idle(self, now):
        if self._waiting == ANSWER:
            self._done(now)
            self._end(states.SPEECH_FINISHED, now)
        elif (
            self._waiting == NOTHING
            and self._speaking is not None
            and diff(now, self._since) < EARLY_MS
        ):
            self._check_at = now
        else:
            self._end(states.SPEECH_FINISHED, now)

    def _on_started_up(self, now):
        self._settings_at_module = None
        self._end(states.SPEECH_FAILED, now)
        self._report(states.ONLINE, 0)
        if self._waiting != NOTHING:
            self._waiting = self._command
            self._heard = True
            self._waiting_again(now)

    def _try_again(self, now):
        woken = self._waiting == WAKE
        self._tries += 0 if woken else 1
        if self._tries < TRIES_MAX:
            wakes = len(self._wake) and not woken and not self._heard
            self._put_out(WAKE if wakes else self._command, now)
            return
        self._waiting = NOTHING
        self._sender.drop()
        if self._command == SETTINGS:
            self._sent, self._next = self._next, None
        if self._sent is not None:
            self._ended(self._sent, states.SPEECH_FAILED)
            self._sent = None
        self._settings_at_module = None
        self._free_at = add(now, BETWEEN_FRAMES_MS)
        self._check_at = add(now, OFFLINE_CHECK_MS)
        if not self._heard:
            self._end(states.SPEECH_FAILED, now)
            self._report(states.OFFLINE, 0)

    def _done(self, now):
        """The command that was out is answered."""
        self._waiting = NOTHING
        self._free_at = add(now, BETWEEN_FRAMES_MS)
        self._check_at = add(now, IDLE_CHECK_MS if self._speaking is None else SPEAK_CHECK_MS)
        self._report(states.ONLINE, 0)

    def _interrupt(self, now):
        self._end(states.SPEECH_INTERRUPTED, now)

    def _end(self, state, now):
        if self._speaking is not None:
            self._ended(self._speaking, state)
            self._speaking = None
            self._check_at = add(now, IDLE_CHECK_MS)

    def _ended(self, utterance_no, state):
        self.counts[state - states.SPEECH_FINISHED] += 1
        self._emit(SPEECH, utterance_no, state)

    def _drop_next(self):
        if self._next is not None:
            self._ended(self._next, states.SPEECH_INTERRUPTED)
            self._next = None


def build(host, part):
    """The driver of a board's speech module; its frames are those of its model."""
    frames = __import__("firmware.drivers." + part["model"] + "_frames", None, None, ("STOP",))
    return Voice(
        host.port,
        host.emit,
        host.report,
        host.now,
        frames=frames,
        baud=part["baud"],
        encoding=part["encoding"],
    )
