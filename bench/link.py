"""The board link at full speed while the board prints, reads and scans on a bad day of its chip.

921600 baud in true time, the firmware in MicroPython, hardware FIFOs of 32 and 128 bytes, 50 ms
stalls of the flash and collections. The agent sends as fast as the window lets it and asks for as
much; meanwhile cards are read, slips printed, codes scanned. Throughput is told as a share of the
line's raw rate; the agent here looks at its port every 3 ms, which is most of what is missing.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge_agent.core.slip import SlipLine, build_slip
from edge_agent.technician.image import build_image
from protocol.wire import messages, states
from simulator.board import Board
from simulator.board.probe import Probe
from simulator.board.wiring import LINK_BAUD, LINK_UART
from simulator.devices.cards import citizen_card
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.gm_scanner import GmScanner
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice

FIFOS = (32, 128)
ERASE_MS = 50
COLLECTION = (700.0, 100.0)
RUN_S = 8.0
PAIR_KEY = bytes(range(32))
CHUNK_BYTES = 500
IDLE_EFFECT = 1 << 40  # chunks of a job that is never run
IN_FLIGHT_MAX = 4
WAIT_S = 30.0
LINE_BYTES_S = LINK_BAUD / 10
CARD = citizen_card("样例甲", "441900190001010027")
SLIP = build_slip([SlipLine("样例大厅", 3, "centre"), *(SlipLine(f"第{n}行") for n in range(12))])
CODE = b"TB:1900-0101-0027"


class Figures(NamedTuple):
    """`lost_bytes`: of devices, by line; `link_lost_bytes` were sent again. Bytes are payload."""

    seconds: float
    to_board_bytes: int
    to_agent_bytes: int
    line_bytes: int
    cards: int
    slips: int
    scans: int
    lost_bytes: int
    link_lost_bytes: int
    resent: int
    downs: int
    resets: int

    @property
    def share(self) -> float:
        """Payload of both directions, of what two directions of the line can carry."""
        return (self.to_board_bytes + self.to_agent_bytes) / (2 * LINE_BYTES_S * self.seconds)


@dataclass
class Stress:
    """One run; `fifo_bytes` of the chip's hardware."""

    image: Path
    folder: Path
    fifo_bytes: int
    seconds: float = RUN_S

    async def run(self) -> Figures:
        """Raises TimeoutError when something never came."""
        self._reader, self._printer, self._scanner = SdtReader(), EscposPrinter(), GmScanner()
        self._board = Board(
            "stress",
            self.folder,
            {
                "card_reader": self._reader,
                "printer": self._printer,
                "voice": Syn6288Voice(),
                "gate": Gate(),
                "help_button": HelpButton(),
                "scanner": self._scanner,
            },
            firmware_folder=self.image,
            fifo_bytes=self.fifo_bytes,
            erase_stall_ms=ERASE_MS,
            collection=COLLECTION,
            link="socket",
            flash_files={"pair.key": PAIR_KEY},
        )
        self._job = asyncio.Lock()
        self._to_board = self._to_agent = self._cards = self._slips = self._scans = 0
        try:
            await self._board.start()
            await self._board.booted()
            async with Probe(self._board.link_port(), 1, pair_key=PAIR_KEY) as probe:
                await probe.up()
                await probe.expect_device(states.PRINTER, states.ONLINE)
                return await self._measure(probe)
        finally:
            await self._board.stop()

    async def _measure(self, probe: Probe) -> Figures:
        line = self._board.lines[LINK_UART]
        before = line.bytes_to_board + line.bytes_from_board
        started = time.monotonic()
        self._until = started + self.seconds
        works = (self._flood, self._ask, self._read, self._print, self._scan)
        await asyncio.gather(*(work(probe) for work in works))
        return Figures(
            time.monotonic() - started,
            self._to_board,
            self._to_agent,
            line.bytes_to_board + line.bytes_from_board - before,
            self._cards,
            self._slips,
            self._scans,
            sum(one.overflow_bytes for uart, one in self._board.lines.items() if uart != LINK_UART),
            line.overflow_bytes,
            probe.link.stats.resent,
            len(probe.downs),
            self._board.resets,
        )

    def _goes_on(self) -> bool:
        return time.monotonic() < self._until

    async def _flood(self, probe: Probe) -> None:
        """As fast as the window lets it, but not between the chunks of a slip: the board holds one
        job."""
        while self._goes_on():
            async with self._job:
                await probe.send(messages.PRINT_DATA, IDLE_EFFECT, 0, tail=bytes(CHUNK_BYTES))
            self._to_board += CHUNK_BYTES

    async def _ask(self, probe: Probe) -> None:
        """The longest messages that a board can be asked for."""
        await probe.send(messages.TRACE_OPEN)
        await probe.expect(messages.TRACE_INFO, timeout_s=WAIT_S)
        while self._goes_on():
            for _ in range(IN_FLIGHT_MAX):
                await probe.send(messages.TRACE_READ, 0)
            for _ in range(IN_FLIGHT_MAX):
                part = await probe.expect(messages.TRACE_PART, timeout_s=WAIT_S)
                self._to_agent += len(part.tail)

    async def _read(self, probe: Probe) -> None:
        number = 0
        while self._goes_on():
            number += 1
            await probe.send(messages.READ_CARD, number, 0)
            self._reader.place(CARD)
            card = await probe.expect(messages.CARD, number, timeout_s=WAIT_S)
            assert card.tail == CARD.text
            self._reader.lift()
            await probe.expect(messages.CARD_REMOVED, number, timeout_s=WAIT_S)
            self._cards += 1

    async def _print(self, probe: Probe) -> None:
        number = 0
        while self._goes_on():
            number += 1
            async with self._job:
                await probe.print_slip(number, SLIP)
            assert await probe.outcome(number, WAIT_S) == states.DONE
            self._slips += 1

    async def _scan(self, probe: Probe) -> None:
        number = 0
        while self._goes_on():
            number += 1
            await probe.send(messages.SCAN_START, number, 0)
            await asyncio.sleep(0.3)
            self._scanner.show(CODE)
            await probe.expect(messages.SCAN, number, timeout_s=WAIT_S)
            self._scans += 1


def run(place: Path) -> dict[str, object]:
    """Shares of the raw rate, and what was lost and sent again, for each FIFO."""
    image = place / "link-image"
    build_image(image)
    found: dict[str, object] = {}
    for fifo in FIFOS:
        figures = asyncio.run(Stress(image, place / f"link-{fifo}", fifo).run())
        found[f"link_share_fifo_{fifo}"] = round(figures.share, 3)
        found[f"link_lost_device_bytes_fifo_{fifo}"] = figures.lost_bytes
        found[f"link_resent_frames_fifo_{fifo}"] = figures.resent
    return found
