"""What stands between a driver and the board it is built into."""

from protocol.wire import states


class Host:
    """What a driver gets of the board it is built into.

    `port`: its line, or None. `pins`: {pin: function}. `report(state, detail)`: its state.
    `emit(kind, *fields, tail)`: a message to the agent. `server`: effects, events, `serve` for
    messages of its own. `now`: the ticks at this start.
    """

    def __init__(self, port, pins, device, server, now):
        self.port = port
        self.pins = pins
        self.server = server
        self.now = now
        self.emit = server.outbound.emit
        self._device = device
        self.report(states.STARTING, 0)

    def report(self, state, detail):
        self.server.outbound.report(self._device, state, detail)
