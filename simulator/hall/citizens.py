"""People in the hall. What they were told is what they heard, saw or were handed, nothing else.

A citizen holds a card to the reader, listens, walks through the gate when it opens, takes the slip,
takes the card back when the terminal says so (or when patience ends). Scripts come from one seed.
"""

import asyncio
from dataclasses import dataclass, field

from simulator.devices.paper import Slip
from simulator.hall.ledger import Claim, Ledger
from simulator.hall.payers import STOP, Purse, pay
from simulator.hall.place import TICKET, Person, Place
from simulator.hall.posts import FEE, NUMBER
from simulator.hall.told import is_done, is_over, number_in

LOOK_EVERY_S = 0.02
PATIENCE_S = 25.0
"""Real seconds: a process needs the same time to come back however fast the people are."""
PAYING_PATIENCE_S = 60.0
WALK_S = 1.5
SLIP_WAIT_S = 4.0
THINK_S = 2.5
ASKS = "choice"
"""The screen's page that waits for a choice."""


@dataclass
class Visit:
    """One attempt of one person at one terminal, as that person lived it."""

    person: Person
    direction: str
    ledger: Ledger
    heard: list[str] = field(default_factory=list)
    slips: int = 0
    gate_opened: bool = False
    told: bool = False
    printed: list[str] = field(default_factory=list)

    @property
    def claim(self) -> Claim:
        """Who did what, as far as the person knows it."""
        direction = self.direction
        if direction == TICKET and (number := number_in([*self.heard, *self.printed])):
            direction = f"{TICKET} {number}"
        return Claim.of(self.person, direction)

    def begin(self) -> None:
        """The card is about to lie on the reader."""
        self.ledger.begin(self.claim)

    def look(self) -> None:
        """Note it once when the person has heard, seen or holds that the visit is done."""
        done = is_done(self.heard) or self.gate_opened or self.slips > 0
        if done and not self.told:
            self.told = True
            self.ledger.tell(self.claim)

    def take(self, slip: Slip | None) -> bool:
        """A whole slip comes into the person's hand."""
        if slip is None or not slip.complete:
            return False
        self.slips += 1
        self.printed.append(slip.text)
        self.ledger.slips += 1
        self.look()
        return True


async def attempt(
    person: Person, place: Place, direction: str, speed: float, ledger: Ledger
) -> Visit:
    """One person at one terminal, from the card on the reader to the card back in the pocket."""
    visit = Visit(person, direction, ledger)
    visit.begin()
    heard_before = len(place.voice.transcript)
    opened_before = place.gate.openings
    loop = asyncio.get_running_loop()
    place.reader.place(person.card)
    if person.kind == "hasty":
        await asyncio.sleep(0.4 / speed)
        place.reader.lift()
        await asyncio.sleep(1.5 / speed)
        place.reader.place(person.card)
    purse = Purse.of(person.number)
    give_up = loop.time() + (PAYING_PATIENCE_S if place.service == FEE else PATIENCE_S)
    think_until = loop.time() + THINK_S / speed
    while loop.time() < give_up:
        await asyncio.sleep(LOOK_EVERY_S)
        visit.heard = [u.text for u in place.voice.transcript[heard_before:]]
        visit.gate_opened = place.gate.openings > opened_before
        visit.look()
        if is_over(visit.heard):
            break
        if place.service in (NUMBER, FEE) and loop.time() >= think_until:
            think_until = loop.time() + THINK_S / speed
            await (choose(place) if place.service == NUMBER else pay(purse, place))
    if place.service == FEE and not is_over(visit.heard):
        await place.keypad.press(STOP)  # nobody goes away from money without a word
    ledger.notes += purse.notes
    place.reader.lift()
    await asyncio.sleep(WALK_S / speed)
    await take_slip(visit, place, speed)
    return visit


async def choose(place: Place) -> None:
    """Press a key when the screen asks something: the first choice, as most people do."""
    seen = await place.keypad.look()
    if seen is not None and seen.page == ASKS:
        await place.keypad.press("1")


async def take_slip(visit: Visit, place: Place, speed: float) -> None:
    """Take what the printer hands out, waiting a little when the visit went well."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + (SLIP_WAIT_S / speed if visit.told else 0)
    while True:
        if visit.take(place.printer.take_slip()):
            return
        if loop.time() >= give_up:
            return
        await asyncio.sleep(LOOK_EVERY_S)
