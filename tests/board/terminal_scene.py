"""A whole terminal without its agent: real firmware from .mpy, every device model, a probe on the
link."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.core.slip import SlipLine, build_slip
from protocol.wire import messages, states
from simulator.board import Board
from simulator.board.probe import Message, Probe
from simulator.board.virtual_time import run_in_virtual_time
from simulator.devices.cards import Card, citizen_card
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.gm_scanner import GmScanner
from simulator.devices.help_button import HelpButton
from simulator.devices.lcus_relay import LcusRelay
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.speech_chip import SpeechChip
from simulator.devices.syn6288_voice import Syn6288Voice

SPEED = 8
PLUGGED = ("card_reader", "printer", "voice", "gate", "help_button", "cash_acceptor")
TINY = Path(__file__).parent / "tiny_firmware"
CARD = citizen_card("样例甲", "441900190001010027")
OTHER_CARD = citizen_card("样例乙", "441900190001010043")
SLIP_TEXT = "样例大厅"
SLIP = build_slip([SlipLine(SLIP_TEXT, 3, "centre"), *(SlipLine(f"第{n}行") for n in range(8))])


@dataclass
class Terminal:
    """Everything a scene can touch."""

    board: Board
    probe: Probe
    reader: SdtReader
    printer: EscposPrinter
    voice: SpeechChip
    gate: Gate
    button: HelpButton
    cash: CcnetAcceptor
    scanner: GmScanner | None = None
    relay_board: LcusRelay | None = None
    _numbers: list[int] = field(default_factory=lambda: [0])

    def number(self) -> int:
        """A number not used before: read, utterance or effect."""
        self._numbers[0] += 1
        return self._numbers[0]

    async def read(self, card: Card, timeout_s: float = 20) -> Message:
        """Ask for a card, put it down, wait for its text, take it away."""
        number = self.number()
        await self.probe.send(messages.READ_CARD, number, 0)
        self.reader.place(card)
        message = await self.probe.expect(messages.CARD, number, timeout_s=timeout_s)
        assert message.tail == card.text
        self.reader.lift()
        await self.probe.expect(messages.CARD_REMOVED, number, timeout_s=timeout_s)
        return message

    async def speak(self, text: str, timeout_s: float = 20) -> None:
        """Say it and wait until it was said to the end."""
        number = self.number()
        await self.probe.say(number, text)
        await self.speech(number, states.SPEECH_STARTED, timeout_s)
        await self.speech(number, states.SPEECH_FINISHED, timeout_s)

    async def speech(self, number: int, state: int, timeout_s: float = 20) -> None:
        await self.probe.expect(messages.SPEECH, number, state, timeout_s=timeout_s)

    async def print_slip(self, timeout_s: float = 20) -> int:
        """The outcome of one slip."""
        number = self.number()
        await self.probe.print_slip(number, SLIP)
        return await self.probe.outcome(number, timeout_s)

    def printed(self) -> int:
        """How often the slip's heading is on paper, whole slips and what hangs out."""
        slips = [*self.printer.slips, self.printer.paper.slip]
        return sum(slip.text.count(SLIP_TEXT) for slip in slips)

    async def lose_power(self) -> None:
        """Kill the firmware and wait until its next life is on the link."""
        ups = self.probe.ups
        self.board.kill()
        await self.probe.up_again(ups)

    async def state(self, device: int, state: int, detail: int | None = None) -> None:
        await self.probe.expect_device(device, state, detail)


@contextlib.asynccontextmanager
async def terminal(
    image: Path,
    folder: Path,
    *,
    link: str = "socket",
    speed: float = SPEED,
    clock_rate: float = 1,
    settings: str = "",
    voice: SpeechChip | None = None,
    printer: EscposPrinter | None = None,
    pair_key: bytes | None = None,
    gate: Gate | None = None,
    scanner: GmScanner | None = None,
    relay_board: LcusRelay | None = None,
    **options: Any,
) -> AsyncIterator[Terminal]:
    """A terminal whose link is up, with this line in settings.txt, paired or not."""
    files = {"settings.txt": settings.encode()} if settings else {}
    if pair_key is not None:
        files["pair.key"] = pair_key
    devices: dict[str, Any] = {
        "card_reader": SdtReader(),
        "printer": printer or EscposPrinter(),
        "voice": voice or Syn6288Voice(),
        "gate": gate or Gate(),
        "help_button": HelpButton(),
        "cash_acceptor": CcnetAcceptor(),
    }
    more = {"scanner": scanner, "relay_board": relay_board}
    devices |= {name: device for name, device in more.items() if device is not None}
    board = Board(
        "t1",
        folder,
        devices,
        firmware_folder=image,
        link=link,
        speed=speed,
        clock_rate=clock_rate,
        flash_files=files,
        **options,
    )
    try:
        await board.start()
        await board.booted()
        port = board.link_path or board.link_port()
        async with Probe(port, 7, clock_rate=clock_rate, pair_key=pair_key) as probe:
            await probe.up()
            yield Terminal(
                board,
                probe,
                *(devices[name] for name in PLUGGED),
                scanner=scanner,
                relay_board=relay_board,
            )
    except BaseException as error:
        error.add_note("board log:\n" + "\n".join(board.log))
        raise
    finally:
        await board.stop()


def play(scene: Callable[[], Awaitable[None]], timeout_s: float = 60) -> None:
    """Run a scene to its end, in virtual time: it needs link="socket" and MicroPython."""
    run_in_virtual_time(asyncio.wait_for(scene(), timeout_s))


def play_in_true_time(scene: Callable[[], Awaitable[None]], timeout_s: float = 60) -> None:
    """Run a scene with somebody in it who has a clock of his own: CPython, an agent, a host."""
    asyncio.run(asyncio.wait_for(scene(), timeout_s))
