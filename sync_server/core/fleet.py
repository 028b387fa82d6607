"""Fleet state: a terminal's newest signed snapshot. Older ones, and replays, change nothing."""

import msgspec

from protocol.errors import StateError
from protocol.state import TerminalState, open_state
from sync_server.core.codes import REFUSALS, IntakeCode
from sync_server.core.intake import Taken
from sync_server.core.store_port import StateRow, Transaction

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(TerminalState).decode


def take_state(tx: Transaction, name: str, raw: bytes, now_ms: int) -> Taken:
    """Decide over the message `raw` that came by the state topic of terminal `name`.

    The centre's clock minus the terminal's is taken from the snapshot's time: right to the delay
    of a live one, too large by its age for one that the broker kept while the centre was down.
    """
    terminal = tx.terminal(name)
    if terminal is None:
        return Taken(IntakeCode.REFUSED_UNKNOWN_TERMINAL, reason=f"{name} is not enrolled")
    number = terminal.number
    if terminal.revoked:
        return Taken(IntakeCode.REFUSED_REVOKED, number, reason=f"{name} is revoked")
    try:
        signed = open_state(raw, terminal.verify_key, name)
    except StateError as error:
        code = REFUSALS.get(error.reason, IntakeCode.REFUSED_MALFORMED)
        return Taken(code, number, reason=str(error))
    state = signed.state
    known = tx.state_order(number)
    if known is not None and signed.order <= known:
        return Taken(IntakeCode.STATE_OLDER, number)
    offset_ms = now_ms - state.at_ms
    tx.put_state(StateRow(number, signed.session, state.number, now_ms, offset_ms, _ENCODE(state)))
    return Taken(IntakeCode.STATE_ACCEPTED, number)


def stored_state(body: bytes) -> TerminalState:
    """The snapshot in a StateRow."""
    return _DECODE(body)
