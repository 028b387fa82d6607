"""Plays a trace: the firmware in MicroPython, devices that say what the trace holds, and an agent
that asks what the trace holds, at their times.

A trace that does not reach back to the board's start begins with healthy devices: when they are
all online, the trace goes on where it begins.
"""

import asyncio
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.technician.image import build_image
from edge_agent.technician.layout import slot_content
from edge_agent.technician.release_file import make_release
from edge_agent.technician.trace_bundle import Manifest, TraceBundle
from protocol.wire import messages, states
from protocol.wire import trace_entries as te
from simulator.board import Board
from simulator.board import wiring as at_pins
from simulator.board.probe import Message, Probe
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gm_scanner import GmScanner
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.devices.xfs5152_voice import Xfs5152Voice
from simulator.replay import compare
from simulator.replay.device import ReplayDevice
from simulator.replay.numbers import Numbers
from simulator.replay.script import Told, covers_start, cuts, levels, line_script, told

FILL = b"x"
WARM_S = 8.0
GRACE_MS = 700
LATE_S = 3.0
"""True seconds in which a busy machine may still tell what was recorded, when all was played."""
STEP_S = 0.005
HEALTHY: dict[str, Callable[[], Any]] = {
    "sdt": SdtReader,
    "syn6288": Syn6288Voice,
    "xfs5152": Xfs5152Voice,
    "ccnet": CcnetAcceptor,
    "gm65": GmScanner,
    "gm812": GmScanner,
}
"""Model -> a device of that kind that works; every other printer is an EscposPrinter."""
PARTS = {
    states.CARD_READER: ("card_reader", "card_reader"),
    states.PRINTER: ("printer", "printer"),
    states.VOICE: ("voice", "voice"),
    states.GATE: ("gate", ""),
    states.HELP_BUTTON: ("help", ""),
    states.CASH_ACCEPTOR: ("cash", "cash_acceptor"),
    states.BARCODE_READER: ("scanner", "scanner"),
}
"""Device -> its part in settings.txt, its place on the simulated board."""
PIN_OF = {
    "passed": at_pins.PIN_GATE_PASSED,
    "door": at_pins.PIN_GATE_DOOR,
    "fire": at_pins.PIN_GATE_FIRE,
    "button": at_pins.PIN_HELP_BUTTON,
    "answer": at_pins.PIN_HELP_DESK,
}


class Outcome(NamedTuple):
    """`firmware`: `same`, `other` or `unknown`. `recorded`, `replayed`: what the board told, a line
    a message. `states`: device -> (told last in the trace, in the replay)."""

    firmware: str
    took_ms: int
    recorded: list[str]
    replayed: list[str]
    differences: list[str]
    states: dict[str, tuple[str, str]]
    not_said: int
    unexpected_bytes: int

    @property
    def same(self) -> bool:
        """The firmware told what it told then, and the devices ended in the same states."""
        return not self.differences


async def replay(
    bundle: TraceBundle, folder: Path, rate: float, progress: Callable[[int, int], None]
) -> Outcome:
    """Play `bundle` in `folder`, `rate` times faster; `progress(done, all)` in ms."""
    image = folder / "image"
    await asyncio.to_thread(build_image, image)
    devices = _devices(bundle)
    board = Board(
        "replay",
        folder / "board",
        devices,
        firmware_folder=image,
        speed=rate,
        clock_rate=rate,
        link="socket",
        flash_files={"settings.txt": _settings(bundle.manifest.info).encode()},
    )
    try:
        await board.start()
        if covers_start(bundle.board):
            _begin(devices, board.now_ms())
        await board.booted()
        async with Probe(board.link_port(), 1, clock_rate=rate) as probe:
            stage = _Stage(bundle, board, probe, devices, rate)
            await stage.play(progress)
    finally:
        await board.stop()
    return stage.outcome(firmware_of(bundle.manifest, image))


