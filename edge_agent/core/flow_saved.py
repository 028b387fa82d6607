"""A visit as it lies in the database between two steps. It names no person."""

import msgspec

from edge_agent.core.flow_events import FactValue


class SavedFlowError(Exception):
    """Saved bytes that this program cannot read; forget the visit."""


class SavedFlow(msgspec.Struct, frozen=True, array_like=True):
    """Where a visit stands. `effect`: id of the board's effect of `step`, 0 for none.

    `saved_ms`: Unix ms. `record_intent`: 16 bytes, the append of the visit's record.
    """

    service: str
    version: int
    step: str
    effect: int
    correlation: bytes
    record_intent: bytes
    saved_ms: int
    facts: dict[str, FactValue]

    def to_bytes(self) -> bytes:
        """MessagePack."""
        return msgspec.msgpack.encode(self)

    @staticmethod
    def from_bytes(data: bytes) -> "SavedFlow":
        """Raises SavedFlowError."""
        try:
            return msgspec.msgpack.decode(data, type=SavedFlow)
        except msgspec.MsgspecError as error:
            raise SavedFlowError(f"saved visit cannot be read: {error}") from error
