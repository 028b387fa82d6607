"""The least MicroPython heap under which the firmware that ships survives a scripted day.

A day is DAY_VISITS visits: card read, slip printed, sentence spoken, gate pulsed, code scanned, and
now and then a help call that the desk answers; at the terminal with all devices, and at one beside
a gate that has neither cash acceptor nor scanner. Each in two units: in K (bytes of a 64-bit heap)
and in wK (64-bit words, which behave like the same number of K on a 32-bit board; its byte arrays
weigh half there, so the truth of a board lies between the two).
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from pathlib import Path
from typing import Any

from edge_agent.core.slip import SlipLine, build_slip
from edge_agent.technician.image import build_image
from edge_agent.technician.layout import board_content, slot_content
from edge_agent.technician.release_file import make_release
from protocol.wire import messages, states
from simulator.board import Board
from simulator.board.probe import Probe
from simulator.devices.cards import citizen_card
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.gm_scanner import GmScanner
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice

UNITS = ("wK", "K")
DAY_VISITS = 20
HELP_EVERY = 5
SPEED = 16
CLOCK_RATE = 4
PULSE_MS = 200
BOOT_S_MAX = 60.0
VISIT_S_MAX = 60.0
PAIR_KEY = bytes(range(32))
FLASH_BLOCKS = 512
HEAP_MIN = 8
HEAP_MAX = 512
CARD = citizen_card("样例甲", "441900190001010027")
SLIP = build_slip([SlipLine("样例大厅", 3, "centre"), *(SlipLine(f"第{n}行") for n in range(12))])
CODE = b"TB1.number.1900-01-01.A001" * 2
SENTENCE = "您已登记，请通行。"


GATE_DEVICES = ("card_reader", "printer", "voice", "gate", "help_button")
ALL_DEVICES = (*GATE_DEVICES, "cash_acceptor", "scanner")


class Day:
    """One board under one heap, started from its slots. `flash`: what lies there beside the pair
    key, by default an unsigned release. `beside`: what else goes on over the link meanwhile."""

    def __init__(
        self,
        image: Path,
        folder: Path,
        heap: str,
        names: Collection[str] = ALL_DEVICES,
        flash: Mapping[str, bytes] | None = None,
    ) -> None:
        self.reader = SdtReader()
        self.printer = EscposPrinter()
        self.voice = Syn6288Voice()
        self.button = HelpButton()
        self.scanner = GmScanner()
        devices = {
            "card_reader": self.reader,
            "printer": self.printer,
            "voice": self.voice,
            "gate": Gate(),
            "help_button": self.button,
            "cash_acceptor": CcnetAcceptor(),
            "scanner": self.scanner,
        }
        self._scans = "scanner" in names
        if flash is None:
            release = make_release("simulated", 1, "bench", slot_content(image))
            flash = board_content(image, release)
        self.beside: Callable[[Probe], Coroutine[Any, Any, None]] | None = None
        self.board = Board(
            f"heap-{heap}",
            folder,
            {name: devices[name] for name in names},
            firmware_folder=image,
            heap=heap,
            speed=SPEED,
            clock_rate=CLOCK_RATE,
            link="socket",
            flash_blocks=FLASH_BLOCKS,
            flash_files={"pair.key": PAIR_KEY, **flash},
        )

    async def survives(self) -> bool:
        """The whole day was served without a reset."""
        try:
            await self.board.start()
            await self._or_death(self.board.booted(BOOT_S_MAX))
            session = zlib.crc32(self.board.name.encode())
            async with Probe(
                self.board.link_port(), session, clock_rate=CLOCK_RATE, pair_key=PAIR_KEY
            ) as probe:
                await self._or_death(probe.up(BOOT_S_MAX))
                beside = asyncio.create_task(self._beside(probe))
                for visit in range(1, DAY_VISITS + 1):
                    await self._or_death(self._visit(probe, visit))
                await self._or_death(beside)
        except (TimeoutError, _DeadError):
            return False
        finally:
            await self.board.stop()
        return not self.board.resets

    async def _or_death(self, work: Awaitable[None]) -> None:
        """Run `work`, but not longer than the firmware lives."""
        task = asyncio.ensure_future(work)
        try:
            async with asyncio.timeout(VISIT_S_MAX):
                while not task.done():
                    await asyncio.wait([task], timeout=0.02)
                    if self.board.resets or self.board.halted or self.board.pid is None:
                        raise _DeadError
            task.result()
        finally:
            task.cancel()

    async def _beside(self, probe: Probe) -> None:
        if self.beside is not None:
            await self.beside(probe)

    async def _visit(self, probe: Probe, visit: int) -> None:
        works = [
            self._card(probe, visit),
            self._slip(probe, 2 * visit),
            self._sentence(probe, visit),
            self._pulse(probe, 2 * visit + 1),
        ]
        if self._scans:
            works.append(self._code(probe, visit))
        await asyncio.gather(*works)
        if visit % HELP_EVERY == 0:
            for act in (self.button.press, self.button.answer):
                act(self.board.now_ms())
                event = await probe.expect(messages.EVENT)
                await probe.send(messages.EVENT_ACK, event.fields[0])

    async def _card(self, probe: Probe, visit: int) -> None:
        await probe.send(messages.READ_CARD, visit, 0)
        self.reader.place(CARD)
        card = await probe.expect(messages.CARD, visit)
        if card.tail != CARD.text:
            raise _DeadError
        self.reader.lift()
        await probe.expect(messages.CARD_REMOVED, visit)

    async def _code(self, probe: Probe, visit: int) -> None:
        await probe.send(messages.SCAN_START, visit, 0)
        self.scanner.show(CODE)
        heard = b""
        while len(heard) < len(CODE):
            heard += (await probe.expect(messages.SCAN, visit)).tail
        self.scanner.take_away()
        if heard != CODE:
            raise _DeadError

    async def _slip(self, probe: Probe, effect: int) -> None:
        await probe.print_slip(effect, SLIP)
        await _done(probe, effect)

    async def _sentence(self, probe: Probe, visit: int) -> None:
        await probe.say(visit, SENTENCE)
        await probe.expect(messages.SPEECH, visit, states.SPEECH_FINISHED)

    async def _pulse(self, probe: Probe, effect: int) -> None:
        await probe.send(messages.PULSE, effect, PULSE_MS)
        await _done(probe, effect)


class _DeadError(Exception):
    """The firmware reset, halted or did something else than asked."""


async def _done(probe: Probe, effect: int) -> None:
    if await probe.outcome(effect) != states.DONE:
        raise _DeadError


def survives(day: Callable[[Path], Day], folder: Path) -> bool:
    """Whether one of two days is served; `day` makes one in a folder of its own. On a busy host one
    may fail for want of time, at a speed where devices are given up after 50 ms; both do for want
    of memory.
    """
    return any(asyncio.run(day(folder / turn).survives()) for turn in ("first", "second"))


def least_heap(image: Path, folder: Path, unit: str, names: Collection[str] = ALL_DEVICES) -> int:
    """The least `-X heapsize=<n><unit>` that survives the day; `unit` is `wK` or `K`.

    Raises RuntimeError when even HEAP_MAX does not.
    """
    too_small, enough = HEAP_MIN - 1, HEAP_MAX
    while enough - too_small > 1:
        heap = (too_small + enough) // 2

        def day(place: Path, heap: str = f"{heap}{unit}") -> Day:
            return Day(image, place, heap, names)

        if survives(day, folder / f"{heap}{unit}"):
            enough = heap
        else:
            too_small = heap
    if enough == HEAP_MAX:
        raise RuntimeError(f"the firmware does not survive its day with {HEAP_MAX}{unit}")
    return enough


def run(place: Path) -> dict[str, int]:
    """All four figures; `place` is a scratch folder."""
    image = place / "image"
    build_image(image)
    figures = {}
    for name, names in (("least_heap", ALL_DEVICES), ("least_gate_heap", GATE_DEVICES)):
        for unit in UNITS:
            figures[f"{name}_{unit}"] = least_heap(image, place / name, unit, names)
    return figures
