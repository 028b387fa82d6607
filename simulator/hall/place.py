"""What a person can touch, see and hear at one terminal, and who that person is."""

from dataclasses import dataclass
from typing import Any

from simulator.devices.cards import Card
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice

ENTRY, EXIT, BOTH = "entry", "exit", "both"


@dataclass(frozen=True)
class Person:
    """Who stands there: the identity on the card, the card, and how this person behaves."""

    document: str
    number: str
    card: Card
    kind: str


@dataclass
class Place:
    """One terminal from the outside."""

    name: str
    direction: str
    reader: SdtReader
    voice: Syn6288Voice
    printer: EscposPrinter
    gate: Gate
    help_button: HelpButton

    def devices(self) -> dict[str, Any]:
        """The models under the names the board plugs them in by."""
        return {
            "card_reader": self.reader,
            "printer": self.printer,
            "voice": self.voice,
            "gate": self.gate,
            "help_button": self.help_button,
        }
