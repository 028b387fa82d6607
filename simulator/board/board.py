"""One terminal's board: the real firmware in a real MicroPython process, its lines, pins, flash,
watchdog and devices.

Theory of operation. The firmware process inherits one bare socket for each UART and a bus
(`bus.py`). This side paces the bytes (`line.py`), plugs the device models in (`wiring.py`) and
gives the agent a pseudo terminal (`pty_link.py`). A reset of any cause is a SIGKILL and a new
process: no `except` or `finally` of the firmware sees it, as on a board.

| life | event | next | does |
| --- | --- | --- | --- |
| off | `start` | running | spawn, cause PWRON |
| running | process gone, `kill()` | off | new life after `restart_ms`, cause PWRON |
| running | `machine.reset()` | off | SIGKILL; new life, cause HARD |
| running | watchdog not fed in time | off | SIGKILL; new life, cause WDT |
| running | flash cut | off | SIGKILL; new life, cause PWRON |
| running | program ended or raised | running (halted) | traceback in `log`; watchdog or `kill()` |
| any | `stop` | gone | SIGKILL, no new life |
"""

import asyncio
import contextlib
import hashlib
import random
import sys
from collections import deque
from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simulator.board.bus import Op, Record
from simulator.board.flash import Flash
from simulator.board.life import Life
from simulator.board.line import SerialLine
from simulator.board.pins import Pins
from simulator.board.pty_link import PtyLink
from simulator.board.pump import LinkEnd, Pump
from simulator.board.runtime import micropython_command
from simulator.board.shim_build import build_shim
from simulator.board.socket_link import SocketLink, SocketPort
from simulator.board.virtual_time import Lockstep
from simulator.board.watchdog import Watchdog
from simulator.board.wiring import LINK_BAUD, LINK_UART, Wiring

LOG_LINES_MAX = 500
RESTART_MS = 200.0
LINK_NAME = "link"
HELP_HOLD_MS = 200.0
FIFO_BYTES = 128  # ESP32; an RP2350 has 32
_SOURCE_ROOT = Path(__file__).parents[2]


class ResetCause(IntEnum):
    """As `machine.reset_cause()` numbers them."""

    PWRON = 1
    HARD = 2
    WDT = 3
    SOFT = 5


