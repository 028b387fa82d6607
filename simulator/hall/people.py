"""Who comes to the hall, in which order, to which gate: one script per seed.

A person enters at a gate that lets people in, later leaves at one that lets people out; at a gate
for both ways, the same one. People who were not told that they are registered go home.
"""

import random
from collections import deque
from dataclasses import dataclass, field

from simulator.devices import cards
from simulator.hall.place import BOTH, ENTRY, EXIT, PAY, TICKET, Person, Place
from simulator.hall.posts import FEE, NUMBER

PEOPLE_MAX = 4_000
KINDS = {
    "citizen": 60,
    "elder": 15,
    "rare_name": 5,
    "hmt": 4,
    "foreign": 4,
    "expired": 4,
    "hasty": 5,
}
"""Kind of person -> weight. hasty: takes the card away in mid-read, then tries again."""
LISTED_EVERY = 40
"""Every so manieth of the first 400 people is on the status list."""
FOREIGNERS_MAX = 400
HALL = "hall"
ASKS_AGAIN = 0.02


@dataclass
class Queue:
    """People still to come and people inside."""

    outside: deque[Person]
    listed: list[Person]
    inside: dict[str, deque[Person]] = field(default_factory=dict)
    numbered: set[str] = field(default_factory=set)
    payers: set[str] = field(default_factory=set)

    def next_for(self, place: Place, draw: random.Random) -> tuple[Person, str] | None:
        """The next person at this gate and which way, None when nobody wants to pass here."""
        if place.service == NUMBER:
            return self._for_a_number(draw)
        if place.service == FEE:
            return self._for_a_fee()
        leaving = self._leaving(place)
        may_leave = place.direction in (EXIT, BOTH) and leaving
        if may_leave and (place.direction == EXIT or draw.random() < 0.5):
            return leaving.popleft(), EXIT
        if place.direction in (ENTRY, BOTH) and self.outside:
            return self.outside.popleft(), ENTRY
        return None

    def done(self, place: Place, person: Person, direction: str, told: bool) -> None:
        """The attempt is over; a person who was told that the entry is done will leave later, and
        whoever has left, or was not let in, comes again when all others have been here."""
        if direction in (TICKET, PAY):
            self.inside.setdefault(HALL, deque()).append(person)
        elif direction == ENTRY and told:
            self._leaving(place).append(person)
        else:
            self.outside.append(person)

    def _leaving(self, place: Place) -> deque[Person]:
        where = place.name if place.direction == BOTH else HALL
        return self.inside.setdefault(where, deque())

    def _for_a_number(self, draw: random.Random) -> tuple[Person, str] | None:
        """Somebody who is in the hall; now and then one who has a number already and asks again."""
        waiting = self.inside.setdefault(HALL, deque())
        for _ in range(len(waiting)):
            person = waiting.popleft()
            if person.number not in self.numbered or draw.random() < ASKS_AGAIN:
                self.numbered.add(person.number)
                return person, TICKET
            waiting.append(person)
        return None

    def _for_a_fee(self) -> tuple[Person, str] | None:
        """Somebody who is in the hall and has not paid yet."""
        waiting = self.inside.setdefault(HALL, deque())
        for _ in range(len(waiting)):
            person = waiting.popleft()
            if person.number not in self.payers:
                self.payers.add(person.number)
                return person, PAY
            waiting.append(person)
        return None


def make_people(seed: int) -> Queue:
    """The script of one seed."""
    draw = random.Random(f"{seed}/people")
    kinds = draw.choices(list(KINDS), list(KINDS.values()), k=PEOPLE_MAX)
    numbers = {
        "hmt": iter(cards.numbers_for_tests(draw, PEOPLE_MAX, cards.HONG_KONG)),
        "foreign": iter(cards.foreign_numbers_for_tests(draw, FOREIGNERS_MAX)),
        "citizen": iter(cards.numbers_for_tests(draw, PEOPLE_MAX)),
    }
    everybody = []
    for kind in kinds:
        source = numbers.get(kind, numbers["citizen"])
        number = next(source, None)
        if number is not None:
            everybody.append(_person(kind, number, draw))
    return Queue(deque(everybody), everybody[LISTED_EVERY - 1 : 400 : LISTED_EVERY])


def _person(kind: str, number: str, draw: random.Random) -> Person:
    """A person of one kind; everybody else than the kinds with cards of their own is a citizen."""
    if kind == "hmt":
        card = cards.hmt_card("样例港", number, valid_to="20991231")
    elif kind == "foreign":
        card = cards.foreign_card("SAMPLE, PERSON", number, valid_to="20991231")
    elif kind == "rare_name":
        card = cards.citizen_card(draw.choice(cards.RARE_NAMES), number)
    elif kind == "expired":
        card = cards.citizen_card("样例丙", number, valid_to="20210101")
    elif kind == "elder":
        card = cards.citizen_card("样例甲", number, valid_to=cards.LONG_TERM)
    else:
        card = cards.citizen_card("样例乙", number, valid_to="20991231")
    return Person(card.document, card.number, card, kind)
