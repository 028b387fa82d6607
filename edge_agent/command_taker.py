"""Commands of the centre, `down/command`: each is taken once, in order, or not at all.

| a command is | does |
| --- | --- |
| not signed by the centre, of another terminal, malformed | `refused` counts |
| not above the highest taken, or under way | `repeated` counts; the state is said again |
| expired, or of a kind unknown here | taken, nothing is done |
| a ticket's call | taken, then announced: never twice |
| an officer's answer to a call for help | done, then taken: what it does twice is one |
| the same, HANDED_MAX under way or it could not be done | not taken: the centre repeats it |

Taken is what the outbox has durably; the terminal's state names it, and the centre repeats until it
sees that.
"""

from collections.abc import Callable

from edge_agent.outbox import Outbox
from protocol.commands import AnswerHelp, CallTicket, Command, open_command
from protocol.errors import CommandError
from protocol.keys import CentrePublic
from tongban.logs import event, get

HANDED_MAX = 16
NUMBER_MAX = 2**63 - 1  # what a database and a state can hold

OnCommand = Callable[[Command, Callable[[bool], None]], None]

log = get("edge_agent.commands")


class CommandTaker:
    """One thread uses it. `clock()` gives Unix ms; `on_command(command, done)` hands one on, and
    `done(ok)` may come from any thread; `later(work)` runs work on this thread; `taken()`: the
    state is to be said."""

    def __init__(
        self,
        outbox: Outbox,
        centre: CentrePublic,
        terminal: str,
        *,
        clock: Callable[[], int],
        on_command: OnCommand,
        later: Callable[[Callable[[], None]], None],
        taken: Callable[[], None],
    ) -> None:
        self.refused = 0
        self.repeated = 0
        self._outbox = outbox
        self._centre = centre
        self._terminal = terminal
        self._clock = clock
        self._on_command = on_command
        self._later = later
        self._taken = taken
        self._handed: set[int] = set()

    def take(self, raw: bytes) -> None:
        """A message on `down/command`. Raises OutboxError: then nothing was taken."""
        try:
            command = open_command(raw, self._centre, self._terminal)
        except CommandError as error:
            self._refuse(str(error))
            return
        if command.number > NUMBER_MAX:
            self._refuse(f"number {command.number} is too large")
            return
        if command.number <= self._outbox.commands_through() or command.number in self._handed:
            self.repeated += 1
            self._taken()
            return
        self._do(command)

    def _do(self, command: Command) -> None:
        body = command.body
        kind = type(body).__name__ if body else "unknown"
        is_late = self._clock() >= command.expires_ms
        event(log, "info", "command.came", number=command.number, kind=kind, expired=is_late)
        if body is None or is_late:
            self._keep(command.number)
        elif isinstance(body, CallTicket):
            self._keep(command.number)
            self._on_command(command, lambda _ok: None)
        elif len(self._handed) < HANDED_MAX:
            assert isinstance(body, AnswerHelp)
            self._handed.add(command.number)
            self._on_command(command, lambda ok: self._later(lambda: self._done(command, ok)))

    def _done(self, command: Command, ok: bool) -> None:
        self._handed.discard(command.number)
        if ok:
            self._keep(command.number)

    def _keep(self, number: int) -> None:
        self._outbox.take_command(number).result()
        self._taken()

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        event(log, "warning", "command.refused", reason=reason)
