"""What an acceptor answers to POLL, and what it means: CCNET 2.3.1, poll responses."""

from protocol.wire import states

POWER_UP = 0x10
POWER_UP_IN_VALIDATOR = 0x11
POWER_UP_IN_STACKER = 0x12
INITIALISING = 0x13
IDLING = 0x14
ACCEPTING = 0x15
STACKING = 0x17
RETURNING = 0x18
DISABLED = 0x19
HOLDING = 0x1A
BUSY = 0x1B
REJECTING = 0x1C
CASSETTE_FULL = 0x41
CASSETTE_OUT = 0x42
JAM_IN_VALIDATOR = 0x43
JAM_IN_CASSETTE = 0x44
CHEATED = 0x45
PAUSE = 0x46
FAILURE = 0x47
ESCROW = 0x80
STACKED = 0x81
RETURNED = 0x82

POWERED_UP = (POWER_UP, POWER_UP_IN_VALIDATOR, POWER_UP_IN_STACKER)
ENABLES = (IDLING, DISABLED)
ENDS = (STACKED, RETURNED)
IN_CASSETTE = (STACKED, POWER_UP_IN_STACKER)
AT_REST = (IDLING, ACCEPTING, DISABLED)  # no bill is on its way inside
ESCROWED = (ESCROW, HOLDING)
WANTS_RESET = (JAM_IN_VALIDATOR, JAM_IN_CASSETTE, CHEATED, FAILURE)
FAULTS = (CASSETTE_FULL, CASSETTE_OUT) + WANTS_RESET

_GOOD = (states.ONLINE, 0)
_STARTING = (states.STARTING, 0)
_FAULT_STATES = {
    CASSETTE_FULL: (states.USER_ERROR, states.CASSETTE_FULL),
    CASSETTE_OUT: (states.USER_ERROR, states.CASSETTE_OUT),
    JAM_IN_VALIDATOR: (states.HARDWARE_ERROR, states.BILL_JAMMED),
    JAM_IN_CASSETTE: (states.HARDWARE_ERROR, states.CASSETTE_JAMMED),
    CHEATED: (states.FRAUD_ATTEMPT, states.CHEATED),
    PAUSE: (states.USER_ERROR, states.SECOND_BILL),
    FAILURE: (states.HARDWARE_ERROR, states.ACCEPTOR_FAILED),
}
_WITH_ARGUMENT = (BUSY, REJECTING, FAILURE, ESCROW, STACKED, RETURNED)
_BARE = (
    POWERED_UP
    + AT_REST
    + (INITIALISING, STACKING, RETURNING, HOLDING, PAUSE)
    + (CASSETTE_FULL, CASSETTE_OUT, JAM_IN_VALIDATOR, JAM_IN_CASSETTE, CHEATED)
)


def is_poll_answer(length, state):
    """Whether `length` data bytes that begin with `state` answer a POLL."""
    return (length == 1 and state in _BARE) or (length == 2 and state in _WITH_ARGUMENT)


def device_state(state):
    """(state, detail) of `protocol.wire.states` for a poll answer."""
    if state in POWERED_UP or state == INITIALISING:
        return _STARTING
    return _FAULT_STATES.get(state, _GOOD)


def place_of(state):
    """Where an officer looks for a bill that was on its way to the cassette when the device said
    this."""
    if state == JAM_IN_VALIDATOR:
        return states.PLACE_VALIDATOR
    if state == JAM_IN_CASSETTE:
        return states.PLACE_PATH
    return states.PLACE_ANYWHERE
