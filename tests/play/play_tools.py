"""A terminal without board and agent: device models that a test moves by hand."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.paper import Line, Slip, Span, Style
from simulator.devices.sdt_reader import READ, SdtReader
from simulator.devices.speech_chip import Utterance
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.hall.keypad import Keypad
from simulator.hall.ledger import Ledger
from simulator.hall.place import ENTRY, Place
from simulator.hall.posts import GATE


class PlayedBoard:
    """Counts what hands do to it."""

    def __init__(self) -> None:
        self.pressed = 0
        self.speed = 1.0

    def press_help(self) -> None:
        self.pressed += 1

    def now_ms(self) -> float:
        return 0.0


@dataclass
class PlayedTerminal:
    """As far as a guest looks at a terminal."""

    place: Place
    board: Any = field(default_factory=PlayedBoard)


@dataclass
class Scene:
    """One terminal, its ledger, and a clock that only the test moves."""

    service: str = GATE
    direction: str = ENTRY
    now: float = 0.0
    ledger: Ledger = field(default_factory=Ledger)
    terminal: PlayedTerminal = field(init=False)

    def __post_init__(self) -> None:
        rng = random.Random(1)
        self.terminal = PlayedTerminal(
            Place(
                "gate-1",
                self.service,
                self.direction,
                SdtReader(rng=rng),
                Syn6288Voice(rng=rng),
                EscposPrinter(rng=rng),
                Gate(rng=rng),
                HelpButton(rng=rng),
                Keypad(lambda: ""),
            )
        )

    @property
    def place(self) -> Place:
        return self.terminal.place

    def clock(self) -> float:
        return self.now

    def say(self, text: str, *, ended: bool = True) -> None:
        """The voice module says something."""
        said = Utterance(text, 10, 4, 0.0, 1.0 if ended else None)
        self.place.voice.transcript.append(said)

    def hand_out(self, text: str, cut: str = "full") -> None:
        """A slip comes out."""
        slip = Slip([Line((Span(text, Style()),))], cut)
        self.place.printer.slips.append(slip)

    def read(self) -> None:
        """The reader has read the card that lies on it."""
        self.place.reader.state = READ

    @property
    def told(self) -> Counter[str]:
        """What the ledger knows, by direction."""
        return Counter({claim.direction: n for claim, n in self.ledger.told.items()})
