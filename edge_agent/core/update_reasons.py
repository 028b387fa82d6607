"""Why an update ended, in words for a technician, with the cure. Numbers: wire.update_states."""

from protocol.wire import update_states as us

REASONS = {
    us.REASON_NONE: ("none", ""),
    us.NO_SLOTS: ("no slots", "provision the board with `tongban board build` and `provision`"),
    us.NO_KEY: ("no key", "provision the board with the release key, release.pub"),
    us.BAD_FORM: ("bad form", "build the release again with this version of the tools"),
    us.WRONG_BOARD: ("wrong board", "give the release that was built for this board"),
    us.OLDER_VERSION: ("older version", "build a release with a higher version number"),
    us.SAME_VERSION: ("same version", "nothing to do, or build with a higher version number"),
    us.BAD_SIGNATURE: ("bad signature", "compare fingerprints: `tongban release verify`"),
    us.WRONG_HASH: ("wrong hash", "fetch the release again; if it comes back, change the cable"),
    us.TOO_LARGE: ("too large", "the flash has no room for it: see `tongban board doctor`"),
    us.WRONG_SIZE: ("wrong size", "fetch the release again"),
    us.NOT_CONFIRMED: ("not confirmed", "wait until the update before has passed its self-test"),
    us.FLASH_REFUSED: ("flash refused", "the flash is full or worn: see `tongban board doctor`"),
    us.BUSY: ("busy", "it waits until the terminal is idle"),
    us.DID_NOT_START: ("did not start", "the old version runs; report it to who built the release"),
    us.NO_LINK: ("no link", "the old version runs; it started, but never reached the agent"),
    us.DAMAGED: ("damaged", "the other slot runs; update again, and watch the flash"),
    us.NO_MEMORY: ("no memory", "restart the terminal's board and give the release again"),
}
"""Number -> (name, cure)."""


def reason_name(reason: int) -> str:
    """Its name, or its number when a newer board has one that is not known here."""
    return REASONS[reason][0] if reason in REASONS else f"reason {reason}"


def reason_cure(reason: int) -> str:
    """What to do about it."""
    return REASONS[reason][1] if reason in REASONS else "update the agent's software"
