"""What a person can touch, see and hear at one terminal, and who that person is."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from simulator.devices.cards import Card
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.paper import Slip
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.hall.keypad import Keypad

ENTRY, EXIT, BOTH = "entry", "exit", "both"
TICKET = "ticket"
"""What a person gets at a terminal for numbers, in place of a direction."""
PAY = "pay"
"""What a person does at a terminal for fees."""
LEFT_BEHIND_MAX = 20
"""Slips in the outlet that nobody took; older ones fall to the floor."""


@dataclass(frozen=True)
class Person:
    """Who stands there: the identity on the card, the card, and how this person behaves."""

    document: str
    number: str
    card: Card
    kind: str


@dataclass
class Place:
    """One terminal from the outside.

    `standing`: the simulated person in front of it, None when nobody is. `reserved`: somebody plays
    here, so simulated people stay away.
    """

    name: str
    service: str
    direction: str
    reader: SdtReader
    voice: Syn6288Voice
    printer: EscposPrinter
    gate: Gate
    help_button: HelpButton
    keypad: Keypad
    acceptor: CcnetAcceptor | None = None
    standing: Person | None = None
    reserved: bool = False
    left_behind: deque[Slip] = field(default_factory=lambda: deque(maxlen=LEFT_BEHIND_MAX))
    _forgotten: int = 0

    def devices(self) -> dict[str, Any]:
        """The models under the names the board plugs them in by."""
        cash = {} if self.acceptor is None else {"cash_acceptor": self.acceptor}
        return cash | {
            "card_reader": self.reader,
            "printer": self.printer,
            "voice": self.voice,
            "gate": self.gate,
            "help_button": self.help_button,
        }

    @property
    def utterances(self) -> int:
        """How many were heard here, ever."""
        return self._forgotten + len(self.voice.transcript)

    @property
    def is_silent(self) -> bool:
        """Nothing sounds at this moment."""
        return not self.voice.transcript or self.voice.transcript[-1].ended_ms is not None

    def tidy(self) -> None:
        """Forget what was said and handed out to people who have left, but for the last word."""
        spare = max(0, len(self.voice.transcript) - 1)
        del self.voice.transcript[:spare]
        self._forgotten += spare
        while (slip := self.printer.take_slip()) is not None:
            self.left_behind.append(slip)
        self.printer.slips.clear()
        self.printer.taken = 0
