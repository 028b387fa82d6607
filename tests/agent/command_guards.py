"""What must hold of the centre's commands: each is done once, whatever comes how often."""

from collections.abc import Callable
from pathlib import Path

from edge_agent.command_taker import CommandTaker
from edge_agent.outbox import Outbox
from protocol.commands import CallTicket, Command, sign_command
from protocol.keys import CentreKeys
from tests.agent.outbox_guards import CENTRE, TERMINAL, open_outbox

NOW_MS = 1_000_000
FAR_MS = 2_000_000


class Taking:
    """A taker that notes what it was given to do."""

    def __init__(self, outbox: Outbox, clock: Callable[[], int] = lambda: NOW_MS) -> None:
        self.done: list[Command] = []
        self.answers: dict[int, Callable[[bool], None]] = {}
        self.said = 0
        self.taker = CommandTaker(
            outbox,
            CENTRE.public,
            TERMINAL,
            clock=clock,
            on_command=self._do,
            later=lambda work: work(),
            taken=self._say,
        )

    def _do(self, command: Command, done: Callable[[bool], None]) -> None:
        self.done.append(command)
        self.answers[command.number] = done

    def _say(self) -> None:
        self.said += 1


def signed(
    number: int,
    body: object = None,
    *,
    expires_ms: int = FAR_MS,
    keys: CentreKeys = CENTRE,
    terminal: str = TERMINAL,
) -> bytes:
    ticket = body or CallTicket(f"B-{number % 1000:03}", "3")
    return sign_command(keys, Command(terminal, number, 0, expires_ms, ticket))  # type: ignore[arg-type]


def replayed_command_violations(folder: Path) -> list[str]:
    """Replayed and late commands do nothing, also in the next life of the agent."""
    outbox = open_outbox(folder / "outbox.db")
    done: list[int] = []
    for numbers in ((5, 5, 4, 6, 5), (6, 5, 7, 7)):
        life = Taking(outbox)
        for number in numbers:
            life.taker.take(signed(number))
        done += [command.number for command in life.done]
    outbox.close()
    if done == [5, 6, 7]:
        return []
    return [f"commands 5, 6 and 7 were each sent more than once, and these were done: {done}"]
