"""Numbers that a board draws itself: those of events and notes are others in every life. The agent
of a replay says what the agent of the trace said, about the event or note that came in its place.
"""

from protocol.wire import messages
from simulator.replay.script import Told

DRAWN = {messages.EVENT: 0, messages.CASH_NOTE: 0}
"""Messages of the board that bring a number -> its field."""
USED = {
    messages.EVENT_ACK: messages.EVENT,
    messages.HELP_ANSWER: messages.EVENT,
    messages.HELP_RING: messages.EVENT,
    messages.CASH_STACK: messages.CASH_NOTE,
    messages.CASH_RETURN: messages.CASH_NOTE,
    messages.CASH_ACK: messages.CASH_NOTE,
}
"""Messages of the agent whose first field is such a number -> whose."""


class Numbers:
    """`recorded`: what the board told in the trace."""

    def __init__(self, recorded: list[Told]) -> None:
        self._recorded = {kind: _in_order(kind, recorded) for kind in DRAWN}
        self._now: dict[int, list[int]] = {kind: [] for kind in DRAWN}

    def told(self, kind: int, fields: tuple[int, ...]) -> None:
        """The board of the replay told this."""
        if kind in DRAWN and fields[DRAWN[kind]] not in self._now[kind]:
            self._now[kind].append(fields[DRAWN[kind]])

    def fields(self, said: Told) -> tuple[int, ...]:
        """The fields of an agent's message as they are right in the replay."""
        kind = USED.get(said.kind)
        if kind is None or said.fields[0] not in self._recorded[kind]:
            return said.fields
        place = self._recorded[kind].index(said.fields[0])
        now = self._now[kind]
        return (now[place] if place < len(now) else said.fields[0], *said.fields[1:])


def _in_order(kind: int, recorded: list[Told]) -> list[int]:
    numbers = (one.fields[DRAWN[kind]] for one in recorded if one.kind == kind)
    return list(dict.fromkeys(numbers))
