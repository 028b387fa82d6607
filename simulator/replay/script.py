"""A trace as a script: for each line what the board said and what the device said to it, for the
link what the agent asked and what the board told."""

from dataclasses import dataclass, field

from edge_agent.technician.trace_bundle import Entry
from protocol.wire import messages
from protocol.wire import trace_entries as te
from protocol.wire.link import LINK_LOST_MS

RESTART_MS = 100
NOT_PLAYED = {
    messages.MAINTAIN,
    messages.UPDATE_BEGIN,
    messages.UPDATE_DATA,
    messages.UPDATE_ACTIVATE,
    messages.UPDATE_STOP,
    messages.UPDATE_STATE,
    messages.UPDATE_SLOT,
    messages.TRACE_OPEN,
    messages.TRACE_READ,
    messages.TRACE_CLOSE,
    messages.TRACE_INFO,
    messages.TRACE_PART,
}
"""What an update, a technician or the recorder itself said."""


@dataclass
class Piece:
    """Bytes of the device, `at_ms` in the trace."""

    at_ms: int
    data: bytearray


@dataclass
class Exchange:
    """One send of the board: `kept` bytes and `masked` more; then what the device said."""

    at_ms: int
    kept: bytes
    masked: int = 0
    replies: list[Piece] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.kept) + self.masked

    def begins_with(self, data: bytes | bytearray) -> bool:
        """Whether `data` may be the beginning of this send."""
        kept = min(len(data), len(self.kept))
        return len(data) <= self.size and data[:kept] == self.kept[:kept]


@dataclass
class LineScript:
    """`before`: what the device said before the first send."""

    before: list[Piece] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """A board message of the trace: its tail is only known by its length."""

    at_ms: int
    kind: int
    fields: tuple[int, ...]
    tail_bytes: int


@dataclass(frozen=True)
class Level:
    """An input of a device changed; `pin` is its name."""

    at_ms: int
    pin: str
    active: bool


def line_script(entries: tuple[Entry, ...], line: int) -> LineScript:
    """What happened on the line of one device."""
    script = LineScript()
    waiting: list[Piece] = []
    last_said: Entry | None = None
    for entry in entries:
        if entry.line != line:
            continue
        if entry.kind == te.SAID:
            script.exchanges.append(Exchange(entry.at_ms, entry.data))
        elif entry.kind == te.SAID_MASKED:
            count = int.from_bytes(entry.data, "little")
            same = last_said is not None and last_said.at_ms == entry.at_ms
            if same and script.exchanges and not script.exchanges[-1].replies:
                script.exchanges[-1].masked += count
            else:
                script.exchanges.append(Exchange(entry.at_ms, b"", count))
        elif entry.kind == te.FILL:
            for piece in waiting:
                piece.data[:] = entry.data * len(piece.data)
            waiting.clear()
        elif entry.kind in (te.HEARD, te.HEARD_MASKED):
            masked = entry.kind == te.HEARD_MASKED
            data = bytes(int.from_bytes(entry.data, "little")) if masked else entry.data
            piece = Piece(entry.at_ms, bytearray(data))
            (script.exchanges[-1].replies if script.exchanges else script.before).append(piece)
            if masked:
                waiting.append(piece)
        last_said = entry if entry.kind == te.SAID else None
    return script


def told(entries: tuple[Entry, ...], kind: int) -> list[Told]:
    """The messages of one direction, MESSAGE_IN or MESSAGE_OUT; those that can be understood."""
    found = []
    for entry in entries:
        if entry.kind != kind or entry.data[0] in NOT_PLAYED or entry.data[0] not in messages.FORMS:
            continue
        head, tail_bytes = entry.data[:-2], int.from_bytes(entry.data[-2:], "little")
        try:
            name, fields, _ = messages.unpack(head + bytes(tail_bytes))
        except messages.MessageError:
            continue
        found.append(Told(entry.at_ms, name, tuple(fields), tail_bytes))
    return found


def levels(entries: tuple[Entry, ...]) -> list[Level]:
    """How the inputs of gate and help button changed."""
    return [
        Level(entry.at_ms, te.PIN_NAMES[entry.data[0]], bool(entry.data[1]))
        for entry in entries
        if entry.kind == te.HEARD and entry.line > te.PIN_LINE and len(entry.data) == 2
        if entry.data[0] < len(te.PIN_NAMES)
    ]


def cuts(entries: tuple[Entry, ...]) -> list[tuple[int, bool]]:
    """(at_ms, whether the agent is there from then on): when the agent fell silent and came back.

    The board calls a link down LINK_LOST_MS after the last word; one that comes up in the same
    moment was the agent's restart.
    """
    found: list[tuple[int, bool]] = []
    marks = [(e.at_ms, e.data[0]) for e in entries if e.kind == te.MARK]
    for at, (at_ms, mark) in enumerate(marks):
        next_ms = marks[at + 1][0] if at + 1 < len(marks) else None
        if mark == te.MARK_DOWN and (next_ms is None or next_ms - at_ms > RESTART_MS):
            found.append((max(0, at_ms - LINK_LOST_MS), False))
        elif mark == te.MARK_UP and found and not found[-1][1]:
            found.append((at_ms, True))
    return found


def covers_start(entries: tuple[Entry, ...]) -> bool:
    """Whether the trace begins with the board's start."""
    return bool(entries) and entries[0].kind == te.MARK and entries[0].data[0] == te.MARK_START
