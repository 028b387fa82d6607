"""What the board says, as events of a visit."""

from edge_agent.core import board_events as bx
from edge_agent.core import flow_events as fx
from edge_agent.core.cash_events import Ended, Progress
from edge_agent.core.scan_text import ScanError, scan_text
from protocol.errors import CardError
from protocol.people import parse_text_block, printed_address
from protocol.wire import states
from tongban.logs import event, get

CARD_FAULTS = {
    states.CARD_NOT_READ: "unreadable",
    states.CARD_BAD_CHECKSUM: "unreadable",
    states.CARD_UNKNOWN: "unknown_card",
    states.CARD_READER_SILENT: "device_fault",
    states.CARD_SAM_FAILED: "device_fault",
    states.CARD_TIME_LIMIT: "time_limit",
}
"""What the board says of a card that was not read -> outcome of `read_card`."""
_SCAN_FAULTS = {
    states.SCAN_TIME_LIMIT: "time_limit",
    states.SCAN_TOO_LONG: "unreadable",
    states.SCAN_SILENT: "device_fault",
}

log = get("edge_agent.visits")


def card_event(block: bytes) -> fx.CardRead | fx.CardNotRead:
    """A card's text block."""
    try:
        return fx.CardRead(parse_text_block(block), printed_address(block))
    except CardError as error:
        event(log, "warning", "card.not_understood", problem=str(error))
        return fx.CardNotRead("unknown_card")


def card_fault(reason: int) -> fx.CardNotRead:
    """No card was read."""
    outcome = CARD_FAULTS.get(reason, "unreadable")
    event(log, "info", "card.not_read", reason=outcome)
    return fx.CardNotRead(outcome)


def scan_event(said: bx.Scanned | bx.ScanFault) -> fx.CodeScanned | fx.CodeNotScanned:
    """A code was scanned, or none."""
    if isinstance(said, bx.ScanFault):
        outcome = _SCAN_FAULTS.get(said.reason, "unreadable")
        event(log, "info", "code.not_scanned", reason=outcome)
        return fx.CodeNotScanned(outcome)
    try:
        return fx.CodeScanned(scan_text(said.code))
    except ScanError as error:
        event(log, "info", "code.not_understood", problem=str(error))
        return fx.CodeNotScanned("unreadable")


def pay_event(said: Progress | Ended) -> fx.CashMoved | fx.CashEnded:
    """How a payment goes, or how it ended."""
    return fx.CashMoved(said) if isinstance(said, Progress) else fx.CashEnded(said)
