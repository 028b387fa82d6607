"""Whoever plays at one terminal: puts cards, listens, takes slips, breaks devices, mends them.

| state | event | next | does |
| --- | --- | --- | --- |
| FREE | a page opens | WAITING | simulated people keep away from now on |
| WAITING | the person in front has gone | HERE | hands are free |
| HERE | the last page closes | LEAVING | - |
| WAITING, LEAVING | a page opens | same, HERE | - |
| WAITING, LEAVING | no page for GRACE_S | FREE | card taken, slips taken, devices mended |

What the guest was told goes to the hall's ledger, as with everybody else.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from simulator.devices.paper import Slip
from simulator.devices.sdt_reader import READ
from simulator.hall.citizens import Visit
from simulator.hall.hall import Terminal
from simulator.hall.ledger import Claim, Ledger
from simulator.hall.place import BOTH, ENTRY, EXIT, PAY, TICKET
from simulator.hall.posts import FEE, NUMBER
from simulator.hall.told import asks_officer, is_done
from simulator.play.wallet import WalletCard

GRACE_S = 3.0
SLIPS_KEPT_MAX = 12
CAPTIONS_KEPT_MAX = 6
CLAIMS_MAX = 1_000
"""Visits of one guest that count; beyond, the eldest are forgotten."""
FREE, WAITING, HERE, LEAVING = "free", "waiting", "here", "leaving"


@dataclass(frozen=True)
class Caption:
    """What was heard. `sounds`: it can still be heard."""

    number: int
    text: str
    volume: int
    speed: int
    sounds: bool


class Guest:
    """One per terminal. `look()` is called several times a second."""

    def __init__(self, terminal: Terminal, ledger: Ledger, clock: Callable[[], float]) -> None:
        self.terminal = terminal
        self.place = terminal.place
        self.state = FREE
        self.card = ""
        self.captions: dict[int, Caption] = {}
        """By number, the newest last."""
        self.slips: dict[int, Slip] = {}
        """By number, the newest last; in the outlet or in the guest's hand."""
        self.held: list[int] = []
        self.told: deque[Claim] = deque(maxlen=CLAIMS_MAX)
        self.reads = self.heard_done = self.slips_taken = self.cards_back = self.helps = 0
        self.kills: Counter[str] = Counter()
        self._ledger = ledger
        self._clock = clock
        self._pages = 0
        self._left_at = 0.0
        self._visit: Visit | None = None
        self._heard_from = self._opened_before = 0
        self._ended_through = -1
        self._has_read = self._counted = False
        self._slip_number = 0
        self._lying: list[int] = []

    # ---- pages come and go

    def enter(self) -> None:
        """A page of this terminal was opened."""
        self._pages += 1
        if self.state == FREE:
            self.state = WAITING
            self.place.reserved = True
        elif self.state == LEAVING:
            self.state = HERE

    def leave(self) -> None:
        """A page was closed."""
        self._pages -= 1
        self._left_at = self._clock()
        if self._pages == 0 and self.state == HERE:
            self.state = LEAVING

    @property
    def is_here(self) -> bool:
        """The guest may touch things."""
        return self.state in (HERE, LEAVING)

    # ---- what hands do

    def put(self, card: WalletCard) -> bool:
        """Put a card on the reader; one that lies there is taken away first."""
        if not self.is_here:
            return False
        self.lift()
        self._notice()
        self.card = card.key
        if not self._is_asked_for_officer:
            self._visit = Visit(card.person, self._direction(card), self._ledger)
            self._visit.begin()
            self._heard_from = self.place.utterances
            self._opened_before = self.place.gate.openings
            self._counted = False
        self._has_read = False
        self.place.reader.place(card.person.card)
        return True

    @property
    def _is_asked_for_officer(self) -> bool:
        """The card that comes now speaks for the person whose visit is under way."""
        visit = self._visit
        if visit is None or visit.told or not visit.heard:
            return False
        return asks_officer(visit.heard[-1])

    def lift(self) -> bool:
        """Take the card back."""
        if self.card:
            self._notice()
            self.card = ""
            self.cards_back += 1
            self.place.reader.lift()
        return True

    def take_slip(self) -> bool:
        """Take the oldest slip in the outlet."""
        self._notice()
        if not self.is_here or not self._lying:
            return False
        slip = self.place.printer.take_slip()
        number = self._lying.pop(0)
        self.held = [*self.held, number][-SLIPS_KEPT_MAX:]
        self.slips_taken += slip is not None and slip.complete
        if self._visit is not None:
            self._visit.take(slip)
            self._note_told()
        return True

    def insert_note(self, yuan: int) -> bool:
        """Put a bank note into the slot; False when it is not drawn in."""
        acceptor = self.place.acceptor
        if not self.is_here or acceptor is None or not acceptor.insert_note(yuan):
            return False
        if acceptor.note is not None:
            self._ledger.notes.append(acceptor.note)
        return True

    def press_help(self) -> bool:
        """Press the help button."""
        if self.is_here:
            self.helps += 1
            self.terminal.board.press_help()
        return self.is_here

    def switch_fault(self, device: str, fault: str, on: bool) -> bool:
        """Break something, or mend it. Raises LookupError, FaultError for what there is not."""
        if not self.is_here:
            return False
        model = self.place.devices()[device]
        if on:
            model.faults.add(fault)
            return True
        model.faults.remove(fault)
        if device == "printer":
            self._mend_printer(fault)
        return True

    def mend_all(self) -> bool:
        """Everything works again."""
        for model in self.place.devices().values():
            model.faults.clear()
        self.place.printer.change_roll()
        self.place.printer.clear_jam()
        return True

    def _mend_printer(self, fault: str) -> None:
        if fault.startswith("paper_out"):
            self.place.printer.change_roll()
        elif fault == "cutter_jam":
            self.place.printer.clear_jam()

    def _direction(self, card: WalletCard) -> str:
        """Which way the terminal will take this person."""
        if self.place.service == NUMBER:
            return TICKET
        if self.place.service == FEE:
            return PAY
        if self.place.direction != BOTH:
            return self.place.direction
        entries, exits = (self._ledger.told[Claim.of(card.person, way)] for way in (ENTRY, EXIT))
        return EXIT if entries > exits else ENTRY

    # ---- what eyes and ears notice

    def look(self) -> None:
        """Notice what was said, printed and opened since."""
        if self.state == WAITING and self.place.standing is None:
            self.place.tidy()
            self._ended_through = self.place.utterances - 1
            self.state = HERE
        if self._pages == 0 and self.place.reserved and self._clock() - self._left_at > GRACE_S:
            self._go()
        self._notice()

    def _notice(self) -> None:
        if self.is_here:
            self._hear()
            self._see()

    def _hear(self) -> None:
        transcript = self.place.voice.transcript
        first = self.place.utterances - len(transcript)
        for number in range(max(self._ended_through + 1, first), first + len(transcript)):
            said = transcript[number - first]
            sounds = said.ended_ms is None
            self.captions[number] = Caption(number, said.text, said.volume, said.speed, sounds)
            if not sounds:
                self._ended_through = number
                is_ours = self._visit is not None and number >= self._heard_from
                self.heard_done += is_ours and is_done([said.text])
        for number in list(self.captions)[:-CAPTIONS_KEPT_MAX]:
            del self.captions[number]
        if self._visit is not None:
            self._visit.heard = [u.text for u in transcript[max(0, self._heard_from - first) :]]
            self._visit.gate_opened = self.place.gate.openings > self._opened_before
            self._visit.look()
            self._note_told()

    def _note_told(self) -> None:
        if self._visit is not None and self._visit.told and not self._counted:
            self._counted = True
            claim = self._visit.claim
            if not (claim.is_ticket and claim in self.told):  # a number told again is the same
                self.told.append(claim)

    def _see(self) -> None:
        if self.card and not self._has_read and self.place.reader.state == READ:
            self._has_read = True
            self.reads += 1
        printer = self.place.printer
        while len(self._lying) < len(printer.slips) - printer.taken:
            self._slip_number += 1
            self.slips[self._slip_number] = printer.slips[printer.taken + len(self._lying)]
            self._lying.append(self._slip_number)
        for number in list(self.slips)[:-SLIPS_KEPT_MAX]:
            del self.slips[number]

    @property
    def lying(self) -> int:
        """The number of the slip in the outlet, 0 when there is none."""
        return self._lying[0] if self._lying else 0

    @property
    def told_counts(self) -> Counter[Claim]:
        """What this guest was told, as claims."""
        return Counter(self.told)

    @property
    def has_told(self) -> bool:
        """The visit of the card that was put last is done, as far as the guest knows."""
        return self._visit is not None and self._visit.told

    def _go(self) -> None:
        self.lift()
        self.mend_all()
        self.place.tidy()
        self._lying.clear()
        self.held.clear()
        self.captions.clear()
        self._visit = None
        self.state = FREE
        self.place.reserved = False
