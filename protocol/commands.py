"""What the centre asks of a terminal on `down/command`, signed.

    "TBC1" | terminal_len u8 | terminal | number u64 | issued_ms u64 | expires_ms u64 | kind u8
           | MessagePack | signature 64

`number` rises for ever, a terminal takes each once and in its state says through which it took
them; the centre repeats what is neither taken nor expired. Nothing here names a person.
"""

import struct
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.errors import CommandError, LocalError, Reason
from protocol.fields import (
    SIGNATURE_BYTES,
    TERMINAL_BYTES_MAX,
    TICKET_NUMBER_PATTERN,
    Reader,
    checked_body,
    pack_terminal,
)
from protocol.keys import CentreKeys, CentrePublic

COMMAND_DOMAIN = b"tongban/1/command"
COMMAND_MAGIC = b"TBC1"
COMMAND_BODY_BYTES_MAX = 512

_HEAD = struct.Struct(">QQQB")
COMMAND_BYTES_MAX = (
    len(COMMAND_MAGIC)
    + (1 + TERMINAL_BYTES_MAX)
    + _HEAD.size
    + COMMAND_BODY_BYTES_MAX
    + SIGNATURE_BYTES
)

_U32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]


class AnswerHelp(msgspec.Struct, frozen=True, array_like=True):
    """An officer is on the way to the call `event` (that of its help.call record)."""

    event: _U32


class CallTicket(msgspec.Struct, frozen=True, array_like=True):
    """Announce that `ticket` is called to `counter`."""

    ticket: Annotated[str, Meta(pattern=f"^{TICKET_NUMBER_PATTERN}$")]
    counter: Annotated[str, Meta(pattern="^[0-9]{1,2}$")]


Body = AnswerHelp | CallTicket
KINDS: dict[int, type[Body]] = {1: AnswerHelp, 2: CallTicket}

_KIND_OF: dict[type, int] = {body: kind for kind, body in KINDS.items()}
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = {kind: msgspec.msgpack.Decoder(body).decode for kind, body in KINDS.items()}


class Command(msgspec.Struct, frozen=True):
    """`issued_ms`, `expires_ms`: Unix ms of the centre. `body` is None for a kind unknown here:
    count it as taken and do nothing."""

    terminal: str
    number: int
    issued_ms: int
    expires_ms: int
    body: Body | None


def sign_command(keys: CentreKeys, command: Command) -> bytes:
    """The signed bytes. Raises LocalError when a value breaks its limit."""
    kind = _KIND_OF.get(type(command.body))
    if kind is None:
        raise LocalError(f"{type(command.body).__name__} is no command")
    try:
        packed = _ENCODE(command.body)
        _DECODE[kind](packed)
        head = _HEAD.pack(command.number, command.issued_ms, command.expires_ms, kind)
    except (msgspec.MsgspecError, ValueError, TypeError, struct.error) as error:
        raise LocalError(f"command: {error}") from error
    if len(packed) > COMMAND_BODY_BYTES_MAX:
        raise LocalError(f"command of {len(packed)} bytes, at most {COMMAND_BODY_BYTES_MAX}")
    terminal = pack_terminal(command.terminal)
    return keys.sign(COMMAND_DOMAIN, COMMAND_MAGIC + terminal + head + packed)


def open_command(raw: bytes, centre_public: CentrePublic, terminal: str) -> Command:
    """The command in `raw`, signed by the centre for this terminal. Raises CommandError."""
    body = checked_body(
        raw, centre_public.verify_key, COMMAND_DOMAIN, COMMAND_BYTES_MAX, CommandError
    )
    reader = Reader(body, CommandError)
    reader.magic(COMMAND_MAGIC)
    name = reader.terminal()
    if name != terminal:
        raise CommandError(Reason.WRONG_TERMINAL, f"is for {name}, not {terminal}")
    number, issued_ms, expires_ms, kind = reader.unpack(_HEAD)
    packed = reader.take(len(body) - reader.at)
    decoder = _DECODE.get(kind)
    try:
        decoded = decoder(packed) if decoder else None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CommandError(Reason.MALFORMED, f"command {kind}: {error}") from error
    return Command(name, number, issued_ms, expires_ms, decoded)
