"""Bank notes as things: each is somewhere, once, whatever any electronics think of it.

| place | a note is there |
| --- | --- |
| VALIDATOR | from insertion until it is on its way to the cassette, and until it is back out |
| PATH | between validator and cassette |
| CASSETTE | stacked |
| COLLECTED | in a cassette that was taken away |
| HAND | given back, or pulled out |
| OFFICER | taken out of the machine by an officer |
"""

from collections import Counter
from dataclasses import dataclass

VALIDATOR, PATH, CASSETTE, COLLECTED = "validator", "path", "cassette", "collected"
HAND, OFFICER = "hand", "officer"
PLACES = (VALIDATOR, PATH, CASSETTE, COLLECTED, HAND, OFFICER)
MACHINE = (VALIDATOR, PATH, CASSETTE)


@dataclass
class BankNote:
    """`kind`: what the validator takes it for, a type of the bill table; None for no note of it.
    `recognised`: it told so."""

    number: int
    yuan: int
    kind: int | None
    place: str = VALIDATOR
    recognised: bool = False


class NoteBook:
    """All notes that ever went into one acceptor."""

    def __init__(self) -> None:
        self.notes: list[BankNote] = []

    def insert(self, yuan: int, kind: int | None) -> BankNote:
        """A new note in the validator."""
        note = BankNote(len(self.notes) + 1, yuan, kind)
        self.notes.append(note)
        return note

    def at(self, *places: str) -> list[BankNote]:
        """The notes that are at these places, in order of insertion."""
        return [note for note in self.notes if note.place in places]

    def yuan(self, *places: str) -> int:
        """What lies at these places."""
        return sum(note.yuan for note in self.at(*places))

    @property
    def counts(self) -> Counter[str]:
        """Notes a place."""
        return Counter(note.place for note in self.notes)
