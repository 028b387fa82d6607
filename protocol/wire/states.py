"""Numbers that board and agent share: devices, their states, outcomes and reasons.

Device states are those of XFS4IoT (CEN/XFS 4, common device status); the details of the printer are
its paper and fault words.
"""

# devices
CARD_READER = 1
PRINTER = 2
VOICE = 3
GATE = 4
HELP_BUTTON = 5
DEVICES = {
    CARD_READER: "card_reader",
    PRINTER: "printer",
    VOICE: "voice",
    GATE: "gate",
    HELP_BUTTON: "help_button",
}

# device states
ONLINE = 0
OFFLINE = 1
POWER_OFF = 2
NO_DEVICE = 3
HARDWARE_ERROR = 4
USER_ERROR = 5
DEVICE_BUSY = 6
FRAUD_ATTEMPT = 7
POTENTIAL_FRAUD = 8
STARTING = 9
STATE_NAMES = (
    "online",
    "offline",
    "powerOff",
    "noDevice",
    "hardwareError",
    "userError",
    "deviceBusy",
    "fraudAttempt",
    "potentialFraud",
    "starting",
)

# details of the printer's state
PAPER_FULL = 0
PAPER_LOW = 1
PAPER_OUT = 2
PAPER_JAMMED = 3
COVER_OPEN = 4
HEAD_HOT = 5
PRINTER_ERROR = 6

# outcomes of an effect, and why it was not done
DONE = 1
NOT_DONE = 2
UNKNOWN = 3
NEVER_SEEN = 4
DETAIL_BUSY = 32
DETAIL_NO_DEVICE = 33
DETAIL_BAD_REQUEST = 34
DETAIL_JOURNAL = 35
DETAIL_SILENT = 36
DETAIL_TIME_OUT = 37
DETAIL_STUCK = 38

# why no card was read
CARD_NOT_READ = 1
CARD_READER_SILENT = 2
CARD_BAD_CHECKSUM = 3
CARD_UNKNOWN = 4
CARD_SAM_FAILED = 5
CARD_TIME_LIMIT = 6

# what became of an utterance
SPEECH_STARTED = 1
SPEECH_FINISHED = 2
SPEECH_INTERRUPTED = 3
SPEECH_FAILED = 4

# kinds of event
HELP_PRESSED = 1
GATE_PASSED = 2
