"""Reason codes of intake: what became of a message. Append only: the numbers stand in databases."""

from enum import IntEnum

from protocol.errors import Reason


class IntakeCode(IntEnum):
    """Each batch and state snapshot ends as one of these; counted by terminal and code."""

    ACCEPTED = 1
    DUPLICATE = 2
    BRANCH_ACCEPTED = 3
    STATE_ACCEPTED = 4
    STATE_OLDER = 5
    GAP_REWOUND = 10
    GAP_NOT_ANSWERED = 11
    HOLD_UNKNOWN_CENTRE_KEY = 20
    HOLD_OPENER_MISSING = 21
    HOLD_STORE_UNAVAILABLE = 22
    HOLD_TOO_MANY_BRANCHES = 23
    REFUSED_TOO_LARGE = 30
    REFUSED_TOO_SHORT = 31
    REFUSED_MALFORMED = 32
    REFUSED_BAD_SIGNATURE = 33
    REFUSED_WRONG_SUITE = 34
    REFUSED_WRONG_TERMINAL = 35
    REFUSED_WRONG_EPOCH = 36
    REFUSED_BROKEN_CHAIN = 37
    REFUSED_UNKNOWN_TERMINAL = 38
    REFUSED_REVOKED = 39
    REFUSED_WRONG_TOPIC = 40
    DROPPED_QUEUE_FULL = 50
    FAILED_INTERNALLY = 51

    @property
    def text(self) -> str:
        """One sentence for an operator: what it means and what to do."""
        return _TEXTS[self]


REFUSALS: dict[Reason, IntakeCode] = {
    Reason.TOO_LARGE: IntakeCode.REFUSED_TOO_LARGE,
    Reason.TOO_SHORT: IntakeCode.REFUSED_TOO_SHORT,
    Reason.MALFORMED: IntakeCode.REFUSED_MALFORMED,
    Reason.BAD_SIGNATURE: IntakeCode.REFUSED_BAD_SIGNATURE,
    Reason.WRONG_SUITE: IntakeCode.REFUSED_WRONG_SUITE,
    Reason.WRONG_TERMINAL: IntakeCode.REFUSED_WRONG_TERMINAL,
    Reason.WRONG_EPOCH: IntakeCode.REFUSED_WRONG_EPOCH,
    Reason.BROKEN_CHAIN: IntakeCode.REFUSED_BROKEN_CHAIN,
}
"""Why the protocol refused a whole message -> the code it is counted under."""

_TEXTS: dict[IntakeCode, str] = {
    IntakeCode.ACCEPTED: "Stored and receipted.",
    IntakeCode.DUPLICATE: "All records were here already; the receipt was sent again.",
    IntakeCode.BRANCH_ACCEPTED: "Records of a restored or cloned disk: stored, effects held. "
    "See `alarms`, then look at the terminal.",
    IntakeCode.STATE_ACCEPTED: "A newer state of a terminal.",
    IntakeCode.STATE_OLDER: "A state older than the one known; ignored.",
    IntakeCode.GAP_REWOUND: "Earlier records are missing; the terminal was asked for them.",
    IntakeCode.GAP_NOT_ANSWERED: "As above, within a second of the last rewind; not answered.",
    IntakeCode.HOLD_UNKNOWN_CENTRE_KEY: "Sealed to another key of the centre: restore that key "
    "file; terminals keep their records until then.",
    IntakeCode.HOLD_OPENER_MISSING: "The epoch's opener was not here; the terminal sends it.",
    IntakeCode.HOLD_STORE_UNAVAILABLE: "The database could not be written: check free space and "
    "the log.",
    IntakeCode.HOLD_TOO_MANY_BRANCHES: "The terminal's history forked too often: take it out of "
    "service, revoke it, enrol it again.",
    IntakeCode.REFUSED_TOO_LARGE: "Larger than any message of ours.",
    IntakeCode.REFUSED_TOO_SHORT: "Ends too early.",
    IntakeCode.REFUSED_MALFORMED: "Signed, but its fields make no sense: update the centre or "
    "the terminal.",
    IntakeCode.REFUSED_BAD_SIGNATURE: "Not signed by the terminal whose topic it used.",
    IntakeCode.REFUSED_WRONG_SUITE: "Sealed by a suite that is not allowed here.",
    IntakeCode.REFUSED_WRONG_TERMINAL: "Names another terminal than its topic.",
    IntakeCode.REFUSED_WRONG_EPOCH: "Its opener is of another epoch.",
    IntakeCode.REFUSED_BROKEN_CHAIN: "Its chain does not lead where it claims.",
    IntakeCode.REFUSED_UNKNOWN_TERMINAL: "No such terminal: `add-terminal` was not done here.",
    IntakeCode.REFUSED_REVOKED: "The terminal was revoked.",
    IntakeCode.REFUSED_WRONG_TOPIC: "A topic that is none of ours.",
    IntakeCode.DROPPED_QUEUE_FULL: "The queue was full; the terminal sends again by itself.",
    IntakeCode.FAILED_INTERNALLY: "The centre failed on this message: a fault of ours; keep the "
    "log and report it.",
}
