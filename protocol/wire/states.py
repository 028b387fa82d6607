"""The numbers that board and agent share: devices, their states, outcomes, reasons, events.

Device states use the vocabulary of XFS4IoT (common status, `device`), paper that of its printer
status. Numbers are never used again for something else.
"""

# devices
CARD_READER = 1
PRINTER = 2
VOICE = 3
GATE = 4
HELP_BUTTON = 5
DEVICE_COUNT = 5
DEVICE_NAMES = ("", "card_reader", "printer", "voice", "gate", "help_button")

# states of a device
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

# details of a state of the printer; 0 of any other device says no more than its state
PAPER_FULL = 0
PAPER_LOW = 1
PAPER_OUT = 2
PAPER_JAMMED = 3
COVER_OPEN = 4
HEAD_HOT = 5
PRINTER_ERROR = 6

# details of any state and of any outcome
DETAIL_REBOOTED = 64
DETAIL_TIME_OUT = 65
DETAIL_SILENT = 66
DETAIL_JOURNAL = 67
DETAIL_BAD_REQUEST = 68
DETAIL_BUSY = 69
DETAIL_NO_DEVICE = 70
DETAIL_STUCK = 71
DETAIL_NAMES = {
    PAPER_FULL: "full",
    PAPER_LOW: "low",
    PAPER_OUT: "out",
    PAPER_JAMMED: "jammed",
    COVER_OPEN: "cover open",
    HEAD_HOT: "head hot",
    PRINTER_ERROR: "printer error",
    DETAIL_REBOOTED: "board restarted",
    DETAIL_TIME_OUT: "time out",
    DETAIL_SILENT: "device silent",
    DETAIL_JOURNAL: "flash refused the journal",
    DETAIL_BAD_REQUEST: "bad request",
    DETAIL_BUSY: "busy",
    DETAIL_NO_DEVICE: "no such device",
    DETAIL_STUCK: "contact stuck",
}

# outcomes of an effect
DONE = 1
NOT_DONE = 2
UNKNOWN = 3
NEVER_SEEN = 4
OUTCOME_NAMES = ("", "done", "not done", "unknown", "never seen")

# why a card was not read
CARD_NOT_READ = 1  # the reader answered 41 in mid-read: card lifted or damaged
CARD_READER_SILENT = 2
CARD_BAD_CHECKSUM = 3
CARD_UNKNOWN = 4
CARD_SAM_FAILED = 5
CARD_TIME_LIMIT = 6
CARD_FAULT_NAMES = (
    "",
    "not read",
    "reader silent",
    "bad checksum",
    "unknown card",
    "security module failed",
    "time limit",
)

# what became of an utterance
SPEECH_STARTED = 1
SPEECH_FINISHED = 2
SPEECH_INTERRUPTED = 3
SPEECH_FAILED = 4
SPEECH_NAMES = ("", "started", "finished", "interrupted", "failed")

# kinds of event, and their tails
HELP_PRESSED = 1  # none
GATE_PASSED = 2  # effect id of the pulse u64 little-endian, 0 if none
HELP_ANSWERED = 3  # number of the call u32, ms from press to answer u32, little-endian
EVENT_NAMES = ("", "help pressed", "gate passed", "help answered")
AGE_UNKNOWN = 0xFFFFFFFF  # in an earlier life: the board has no clock that survives a reset

# lamps and their modes
LAMP_HELP = 1
LAMP_OFF = 0
LAMP_ON = 1
LAMP_BLINK = 2