class Board:
    """Use in a running asyncio loop: `await start()`, the agent opens `link_path`, `await stop()`.

    `devices` maps `card_reader`, `printer`, `voice`, `gate`, `help_button`, `scanner`,
    `cash_acceptor` to models; what is absent is not plugged in. `speed` runs devices and lines
    N times faster than the clock. `heap` is MicroPython's `-X heapsize`. `firmware_folder`
    holds `firmware/` and `protocol/`, as .mpy or .py (CPython needs .py and falls back to the
    sources). `collection` = (every_ms, lasts_ms) freezes the firmware now and then, as a
    collection of a large heap does. `clock_rate` makes the firmware's own clock run too fast,
    for tests of long time limits; the agent's must run with it. `link` is `pty`, or `socket`
    for an agent in this process (`link_port()`). `flash_files` are put on the flash before
    the board starts, as who provisions it does: `pair.key`, `settings.txt`. With a `main.py`
    among them the board starts from its flash, slots and all, and not from `firmware_folder`.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        devices: Mapping[str, Any],
        *,
        firmware_folder: Path,
        speed: float = 1,
        heap: str = "192wK",
        runtime: str = "micropython",
        seed: int = 0,
        fifo_bytes: int = FIFO_BYTES,
        restart_ms: float = RESTART_MS,
        erase_stall_ms: float = 0,
        collection: tuple[float, float] | None = None,
        clock_rate: float = 1,
        link: str = "pty",
        flash_blocks: int = 256,
        flash_files: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        if runtime not in ("micropython", "cpython"):
            raise ValueError(f"runtime must be micropython or cpython, not {runtime!r}")
        if link not in ("pty", "socket"):
            raise ValueError(f"link must be pty or socket, not {link!r}")
        if clock_rate != 1 and runtime != "micropython":
            raise ValueError("clock_rate needs the micropython runtime")
        if "main.py" in flash_files and runtime != "micropython":
            raise ValueError("to start from flash needs the micropython runtime")
        self.name = name
        self.folder = folder
        self.runtime = runtime
        self.speed = speed
        self.resets = 0
        self.last_cause = ResetCause.PWRON
        self.on_reset: Callable[[ResetCause], None] = lambda _cause: None
        self.log: deque[str] = deque(maxlen=LOG_LINES_MAX)
        self.pins = Pins()
        self._heap = heap
        self._firmware_folder = firmware_folder
        self._restart_ms = restart_ms / speed
        self._erase_ms = erase_stall_ms / speed
        self._collection = collection
        self._clock_rate = clock_rate
        self._random = random.Random(f"{seed}/{name}")
        self._flash = Flash(folder / "flash.img", flash_blocks)
        self._flash_files = flash_files
        self._wiring = Wiring(devices, self.pins, self.now_ms, speed / clock_rate, self._wake)
        self._link: LinkEnd
        self.link_path = ""
        if link == "pty":
            self._link = PtyLink(folder / LINK_NAME, LINK_BAUD)
            self.link_path = str(self._link.path)
        else:
            self._link = SocketLink(LINK_BAUD)
        self._fifo_bytes = fifo_bytes
        self.lines = self._make_lines()
        self._life: Life | None = None
        self._next_cause = ResetCause.PWRON
        self._watchdog = Watchdog(self._bite)
        self._stopping = asyncio.Event()
        self._booted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.pins.on_input = self._tell_input

    def _make_lines(self) -> dict[int, SerialLine]:
        lines = {
            LINK_UART: SerialLine(
                LINK_UART, self._link, speed=self.speed, fifo_bytes=self._fifo_bytes
            )
        }
        for uart, end in self._wiring.ends.items():
            # A FIFO holds the same milliseconds at every speed; the link has its window and needs
            # no such help.
            lines[uart] = SerialLine(
                uart,
                end,
                speed=self.speed,
                fifo_bytes=self._fifo_bytes,
                fifo_scale=max(1.0, self.speed),
            )
        for line in lines.values():
            line.before_delivery = self._read_bus
            line.after_delivery = lambda: self._steps.bytes_came(self._life)
        return lines

    # ---- what the outside does with a board

    async def start(self) -> None:
        """Power on. Returns when the process runs; `booted()` waits for its link."""
        self._steps = Lockstep(asyncio.get_running_loop(), self._read_bus)
        if self.link_path or self.runtime != "micropython" or self._collection is not None:
            self._steps.refuse_virtual_time()
        self._steps.begin_life()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._flash_files:
            put = self._flash.put if self.runtime == "micropython" else self._flash.put_in_folder
            await asyncio.to_thread(put, self._flash_files)
        lines = list(self.lines.values())
        self._pump = Pump(lines, self._refresh, self._steps)
        self._refresh()
        await self._boot()
        self._tasks.append(asyncio.create_task(self._supervise()))
        if self._collection is not None:
            self._tasks.append(asyncio.create_task(self._collect(*self._collection)))

    async def booted(self, timeout_s: float = 10) -> None:
        """Wait until the firmware of this life has set its link up; TimeoutError carries the
        board's last words."""
        try:
            await asyncio.wait_for(self._booted.wait(), timeout_s)
        except TimeoutError:
            words = "\n".join(list(self.log)[-20:])
            raise TimeoutError(f"board {self.name} did not boot; its log ends:\n{words}") from None

    async def stop(self) -> None:
        """Power off for good. The flash image stays in `folder`."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._cut_power()
        await asyncio.gather(*self._tasks)
        if self._tasks:
            self._pump.close()
        self._link.close()

    def kill(self) -> None:
        """Take the power away for `restart_ms`."""
        self._cut_power()

    def cut_flash_after(self, writes: int) -> None:
        """Cut the power in the middle of the flash write (or erase) with this number, counted from
        now; 0 disarms."""
        if self._life is not None:
            self._life.send(Record(Op.CUT_AFTER, extra=writes))

    def link_port(self) -> SocketPort:
        """The agent's end of a link that is no pty."""
        if isinstance(self._link, PtyLink):
            raise LookupError("the link of this board is a terminal: open link_path")
        port = self._link.port()
        self._wake()
        return port

    def press_help(self, hold_ms: float = HELP_HOLD_MS) -> None:
        """A citizen presses the help button for `hold_ms` of the firmware's clock."""
        self._wiring.press_help(hold_ms * self.speed / self._clock_rate)

    def answer_help(self, hold_ms: float = HELP_HOLD_MS) -> None:
        """An officer presses the answer button at the desk, likewise."""
        self._wiring.answer_help(hold_ms * self.speed / self._clock_rate)

    def changed(self) -> None:
        """A device model was changed from outside (a card placed, a fault set): look at it now, not
        when it next asks."""
        self._wake()

    def now_ms(self) -> float:
        """The devices' clock: milliseconds, `speed` times faster than the host's."""
        return asyncio.get_running_loop().time() * 1000 * self.speed

    @property
    def pid(self) -> int | None:
        """The firmware's process, None between two lives."""
        return None if self._life is None else self._life.process.pid

    @property
    def halted(self) -> bool:
        """The firmware's program ended or raised in this life."""
        return self._life is not None and self._life.halted

    # ---- lives

    def _cut_power(self) -> None:
        if self._life is not None:
            self._steps.begin_death()
            self._life.kill()

    async def _boot(self) -> None:
        self._booted.clear()
        self._steps.begin_life()
        command, environment = await asyncio.to_thread(self._command)
        environment |= self._steps.environment()
        self.log.append(f"[board] start, reset cause {self._next_cause.name}")
        self.last_cause = self._next_cause
        born_with = dict(self.pins.inputs)
        life = await self._spawn(command, environment)
        self._next_cause = ResetCause.PWRON
        self._life = life
        for pin, level in self.pins.inputs.items():
            if level != born_with.get(pin):  # a button let go while the process came up
                self._tell_input(pin, level)
        asyncio.get_running_loop().add_reader(life.fileno(), self._read_bus)
        self._pump.begin_life(None if self._steps.is_virtual else life.process.pid)

    async def _spawn(self, command: list[str], environment: dict[str, str]) -> Life:
        return await Life.start(
            command,
            folder=self.folder,
            environment=environment,
            uarts={uart: line.connect() for uart, line in self.lines.items()},
            inputs=self.pins.inputs,
            on_line=self.log.append,
        )

    def _command(self) -> tuple[list[str], dict[str, str]]:
        environment = {
            "BOARD_RESET_CAUSE": str(int(self._next_cause)),
            "BOARD_PLUGGED": ",".join(self._wiring.plugged),
            "BOARD_UNIQUE_ID": hashlib.sha256(self.name.encode()).hexdigest()[:12],
            **self._flash.environment(erase_ms=self._erase_ms),
        }
        if self.runtime == "cpython":
            has_sources = (self._firmware_folder / "firmware" / "main.py").exists()
            environment["BOARD_FIRMWARE_FOLDER"] = str(
                (self._firmware_folder if has_sources else _SOURCE_ROOT).resolve()
            )
            script = Path(__file__).with_name("shim_cpython.py")
            return [sys.executable, str(script)], environment
        shim = build_shim()
        folders = [".frozen", str(shim), str(self._firmware_folder.resolve())]
        if self._clock_rate != 1 or self._steps.is_virtual:
            folders.insert(1, str(shim / ("virtual" if self._steps.is_virtual else "fast")))
            environment["BOARD_CLOCK_RATE"] = str(self._clock_rate)
        environment["MICROPYPATH"] = ":".join(folders)
        return [
            *micropython_command(),
            "-X",
            f"heapsize={self._heap}",
            "-m",
            "board_start",
        ], environment

    async def _supervise(self) -> None:
        while True:
            life = self._life
            assert life is not None
            if self._stopping.is_set():
                self._cut_power()
            code = await life.ended()
            self._end_life(life, code)
            pause_ms = 0 if self._next_cause is ResetCause.SOFT else self._restart_ms
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_ms / 1000)
            if self._stopping.is_set():
                return
            self.resets += 1
            self.on_reset(self._next_cause)
            await self._boot()

    def _end_life(self, life: Life, code: int) -> None:
        self._read_bus()
        self.log.append(f"[board] process ended with {code}")
        asyncio.get_running_loop().remove_reader(life.fileno())
        self._life = None
        self._booted.clear()
        self._pump.end_life()
        for line in self.lines.values():
            line.disconnect()
        life.close()
        self._watchdog.stop()
        self.pins.float_outputs(self.now_ms())
        self._steps.end_life()
        self._wake()

    async def _collect(self, every_ms: float, lasts_ms: float) -> None:
        while not self._stopping.is_set():
            gap_ms = self._random.uniform(0.5, 1.5) * every_ms
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), gap_ms / self.speed / 1000)
            if not self._stopping.is_set() and self._life is not None:
                await self._life.freeze(lasts_ms / self.speed / 1000)

    # ---- bus

    def _read_bus(self) -> None:
        if self._life is not None:
            for record in self._life.records():
                self._on_record(self._life, record)

    def _on_record(self, life: Life, record: Record) -> None:
        match record.op:
            case Op.PIN:
                self.pins.output(record.unit, record.value, self.now_ms())
                self._wake()
            case Op.UART:
                self.lines[record.unit].configure(record.extra, record.value)
                if record.unit == LINK_UART:
                    self._steps.tell(self._booted)
            case Op.WATCHDOG:
                self._watchdog.start(record.extra)
            case Op.FEED:
                self._watchdog.feed()
            case Op.RESET:
                self._next_cause = ResetCause.HARD
                self._cut_power()
            case Op.CUT:
                self.log.append("[board] power cut in a flash write")
                self._cut_power()
            case Op.ERASE_BEGIN | Op.ERASE_END:
                for line in self.lines.values():
                    line.erase(record.op is Op.ERASE_BEGIN)
            case Op.HALT:
                life.halted = True
            case Op.CONSOLE:
                self._switch_console(bool(record.value))
            case Op.SLEEP:
                self._steps.park(life, record)
            case Op.CUT_AFTER | Op.NOW:
                raise ValueError(f"only the parent sends {record.op.name}")

    def _switch_console(self, to_bytes: bool) -> None:
        """The console of a board with a REPL; this one's is its log."""

    def _bite(self) -> None:
        if self._life is not None:
            self.log.append("[board] watchdog")
            self._next_cause = ResetCause.WDT
            self._cut_power()

    def _tell_input(self, pin: int, level: int) -> None:
        if self._life is not None:
            self._life.send(Record(Op.PIN, pin, level))

    # ---- devices

    def _refresh(self) -> float | None:
        next_ms = self._wiring.refresh()
        return None if next_ms is None else max(0.0, next_ms - self.now_ms()) / self.speed

    def _wake(self) -> None:
        if self._tasks or self._life is not None:
            self._pump.wake()