class _Stage:
    """One playing."""

    def __init__(
        self,
        bundle: TraceBundle,
        board: Board,
        probe: Probe,
        devices: dict[str, ReplayDevice],
        rate: float,
    ) -> None:
        self._entries = bundle.board
        self._board = board
        self._probe = probe
        self._devices = devices
        self._rate = rate
        self._recorded = told(bundle.board, te.MESSAGE_OUT)
        self._asked = told(bundle.board, te.MESSAGE_IN)
        self._numbers = Numbers(self._recorded)
        self._replayed: list[Told] = []
        self._jobs: dict[int, bytearray] = {}
        self._started = 0.0

    @property
    def now_ms(self) -> float:
        """Since the trace began."""
        return (time.monotonic() - self._started) * 1000 * self._rate

    async def play(self, progress: Callable[[int, int], None]) -> None:
        await self._probe.up()
        self._started = time.monotonic()
        if not covers_start(self._entries):
            await self._warm()
            self._probe.inbox.clear()
            _begin(self._devices, self._board.now_ms())
            self._board.changed()
            self._started = time.monotonic()
        end_ms = self._entries[-1].at_ms if self._entries else 0
        acts: list[tuple[int, Any, Any]]
        acts = [(level.at_ms, self._drive, level) for level in levels(self._entries)]
        acts += [(one.at_ms, self._ask, one) for one in self._asked]
        acts += [(at_ms, self._hang, is_there) for at_ms, is_there in cuts(self._entries)]
        for at_ms, act, what in sorted(acts, key=lambda one: one[0]):
            await self._until(at_ms, end_ms, progress)
            await act(what)
        await self._until(end_ms + GRACE_MS, end_ms, progress)
        wanted = sum(one.kind not in compare.UNTIMED for one in self._recorded)
        give_up = time.monotonic() + LATE_S
        while len(self._replayed) < wanted and time.monotonic() < give_up:
            await asyncio.sleep(STEP_S)
            self._collect()

    async def _warm(self) -> None:
        give_up = time.monotonic() + WARM_S
        wanted = len(self._probe.info.get("devices", "").split(","))
        while time.monotonic() < give_up:
            online = [s for s, _ in self._probe.devices.values() if s == states.ONLINE]
            if len(online) >= wanted:
                return
            await asyncio.sleep(STEP_S)

    async def _until(
        self, at_ms: float, end_ms: float, progress: Callable[[int, int], None]
    ) -> None:
        while True:
            self._collect()
            progress(int(min(self.now_ms, end_ms)), int(end_ms))
            wait_s = (at_ms - self.now_ms) / 1000 / self._rate
            if wait_s <= 0:
                return
            await asyncio.sleep(min(wait_s, 20 * STEP_S))

    def _collect(self) -> None:
        while self._probe.inbox:
            message: Message = self._probe.inbox.popleft()
            self._numbers.told(message.kind, message.fields)
            if message.kind in messages.FORMS and message.kind not in compare.UNTIMED:
                one = Told(int(self.now_ms), message.kind, message.fields, len(message.tail))
                self._replayed.append(one)

    async def _drive(self, level: Any) -> None:
        if level.pin in PIN_OF:  # contacts of the simulated board close to ground
            self._board.pins.drive(PIN_OF[level.pin], 0 if level.active else 1)

    async def _hang(self, is_there: bool) -> None:
        self._probe.muted = not is_there

    async def _ask(self, said: Told) -> None:
        fields = self._numbers.fields(said)
        tail = FILL * said.tail_bytes
        if said.kind == messages.PRINT_DATA:
            self._jobs.setdefault(fields[0], bytearray())[fields[1] :] = tail
        elif said.kind == messages.PRINT_RUN:  # the sum of what was printed is not in a trace
            fields = (*fields[:2], zlib.crc32(self._jobs.get(fields[0], b"")))
        await self._probe.send(said.kind, *fields, tail=tail)

    def outcome(self, firmware: str) -> Outcome:
        recorded = [one for one in self._recorded if one.kind not in compare.UNTIMED]
        streams = compare.streams_of(recorded), compare.streams_of(self._replayed)
        then, now = compare.last_states(recorded), compare.last_states(self._replayed)
        counts = [device.count for device in self._devices.values()]
        return Outcome(
            firmware,
            self._entries[-1].at_ms if self._entries else 0,
            [compare.line_of(one) for one in recorded],
            [compare.line_of(one) for one in self._replayed],
            compare.differences(*streams),
            {name: (then[name], now.get(name, "")) for name in then},
            sum(count.not_said for count in counts),
            sum(count.unexpected_bytes for count in counts),
        )


def firmware_of(manifest: Manifest, image: Path) -> str:
    """Whether the board ran the firmware in `image`: `same`, `other`, or `unknown`."""
    if not manifest.release:
        return "unknown"
    board, version = manifest.info.get("board", ""), manifest.info.get("release", "0")
    name = manifest.info.get("firmware", "")
    ours = make_release(board, int(version), name, slot_content(image))
    return "same" if f"{ours.id:016x}" == manifest.release else "other"


def _devices(bundle: TraceBundle) -> dict[str, Any]:
    """The replaying devices of the lines that the board has."""
    found = {}
    for number, model in _models(bundle.manifest.info).items():
        place = PARTS[number][1]
        if place:
            healthy = HEALTHY.get(model, EscposPrinter)()
            found[place] = ReplayDevice(healthy, line_script(bundle.board, number))
    return found


def _models(info: dict[str, str]) -> dict[int, str]:
    """Device -> its model, from `devices=1:sdt,2:escpos` of a HELLO."""
    pairs = (one.partition(":") for one in info.get("devices", "").split(",") if ":" in one)
    return {int(n): model for n, _, model in pairs if n.isdigit() and int(n) in PARTS}


def _settings(info: dict[str, str]) -> str:
    """settings.txt that makes the simulated board the board of the trace."""
    models = _models(info)
    lines = [
        f"{part}.model={models.get(number, 'none')}"
        for number, (part, place) in PARTS.items()
        if number in models or part not in ("cash", "scanner")
    ]
    parts = {PARTS[number][0] for number in models}
    switches = [(key, value) for key, value in info.items() if key.partition(".")[0] in parts]
    lines += [f"{key}={value}" for key, value in switches if "." in key]
    return "\n".join(lines) + "\n"


def _begin(devices: dict[str, Any], now_ms: float) -> None:
    for device in devices.values():
        device.begin(now_ms)
