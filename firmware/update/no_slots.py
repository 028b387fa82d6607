"""A board whose firmware lies in no slot: it takes no update, and says so."""

from protocol.wire import messages
from protocol.wire import update_states as us


class NoSlots:
    """Refuses on its own; `server` is the LinkServer."""

    def __init__(self, server):
        self._emit = server.outbound.emit
        server.serve(messages.UPDATE_BEGIN, self._refuse)

    def _refuse(self, fields, tail, now):
        self._emit(messages.UPDATE_STATE, fields[0], us.UPDATE_REFUSED, us.NO_SLOTS, 0)
