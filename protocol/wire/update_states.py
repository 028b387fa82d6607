"""The numbers of updates that board and agent share. Never used again for something else."""

# what a board does with an update (UPDATE_STATE)
UPDATE_NONE = 0
UPDATE_RECEIVING = 1  # wants the stream from the offset told
UPDATE_CHECKING = 2
UPDATE_READY = 3  # everything lies in the other slot and is checked: waits for UPDATE_ACTIVATE
UPDATE_ACTIVATING = 4  # the pointer names it, the board resets
UPDATE_REFUSED = 5
UPDATE_STATE_NAMES = ("none", "receiving", "checking", "ready", "activating", "refused")

# what the slot is in that runs (UPDATE_SLOT)
SLOT_CONFIRMED = 0
SLOT_TRIAL = 1
SLOT_STATE_NAMES = ("confirmed", "trial")

# reasons
REASON_NONE = 0
NO_SLOTS = 1
NO_KEY = 2
BAD_FORM = 3
WRONG_BOARD = 4
OLDER_VERSION = 5
SAME_VERSION = 6
BAD_SIGNATURE = 7
WRONG_HASH = 8
TOO_LARGE = 9
WRONG_SIZE = 10
NOT_CONFIRMED = 11
FLASH_REFUSED = 12
BUSY = 13  # no end: the update stays ready
DID_NOT_START = 14
NO_LINK = 15
DAMAGED = 16
NO_MEMORY = 17

ROOM_BYTES = 2048  # the agent may be ahead of the offset told by so much
