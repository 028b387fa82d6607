"""A terminal's state: always one full signed snapshot, kept retained on `up/state`.

    "TBS1" | terminal_len u8 | terminal | session u64 | length u16 | MessagePack | signature 64

`session` counts the agent's connections for ever: of two snapshots the one with the higher
(session, number) is the newer. The last will is a snapshot of the same session with `online`
false, number WILL_NUMBER; a terminal that sees an older session's will publishes again.
"""

import struct
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.errors import LocalError, Reason, StateError
from protocol.fields import (
    SIGNATURE_BYTES,
    TERMINAL_BYTES_MAX,
    Reader,
    checked_body,
    pack_terminal,
)
from protocol.keys import DeviceKey

STATE_DOMAIN = b"tongban/1/state"
STATE_MAGIC = b"TBS1"
STATE_BODY_BYTES_MAX = 16 * 1024
DEVICES_MAX = 64
ALARMS_MAX = 64
VERSIONS_MAX = 16
COUNTERS_MAX = 16
WILL_NUMBER = 2**32 - 1

_U64 = struct.Struct(">Q")
_U16 = struct.Struct(">H")
STATE_BYTES_MAX = (
    len(STATE_MAGIC)
    + (1 + TERMINAL_BYTES_MAX)
    + _U64.size
    + _U16.size
    + STATE_BODY_BYTES_MAX
    + SIGNATURE_BYTES
)

_U8 = Annotated[int, Meta(ge=0, le=0xFF)]
_U32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
_U63 = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Word = Annotated[str, Meta(min_length=1, max_length=64)]


class DeviceCondition(msgspec.Struct, frozen=True, array_like=True):
    """One device; numbers as in protocol/wire/states.py."""

    device: _U8
    state: _U8
    detail: _U8 = 0


class DeviceCounters(msgspec.Struct, frozen=True, array_like=True):
    """What one device has done since its board started; names in protocol/wire/states.py."""

    device: _U8
    counts: Annotated[tuple[_U32, ...], Meta(max_length=COUNTERS_MAX)]


class Alarm(msgspec.Struct, frozen=True, array_like=True):
    """What needs a person. `since_ms`: Unix ms of the terminal."""

    code: _Word
    since_ms: _U63


class TerminalState(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A full snapshot. `backlog`: unsettled records; `oldest_age_ms`: age of the oldest of them.

    `versions` names what runs: agent, firmware, runtime, catalogue ... `time_quality` as in
    records. `first_unsettled_seq` is the next seq when nothing is unsettled. `visits`: those ever
    made durable here, so those whose person could be told. `commands_through`: the highest number
    of the centre's commands that was taken.
    """

    number: Annotated[int, Meta(ge=0, le=WILL_NUMBER)]
    online: bool
    at_ms: _U63
    time_quality: Annotated[int, Meta(ge=0, le=2)]
    first_unsettled_seq: _U63
    backlog: _U63
    oldest_age_ms: _U63
    versions: Annotated[dict[_Word, _Word], Meta(max_length=VERSIONS_MAX)] = {}
    devices: Annotated[tuple[DeviceCondition, ...], Meta(max_length=DEVICES_MAX)] = ()
    alarms: Annotated[tuple[Alarm, ...], Meta(max_length=ALARMS_MAX)] = ()
    visits: _U63 = 0
    visits_settled: _U63 = 0
    commands_through: _U63 = 0
    counters: Annotated[tuple[DeviceCounters, ...], Meta(max_length=DEVICES_MAX)] = ()


class SignedState(msgspec.Struct, frozen=True):
    """An opened snapshot with whose it is."""

    terminal: str
    session: int
    state: TerminalState

    @property
    def order(self) -> tuple[int, int]:
        """The greater one is the newer."""
        return self.session, self.state.number


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(TerminalState).decode


def sign_state(device_key: DeviceKey, terminal: str, session: int, state: TerminalState) -> bytes:
    """The signed bytes. Raises LocalError when a value breaks its limit."""
    try:
        packed = _ENCODE(state)
        _DECODE(packed)
        body = _U64.pack(session) + _U16.pack(len(packed)) + packed
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, struct.error) as error:
        raise LocalError(f"terminal state: {error}") from error
    if len(packed) > STATE_BODY_BYTES_MAX:
        raise LocalError(f"terminal state of {len(packed)} bytes, at most {STATE_BODY_BYTES_MAX}")
    return device_key.sign(STATE_DOMAIN, STATE_MAGIC + pack_terminal(terminal) + body)


def open_state(raw: bytes, verify_key: bytes, terminal: str) -> SignedState:
    """The snapshot that the device with `verify_key` signed as `terminal`. Raises StateError."""
    body = checked_body(raw, verify_key, STATE_DOMAIN, STATE_BYTES_MAX, StateError)
    reader = Reader(body, StateError)
    reader.magic(STATE_MAGIC)
    name = reader.terminal()
    if name != terminal:
        raise StateError(Reason.WRONG_TERMINAL, f"names {name}, came from {terminal}")
    (session,) = reader.unpack(_U64)
    (size,) = reader.unpack(_U16)
    if size > STATE_BODY_BYTES_MAX:
        raise StateError(Reason.TOO_LARGE, f"{size} bytes of state")
    packed = reader.take(size)
    reader.end()
    try:
        return SignedState(name, session, _DECODE(packed))
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise StateError(Reason.MALFORMED, f"state: {error}") from error
