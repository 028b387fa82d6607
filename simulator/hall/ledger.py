"""What people in the hall were told: counts by person and direction, so a long day stays small.

Citizens and the visitor at a play page both write here; agents, boards and the centre never do.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.devices.bank_notes import BankNote
from simulator.hall.place import TICKET, Person


class Claim(NamedTuple):
    """Who did what: identity and direction, "ticket" before a number is known and "ticket B-017"
    after. One claim counts once for each time it was made."""

    document: str
    number: str
    direction: str

    @classmethod
    def of(cls, person: Person, direction: str) -> "Claim":
        """The claim of one person."""
        return cls(person.document, person.number, direction)

    @property
    def is_ticket(self) -> bool:
        """It is about a number, not a passage."""
        return self.direction.startswith(TICKET)


@dataclass
class Ledger:
    """`begun`: a card was held to a reader. `told`: that person heard, saw or holds "done"."""

    begun: Counter[Claim] = field(default_factory=Counter)
    told: Counter[Claim] = field(default_factory=Counter)
    slips: int = 0
    notes: list[BankNote] = field(default_factory=list)
    """Bank notes that people put in, wherever they are now."""

    def begin(self, claim: Claim) -> None:
        """A person begins; before anything can be told."""
        self.begun[claim] += 1

    def tell(self, claim: Claim) -> None:
        """The person knows that it is done. A ticket's number may be told again: it is the same."""
        if claim.is_ticket:
            self.told[claim] = 1
        else:
            self.told[claim] += 1
