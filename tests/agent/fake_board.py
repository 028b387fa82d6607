"""A board at the other end of the link, in memory: the rules of effects and events, no devices.

It journals like a board: what an effect became survives `reboot()`, what had begun is UNKNOWN.
"""

import random
import struct
from collections import deque
from collections.abc import Callable

from edge_agent.core.board_session import BoardSession
from protocol.wire import messages, states
from protocol.wire.link import BOARD, Link

WINDOW_BYTES = 2048


class FakeBoard:
    """`slow` effects stay begun until `finish()`; `on_message(kind)` is told before it obeys."""

    def __init__(self, pair_key: bytes | None = None) -> None:
        self.pair_key = pair_key
        self._draw = random.Random(1000)
        self.journal: dict[int, int] = {}  # id -> outcome, 0 begun
        self.done: list[tuple[str, int]] = []  # what citizens would see, once each
        self.slips: list[bytes] = []
        self.events: dict[int, tuple[int, int]] = {}
        self.read: tuple[int, int] | None = None
        self.scan: int | None = None
        self.said: list[bytes] = []
        self.hushed = 0
        self.wired = "lamp,bell,answer"
        self.more_info = ""
        self.loudness: list[tuple[int, ...]] = []  # SAY: volume, speed
        self.rung: list[tuple[int, int]] = []  # HELP_RING: number, age
        self.shown_answered: list[int] = []  # HELP_ANSWER
        self.event_tails: dict[int, bytes] = {}
        self.slow = False
        self.cash = (0, 0)  # session, mask that is open
        self.notes: dict[int, list[int]] = {}  # note -> session, yuan, state
        self.acked: list[int] = []
        self.holds_cash = False  # STACK is heard, and nothing moves until `move_note`
        self.on_message: Callable[[int], None] = lambda _kind: None
        self.silent = False
        self.outcomes = {messages.PRINT_RUN: states.DONE, messages.PULSE: states.DONE}
        self._boot()

    def _boot(self) -> None:
        info = f"firmware=test\nid=fa4e\nhelp={self.wired}\n{self.more_info}".encode()
        entropy = self._draw.randbytes
        self.link = Link(
            BOARD, entropy, self, window=WINDOW_BYTES, info=info, pair_key=self.pair_key
        )
        self._job = bytearray()
        self._job_id = 0
        self._out: deque[bytes] = deque()

    def insert(self, yuan: int) -> int:
        """A note is put in; its number, 0 when the slot does not take it."""
        session, mask = self.cash
        if not mask >> states.NOTE_YUAN.index(yuan) & 1:
            if session:
                self.send(messages.CASH_REJECTED, session, 0)
            return 0
        number = (77 << 32) + len(self.notes) + 1
        self.notes[number] = [session, yuan, states.NOTE_ESCROW]
        self._tell_note(number)
        return number

    def move_note(self, number: int, state: int) -> None:
        if self.notes[number][2] == states.NOTE_ESCROW:
            self.notes[number][2] = state
        self._tell_note(number)

    def _tell_note(self, number: int) -> None:
        session, yuan, state = self.notes[number]
        place = states.PLACE_PATH if state == states.NOTE_CASE else 0
        self.send(messages.CASH_NOTE, number, session, yuan, state, place, 0)

    def _close_cash(self) -> None:
        self.cash = (0, 0)
        for number, note in self.notes.items():
            if note[2] == states.NOTE_ESCROW and not self.holds_cash:
                self.move_note(number, states.NOTE_RETURNED)

    def reboot(self) -> None:
        self._close_cash()
        self.journal = {k: v or states.UNKNOWN for k, v in self.journal.items()}
        self.read = self.scan = None
        self._boot()

    def press_help(self, event_no: int, age_ms: int = 5) -> None:
        self.events[event_no] = (states.HELP_PRESSED, age_ms)
        self._tell_event(event_no)

    def answer_at_desk(self, event_no: int, of: int, wait_ms: int, age_ms: int = 5) -> None:
        self.events[event_no] = (states.HELP_ANSWERED, age_ms)
        self.event_tails[event_no] = struct.pack("<II", of, wait_ms)
        self._tell_event(event_no)

    def send(self, kind: int, *fields: int, tail: bytes = b"") -> None:
        self._out.append(messages.pack(kind, *fields, tail=tail))

    def place_card(self, block: bytes) -> bool:
        if self.read is None:
            return False
        self.send(
            messages.CARD, self.read[0], block[248] if block[248] in b"IJ" else 67, tail=block
        )
        self.read = None
        return True

    def show_code(self, code: bytes, part_bytes: int = messages.SCAN_PART_BYTES_MAX) -> bool:
        if self.scan is None:
            return False
        for at in range(0, len(code), part_bytes):
            part = code[at : at + part_bytes]
            self.send(messages.SCAN, self.scan, at, len(code), tail=part)
        self.scan = None
        return True

    def finish(self, effect_id: int, outcome: int = states.DONE) -> None:
        self.journal[effect_id] = outcome
        self.send(messages.EFFECT_RESULT, effect_id, outcome, 0)

    def pull(self, now: int) -> bytes | None:
        while self._out and self.link.send(self._out[0]):
            self._out.popleft()
        return self.link.pull(now)

    # ---- link handler

    def link_up(self, version: int, info: bytes) -> None:
        self._out.clear()
        for device in range(1, states.DEVICE_COUNT + 1):
            self.send(messages.DEVICE, device, states.ONLINE, 0)
        for event_no in self.events:
            self._tell_event(event_no)
        for number in self.notes:
            if number not in self.acked:
                self._tell_note(number)

    def link_down(self, reason: str) -> None:
        self._out.clear()

    def link_message(self, view: memoryview) -> None:
        kind, fields, tail = messages.unpack(view)
        self.on_message(kind)
        if kind == messages.READ_CARD:
            self.read = fields  # type: ignore[assignment]
        elif kind == messages.READ_STOP:
            self.read = None
        elif kind == messages.SCAN_START:
            self.scan = fields[0]
        elif kind == messages.SCAN_STOP:
            self.scan = None
        elif kind == messages.SAY:
            self.said.append(bytes(tail))
            self.loudness.append(fields[1:])
            if not self.silent:
                self.send(messages.SPEECH, fields[0], states.SPEECH_STARTED)
                self.send(messages.SPEECH, fields[0], states.SPEECH_FINISHED)
        elif kind == messages.HUSH:
            self.hushed += 1
        elif kind == messages.PRINT_DATA:
            self._take_chunk(fields, bytes(tail))
        elif kind in (messages.PRINT_RUN, messages.PULSE):
            self._do(kind, fields[0])
        elif kind == messages.EFFECT_QUERY:
            if self.journal.get(fields[0]) != 0:
                outcome = self.journal.get(fields[0], states.NEVER_SEEN)
                self.send(messages.EFFECT_RESULT, fields[0], outcome, 0)
        elif kind == messages.HELP_RING:
            self.rung.append(fields)  # type: ignore[arg-type]
        elif kind == messages.HELP_ANSWER:
            self.shown_answered.append(fields[0])
        elif kind == messages.CASH_ACCEPT:
            self._accept(*fields)
        elif kind in (messages.CASH_STACK, messages.CASH_RETURN) and not self.holds_cash:
            stacked = kind == messages.CASH_STACK
            self.move_note(fields[0], states.NOTE_STACKED if stacked else states.NOTE_RETURNED)
        elif kind == messages.CASH_ACK:
            self.acked.append(fields[0])
        elif kind == messages.EVENT_ACK:
            self.events.pop(fields[0], None)

    def _accept(self, session: int, mask: int) -> None:
        if mask:
            self.cash = (session, mask)
        elif session == self.cash[0]:
            self._close_cash()
        state = states.CASH_OPEN if mask else states.CASH_CLOSED
        self.send(messages.CASH_STATE, session, state, mask)

    def _take_chunk(self, fields: tuple[int, ...], chunk: bytes) -> None:
        if fields[1] == 0:
            self._job, self._job_id = bytearray(), fields[0]
        assert fields == (self._job_id, len(self._job)), "chunks out of order"
        self._job += chunk

    def _do(self, kind: int, effect_id: int) -> None:
        if effect_id in self.journal:
            if self.journal[effect_id]:
                self.send(messages.EFFECT_RESULT, effect_id, self.journal[effect_id], 0)
            return
        self.journal[effect_id] = 0
        outcome = self.outcomes[kind]
        if outcome != states.NOT_DONE:
            self.done.append(("print" if kind == messages.PRINT_RUN else "pulse", effect_id))
        if kind == messages.PRINT_RUN:
            self.slips.append(bytes(self._job))
        if not self.slow:
            self.finish(effect_id, outcome)

    def _tell_event(self, event_no: int) -> None:
        tail = self.event_tails.get(event_no, b"")
        self.send(messages.EVENT, event_no, *self.events[event_no], tail=tail)


class Wire:
    """Carries frames both ways in steps of 20 ms; loses and doubles some, by one seed."""

    def __init__(
        self, session: BoardSession, board: FakeBoard, loss: float = 0.0, seed: int = 1
    ) -> None:
        self.session = session
        self.board = board
        self.loss = loss
        self.cut = False
        self.now = 0
        self._draw = random.Random(seed)

    def run(self, ms: int) -> None:
        for _ in range(ms // 20):
            self.now += 20
            self.session.tick(self.now)
            self.board.link.tick(self.now)
            while (frame := self.session.pull(self.now)) is not None:
                for data in self._weather(frame):
                    self.board.link.receive(data, len(data), self.now)
            while (frame := self.board.pull(self.now)) is not None:
                for data in self._weather(frame):
                    self.session.receive(data, self.now)

    def _weather(self, frame: bytes) -> list[bytes]:
        if self.cut or self._draw.random() < self.loss:
            return []
        return [frame, frame] if self._draw.random() < self.loss else [frame]
