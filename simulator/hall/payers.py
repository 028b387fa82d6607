"""People who pay in cash: what they put in, what came back, what they were told of it.

Each person pays after an own habit, drawn from the identity: small notes, a note that is too much,
or second thoughts after the first note. Only hands and eyes: a note went in when the motor took it.
"""

import random
from dataclasses import dataclass, field

from simulator.devices.bank_notes import CASSETTE, COLLECTED, HAND, BankNote
from simulator.hall.place import Place

ASKS, PAYS = "choice", "pay"
"""The screen's pages that wait for a choice, and for notes."""
AGREE, NO_MORE, STOP = "1", "2", "0"
SMALL, BIG = (10, 5, 10, 5), (50,)
BIG_SHARE, SECOND_THOUGHTS_SHARE = 0.25, 0.1
FEN_A_YUAN = 100


@dataclass
class Purse:
    """What one person knows of their notes in one visit."""

    notes: list[BankNote] = field(default_factory=list)
    second_thoughts: bool = False
    to_give: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, number: str) -> "Purse":
        """The habit of the person with this identity."""
        draw = random.Random(f"purse/{number}").random()
        if draw < SECOND_THOUGHTS_SHARE:
            return cls(second_thoughts=True, to_give=[5])
        return cls(to_give=list(BIG if draw < SECOND_THOUGHTS_SHARE + BIG_SHARE else SMALL))

    def offer(self, place: Place) -> None:
        """Put the next note in, if the slot takes one now."""
        acceptor = place.acceptor
        if acceptor is None or not self.to_give:
            return
        if acceptor.insert_note(self.to_give[0]) and acceptor.note is not None:
            self.notes.append(acceptor.note)
            self.to_give.pop(0)


@dataclass
class Money:
    """Fen: notes that went in, and where they are for whoever counts."""

    inserted: int = 0
    stacked: int = 0
    returned: int = 0
    inside: int = 0

    def add(self, note: BankNote) -> None:
        """One more note, where it is now."""
        fen = note.yuan * FEN_A_YUAN
        self.inserted += fen
        if note.place in (CASSETTE, COLLECTED):
            self.stacked += fen
        elif note.place == HAND:
            self.returned += fen
        else:
            self.inside += fen


def of_people(notes: list[BankNote]) -> Money:
    """What people put in and got back; they cannot see the rest."""
    money = Money()
    for note in notes:
        fen = note.yuan * FEN_A_YUAN
        money.inserted += fen
        money.returned += fen if note.place == HAND else 0
    return money


def of_acceptors(places: list[Place]) -> Money:
    """What the acceptors' insides hold, whatever their electronics say."""
    money = Money()
    for place in places:
        for note in place.acceptor.book.notes if place.acceptor is not None else ():
            money.add(note)
    return money


async def pay(purse: Purse, place: Place) -> None:
    """Do what the screen asks for next."""
    seen = await place.keypad.look()
    if seen is None or not seen.choices:
        return
    if seen.page == ASKS:
        await place.keypad.press(AGREE)
    elif seen.page == PAYS and purse.second_thoughts and purse.notes:
        await place.keypad.press(NO_MORE)
    elif seen.page == PAYS:
        purse.offer(place)
