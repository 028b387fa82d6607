"""The four answers to DLE EOT 1..4 as one device state and one detail, the gravest first."""

from protocol.wire import states

_OFFLINE = 0x08  # n = 1
_COVER_OPEN = 0x04  # n = 2
_STOPPED_PAPER_END = 0x20
_ERROR = 0x40
_CUTTER = 0x08  # n = 3
_HEAD_HOT = 0x40
_NEAR_END = 0x0C  # n = 4
_PAPER_OUT = 0x60
_GOOD = (states.ONLINE, states.PAPER_FULL)  # made once: it is the answer every two seconds


def is_healthy(answers):
    """Nothing in the answers stands against printing; paper running low does not."""
    return (
        not answers[0] & _OFFLINE
        and not answers[1] & (_COVER_OPEN | _STOPPED_PAPER_END | _ERROR)
        and answers[3] & _PAPER_OUT != _PAPER_OUT
    )


def device_state(answers):
    """(state, detail) of `protocol.wire.states` for four answer bytes."""
    printer, cause, error, paper = answers
    if cause & _COVER_OPEN:
        return states.USER_ERROR, states.COVER_OPEN
    if paper & _PAPER_OUT == _PAPER_OUT or cause & _STOPPED_PAPER_END:
        return states.USER_ERROR, states.PAPER_OUT
    if cause & _ERROR and error & _CUTTER:
        return states.HARDWARE_ERROR, states.PAPER_JAMMED
    if cause & _ERROR and error & _HEAD_HOT:
        return states.DEVICE_BUSY, states.HEAD_HOT
    if cause & _ERROR:
        return states.HARDWARE_ERROR, states.PRINTER_ERROR
    if printer & _OFFLINE:
        return states.DEVICE_BUSY, states.PAPER_FULL
    if paper & _NEAR_END == _NEAR_END:
        return states.ONLINE, states.PAPER_LOW
    return _GOOD
