"""What a board tells of a card's newest address."""

from edge_agent.core.board_events import CardAddress
from protocol.errors import CardError
from protocol.people import added_address
from protocol.wire import states


def newest_address(said: CardAddress) -> str | None:
    """The address that was added last; None when the printed one is the newest, "" when nobody can
    tell: not read, or a text that cannot be right."""
    if said.outcome == states.ADDRESS_NONE:
        return None
    try:
        return added_address(said.data) if said.outcome == states.ADDRESS_ADDED else ""
    except CardError:
        return ""
