"""Thermal receipt printer, ESC/POS, as bytes on a serial line.

Bytes go into the receive buffer; the engine takes one command after the other, each needs its time
and has its effect at the end of it. Offline, the engine stands still and the buffer goes on
filling: what is in it is printed when the printer comes back, for whoever stands there then.

| state | event | next | does |
| --- | --- | --- | --- |
| ONLINE | command in the buffer | ONLINE | prints, feeds, cuts, answers in order |
| ONLINE | no paper, cover open, hot, broken | OFFLINE | the command at work begins anew later |
| ONLINE | cut with a jam | JAMMED | the cut waits |
| OFFLINE | cause gone | ONLINE | goes on with the buffer |
| JAMMED | DLE ENQ 1 / DLE ENQ 2 | ONLINE | cuts again / drops buffers |
| any | DLE EOT n | same | answers at once, wherever the three bytes stand, also inside data |
| any | DLE DC4 8 .. | same | drops buffers, answers 37 25 00 |
| any | power off | off | buffers, modes and automatic status are lost, the paper stays |

Sources: Epson ESC/POS command reference; TM programming manuals for real-time commands.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.devices.escpos_commands import Engine
from simulator.devices.escpos_lexer import CONTROL, TEXT, Command, Lexer
from simulator.devices.escpos_status import Status
from simulator.devices.faults import Fault
from simulator.devices.paper import Paper, Slip
from simulator.devices.uart import COMMON_FAULTS, UartDevice

BUFFER_BYTES = 4096
SLIPS_KEPT_MAX = 50_000
CLEAR_BUFFERS = bytes.fromhex("10140801031401060208")
CLEAR_RESPONSE = bytes.fromhex("372500")
REAL_TIME_BYTES = len(CLEAR_BUFFERS)


@dataclass(frozen=True)
class PrinterTiming:
    """`line_ms` is for a line of single height (30 dots); other feeds in proportion."""

    line_ms: float = 20
    cut_ms: float = 250
    lines_until_out: int = 2
    """Lines that still print after `paper_out_mid_job` is switched on."""


PROFILES: Mapping[str, Mapping[str, Any]] = {
    "escpos": {},
    "escpos58": {"columns": 32},
    "clone80": {"process_id": False, "gs_sizes_chinese": False},
    "clone58": {"columns": 32, "process_id": False, "gs_sizes_chinese": False},
}
"""What the usual models are made with: `EscposPrinter(**PROFILES[name])`."""


class EscposPrinter(UartDevice):
    """The printer. People use `take_slip()`, `tear_off()`, `change_roll()`, cover and power."""

    FAULTS: ClassVar = {
        **COMMON_FAULTS,
        "paper_low": Fault("the near-end sensor sees little paper", condition=True),
        "paper_out": Fault("no paper; change_roll() or remove() ends it", condition=True),
        "paper_out_mid_job": Fault("the roll ends after a few more lines: paper_out follows"),
        "cover_open": Fault("the cover is open", condition=True),
        "cutter_jam": Fault("the next cut jams; DLE ENQ, clear_jam() or power ends the error"),
        "head_hot": Fault("the print head is too hot: auto-recoverable error", condition=True),
        "broken": Fault("unrecoverable error", condition=True),
        "no_process_id": Fault("GS ( H is skipped, as by most clones", condition=True),
        "process_id_lost": Fault("a process ID response is lost on the line"),
        "no_buffer_clear": Fault("DLE DC4 8 is not known, as by most clones", condition=True),
        "unknown_as_text": Fault("GS ( H comes out as characters: a crude clone", condition=True),
        "no_near_end_sensor": Fault("paper low is never reported", condition=True),
        "chinese_size_ignored": Fault("GS ! does not change Chinese characters", condition=True),
        "noise_before_reply": Fault("one noise byte comes before a reply"),
        "slow": Fault("printing a line takes ten times longer", condition=True),
    }

    def __init__(
        self,
        *,
        rng: random.Random | None = None,
        timing: PrinterTiming | None = None,
        baud: int = 115200,
        buffer_bytes: int = BUFFER_BYTES,
        columns: int = 48,
        chinese_at_start: bool = True,
        process_id: bool = True,
        gs_sizes_chinese: bool = True,
    ) -> None:
        super().__init__(baud, rng)
        self.timing = timing if timing is not None else PrinterTiming()
        self.paper = Paper(columns, chinese_at_start)
        self.slips: list[Slip] = []
        self.taken = 0
        self.bytes_overrun = 0
        """Bytes that came while the receive buffer was full."""
        self._engine = Engine(self.paper, self._reply_queued, self._end_slip)
        self._lexer = Lexer()
        self._buffer = bytearray()
        self._buffer_bytes = buffer_bytes
        self._recent = b""
        self._job: Command | None = None
        self._due_ms = 0.0
        self._free_ms = 0.0
        self._jammed = False
        self._lines_left: int | None = None
        self._status = Status()
        if not process_id:
            self.faults.add("no_process_id")
        if not gs_sizes_chinese:
            self.faults.add("chinese_size_ignored")

    @property
    def status(self) -> Status:
        """What the sensors say now."""
        return Status(
            cover_open="cover_open" in self.faults,
            paper_low="paper_low" in self.faults,
            paper_out="paper_out" in self.faults,
            cutter_jam=self._jammed,
            head_hot="head_hot" in self.faults,
            broken="broken" in self.faults,
            near_end_sensor="no_near_end_sensor" not in self.faults,
        )

    @property
    def buffered_bytes(self) -> int:
        """Bytes received and not worked on yet."""
        return len(self._buffer)

    @property
    def ready(self) -> bool:
        """The DTR line: online and room in the receive buffer."""
        return not self.status.offline and len(self._buffer) < self._buffer_bytes

    # --- what people do

    def take_slip(self) -> Slip | None:
        """The next slip that lies in the outlet, oldest first; None when there is none."""
        if self.taken >= len(self.slips):
            return None
        self.taken += 1
        return self.slips[self.taken - 1]

    def tear_off(self) -> None:
        """Tear off what hangs out uncut, if anything does; `take_slip()` gives it."""
        self._end_slip("torn", self._now_ms)

    def change_roll(self) -> None:
        """Put a new roll in. What was printed on the old one comes off with it."""
        if self.paper.has_content:
            self.paper.blame("roll_end")
            self._end_slip("roll_end", self._now_ms)
            if self._buffer or self._job is not None or self._lexer.is_inside:
                self.paper.blame("continued")
        self._lines_left = None
        for name in ("paper_low", "paper_out", "paper_out_mid_job"):
            self.faults.remove(name)

    def open_cover(self) -> None:
        """Open the cover."""
        self.faults.add("cover_open")

    def close_cover(self) -> None:
        """Close the cover."""
        self.faults.remove("cover_open")

    def clear_jam(self) -> None:
        """Take the paper out of the cutter; the printer goes on."""
        self.faults.remove("cutter_jam")
        self._jammed = False
        self._woken()

    # --- the line

    def _byte(self, byte: int, now_ms: float) -> None:
        starved = self._job is None and not self._buffer
        if len(self._buffer) < self._buffer_bytes:
            self._buffer.append(byte)
        else:
            self.bytes_overrun += 1
            self.paper.blame("buffer_overrun")
        if self._real_time(byte, now_ms):
            return
        if starved:
            self._free_ms = max(self._free_ms, now_ms)
        self._run(now_ms)

    def _real_time(self, byte: int, now_ms: float) -> bool:
        """Act on a real-time command that `byte` completes; True when buffers were dropped."""
        self._recent = (self._recent + bytes((byte,)))[-REAL_TIME_BYTES:]
        asked = self._recent[-3:-1]
        if asked == b"\x10\x04" and 1 <= byte <= 5:
            self._reply(self.status.real_time(byte), now_ms)
        elif asked == b"\x10\x05" and byte in (1, 2) and self._jammed:
            self._jammed = False
            if byte == 2:
                self._drop_buffers()
            self._follow_status(now_ms)
            return byte == 2
        elif self._recent == CLEAR_BUFFERS and "no_buffer_clear" not in self.faults:
            self._drop_buffers()
            self._reply(CLEAR_RESPONSE, now_ms)
            return True
        return False

    def _drop_buffers(self) -> None:
        if self.paper.has_content:
            self.paper.blame("cleared")
        self._buffer.clear()
        self._lexer.clear()
        self._job = None
        self.paper.clear_line()

    def _reply(self, data: bytes, at_ms: float) -> None:
        if self.faults.take("noise_before_reply"):
            data = bytes((self.rng.choice((0x00, 0xFF)),)) + data
        self._send(data, at_ms)

    def _reply_queued(self, command: str, data: bytes, at_ms: float) -> None:
        """An answer that stood in the stream among the data."""
        if command == "process_id" and self.faults.take("process_id_lost"):
            return
        self._reply(data, at_ms)

    # --- the engine

    def _tick(self, now_ms: float) -> None:
        self._follow_status(now_ms)
        self._run(now_ms)

    def _follow_status(self, now_ms: float) -> None:
        """Report changes of the sensors and stop or restart the engine with them."""
        status, before = self.status, self._status
        if status == before:
            return
        self._status = status
        if before.offline and not status.offline:
            self._free_ms = now_ms
            if self._job is not None:
                self._due_ms = now_ms + self._cost_ms(self._job)
        if status.offline and not before.offline:
            if self.paper.has_content:
                self.paper.blame(self._why(status))
            if self._engine.offline_response:
                cause = status.offline_cause() if self._engine.offline_response == 2 else b""
                self._reply(b"\x37\x23" + cause + b"\x00", now_ms)
        if status.differs(before, self._engine.automatic_mask):
            self._reply(status.automatic(), now_ms)

    @staticmethod
    def _why(status: Status) -> str:
        causes = ("paper_out", "cover_open", "cutter_jam", "head_hot", "broken")
        return next(cause for cause in causes if getattr(status, cause))

    def _run(self, now_ms: float) -> None:
        """Work until the buffer is empty, the printer offline or the time used up."""
        while not self._status.offline:
            if self._job is None:
                if self._free_ms > now_ms:
                    return
                self._job = self._lexer.next(self._buffer, self.paper.chinese)
                if self._job is None:
                    return
                self._due_ms = self._free_ms + self._cost_ms(self._job)
            if self._due_ms > now_ms:
                return
            if self._stops(self._job):
                self._follow_status(self._due_ms)
                return
            job, self._job = self._job, None
            self._free_ms = self._due_ms
            self._execute(job)

    def _cost_ms(self, command: Command) -> float:
        line_ms = self.timing.line_ms * (10 if "slow" in self.faults else 1)
        cost = self._engine.dots(command) * line_ms / 30
        return cost + (self.timing.cut_ms if self._engine.is_cut(command) else 0)

    def _stops(self, command: Command) -> bool:
        """The roll ends or the cutter jams before `command` can have its effect."""
        if self._engine.is_cut(command) and self.faults.take("cutter_jam"):
            self._jammed = True
            return True
        if self._engine.dots(command) == 0:
            return False
        if self._lines_left is None and self.faults.take("paper_out_mid_job"):
            self._lines_left = self.timing.lines_until_out
        if self._lines_left is None:
            return False
        if self._lines_left > 0:
            self._lines_left -= 1
            return False
        self._lines_left = None
        self.faults.remove("paper_out_mid_job")
        self.faults.add("paper_out")
        return True

    def _execute(self, command: Command) -> None:
        if command.name == "GS ( H" and "unknown_as_text" in self.faults:
            for byte in command.raw[2:]:
                name = CONTROL if byte < 0x20 else TEXT
                self._engine.execute(Command(name, bytes((byte,))), self._status, self._due_ms)
        elif command.name == "GS ( H" and "no_process_id" in self.faults:
            return
        else:
            self._engine.size_for_chinese = "chinese_size_ignored" not in self.faults
            self._engine.execute(command, self._status, self._due_ms)

    def _end_slip(self, cut: str, at_ms: float) -> None:
        if not self.paper.has_content:
            return
        slip = self.paper.finish(cut, at_ms)
        if len(self.slips) < SLIPS_KEPT_MAX:
            self.slips.append(slip)

    def _deadline(self) -> float | None:
        if self._status != self.status:
            return self._now_ms
        if self._status.offline:
            return None
        if self._job is not None:
            return self._due_ms
        return self._free_ms if self._buffer else None

    # --- power

    def _power_lost(self) -> None:
        if self.paper.has_content:
            self.paper.blame("power_off")
        self._buffer.clear()
        self._lexer.clear()
        self._job = None
        self._recent = b""
        self._jammed = False
        self.paper.initialise()

    def _power_returned(self) -> None:
        self._engine.reset()
        self._free_ms = self._now_ms
        self._status = self.status
