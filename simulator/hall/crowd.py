"""People who come to one terminal after the other, and keep away while somebody plays there."""

import asyncio
import random
from dataclasses import dataclass, field

from simulator.board.board import Board
from simulator.hall.citizens import attempt
from simulator.hall.ledger import Ledger
from simulator.hall.people import Queue
from simulator.hall.place import Place

BETWEEN_PEOPLE_S = 2.0
HELP_EVERY_VISITS = 20
OFFICER_COMES_S = 6.0
LOOK_EVERY_S = 0.5


@dataclass
class Crowd:
    """`people` counts those who came. Set `closed` and nobody comes any more."""

    queue: Queue
    ledger: Ledger
    seed: int
    speed: float
    people: int = 0
    closed: bool = False
    _counts: dict[str, int] = field(default_factory=dict)

    async def serve(self, place: Place, board: Board) -> None:
        """Let people come to one terminal until the doors close."""
        draw = random.Random(f"{self.seed}/people/{place.name}")
        while not self.closed:
            await asyncio.sleep(draw.expovariate(1 / BETWEEN_PEOPLE_S) / self.speed)
            if place.reserved or self.closed:
                continue
            place.tidy()
            step = self.queue.next_for(place, draw)
            if step is None:
                continue
            person, direction = step
            if self._wants_help(place):
                board.press_help()
            place.standing = person
            try:
                visit = await attempt(person, place, direction, self.speed, self.ledger)
            finally:
                place.standing = None
            self.people += 1
            self.queue.done(place, person, direction, visit.told)

    async def answer_calls(self, place: Place, board: Board) -> None:
        """An officer walks to the desk and answers when somebody called for help."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if place.help_button.ringing:
                await asyncio.sleep(OFFICER_COMES_S / self.speed)
                board.answer_help()

    def _wants_help(self, place: Place) -> bool:
        count = self._counts.get(place.name, 0) + 1
        self._counts[place.name] = count
        return count % HELP_EVERY_VISITS == 0
