"""Which terminals stand in a hall of a given size, and what each is for."""

from dataclasses import dataclass

from simulator.hall.place import BOTH, ENTRY, EXIT

GATE, NUMBER, FEE = "gate", "number", "fee"
TERMINALS_MAX = 16


@dataclass(frozen=True)
class Post:
    """One terminal: its name, the service it runs, and for a gate the direction."""

    name: str
    service: str
    direction: str


ROLES = ((GATE, ENTRY), (GATE, EXIT), (NUMBER, BOTH), (FEE, BOTH))


def make_posts(terminals: int) -> list[Post]:
    """The terminals of the hall in order: in, out, walk-in numbers, fees, and so on; a lone one is
    a gate for both ways."""
    if terminals == 1:
        return [Post("gate-1", GATE, BOTH)]
    found: list[Post] = []
    for number in range(terminals):
        service, direction = ROLES[number % len(ROLES)]
        count = sum(post.service == service for post in found) + 1
        found.append(Post(f"{service}-{count}", service, direction))
    return found
