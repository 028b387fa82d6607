"""One small tree of errors, sorted by who is at fault.

    ProtocolError
      LocalError    this side asked for what the protocol forbids: a bug here, fix the caller
      RemoteError   bytes from a wire, disk, file or card are wrong: refuse them, count `reason`

Every parse in this package raises RemoteError subclasses and nothing else, whatever the bytes.
`reason` is a stable short code for counters and listings; the text says what to do.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why bytes were refused. Append only: these words stand in databases and dashboards."""

    TOO_SHORT = "too_short"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad_signature"
    WRONG_SUITE = "wrong_suite"
    WRONG_TERMINAL = "wrong_terminal"
    WRONG_EPOCH = "wrong_epoch"
    UNKNOWN_CENTRE_KEY = "unknown_centre_key"
    BROKEN_CHAIN = "broken_chain"
    NOT_OPENED = "not_opened"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_CODING = "unknown_coding"


class ProtocolError(Exception):
    """Base of all errors of this package."""


class LocalError(ProtocolError):
    """This side broke the rules; the text names the rule."""


class SealRefusedError(LocalError):
    """An epoch that must not seal any more; open a new one from the database's seq and link."""


class RecordRefusedError(LocalError):
    """A record of this side does not fit its schema or limits; correct its values."""


class RemoteError(ProtocolError):
    """Bytes from outside were refused; `reason` says why in one word."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(f"{text} [{reason.value}]")
        self.reason = reason


class KeyFormatError(RemoteError):
    """Key bytes of the wrong size or value; take them from the bundle or key file again."""


class EnvelopeError(RemoteError):
    """An opener or a sealed record was refused."""


class BatchError(RemoteError):
    """A batch was refused as a whole."""


class ReceiptError(RemoteError):
    """An answer of the centre (receipt, rewind, hold) was refused; settle nothing on it."""


class RecordError(RemoteError):
    """An opened record does not fit any schema known here; quarantine it with its bytes."""


class TopicError(RemoteError):
    """A topic that is none of ours."""


class StateError(RemoteError):
    """A terminal state was refused; ask for the next snapshot."""


class CommandError(RemoteError):
    """A command of the centre was refused; it is neither taken nor acknowledged."""


class StatusListError(RemoteError):
    """A status list was refused; go on with the one in force."""


class SlipProofError(RemoteError):
    """The text of a slip's code was refused: it proves nothing; send the person to an officer."""


class SlipKeysError(RemoteError):
    """A file of slip keys cannot be used; have the centre write a new one (`slip-keys`)."""


class CardError(RemoteError):
    """A card's text block cannot be used; ask to hold it again, then send to an officer."""


class BundleError(RemoteError):
    """A terminal bundle cannot be used; have the centre write a new one (`add-terminal`)."""
