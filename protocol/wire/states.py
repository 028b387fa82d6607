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
CASH_ACCEPTOR = 6
BARCODE_READER = 7
DEVICE_COUNT = 7
DEVICE_NAMES = (
    "",
    "card_reader",
    "printer",
    "voice",
    "gate",
    "help_button",
    "cash_acceptor",
    "barcode_reader",
)

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

# details of a state of the cash acceptor
CASSETTE_FULL = 16
CASSETTE_OUT = 17
BILL_JAMMED = 18
CASSETTE_JAMMED = 19
CHEATED = 20
SECOND_BILL = 21
ACCEPTOR_FAILED = 22

# details of a state of the gate
GATE_DOOR_OPEN = 32
GATE_FORCED = 33
GATE_FIRE = 34

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
    CASSETTE_FULL: "cassette full",
    CASSETTE_OUT: "cassette out",
    BILL_JAMMED: "bill jammed",
    CASSETTE_JAMMED: "cassette jammed",
    CHEATED: "cheated",
    SECOND_BILL: "second bill fed",
    ACCEPTOR_FAILED: "acceptor failed",
    GATE_DOOR_OPEN: "door open",
    GATE_FORCED: "door forced",
    GATE_FIRE: "fire input",
    DETAIL_REBOOTED: "board restarted",
    DETAIL_TIME_OUT: "time out",
    DETAIL_SILENT: "device silent",
    DETAIL_JOURNAL: "flash refused the journal",
    DETAIL_BAD_REQUEST: "bad request",
    DETAIL_BUSY: "busy",
    DETAIL_NO_DEVICE: "no such device",
    DETAIL_STUCK: "contact stuck",
}

# what a device counts since its board started, in the order of COUNTERS
COUNTER_NAMES = {
    CARD_READER: ("read", "faults", "damaged"),
    PRINTER: ("printed", "not_printed", "unknown"),
    VOICE: ("spoken", "interrupted", "failed"),
    GATE: ("pulses", "passed", "expired", "forced"),
    HELP_BUTTON: ("called", "answered"),
    CASH_ACCEPTOR: ("stacked", "returned", "cases", "rejected"),
    BARCODE_READER: ("scanned", "faults", "unasked"),
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

# options of reading a card, bits of a mask
CARD_WITH_ADDRESS = 1  # after the text the newest added address

# what became of reading the newest added address
ADDRESS_ADDED = 1
ADDRESS_NONE = 2  # the card has none: the printed one is the newest
ADDRESS_NOT_READ = 3

# what became of an utterance
SPEECH_STARTED = 1
SPEECH_FINISHED = 2
SPEECH_INTERRUPTED = 3
SPEECH_FAILED = 4
SPEECH_NAMES = ("", "started", "finished", "interrupted", "failed")

# states of a bank note, by its number (journal u31 << 32 | counter u32)
NOTE_ESCROW = 1  # held where it can still be given back
NOTE_STACKING = 2  # the journal says so before STACK goes out
NOTE_STACKED = 3  # in the cassette: it is money now
NOTE_RETURNED = 4
NOTE_CASE = 5  # nobody can tell by machine: an officer looks at its place
NOTE_STATE_NAMES = ("", "escrow", "stacking", "stacked", "returned", "case")
NOTE_ENDS = (NOTE_STACKED, NOTE_RETURNED, NOTE_CASE)

# where a note of a case may be
PLACE_NOWHERE = 0  # no case
PLACE_VALIDATOR = 1
PLACE_PATH = 2
PLACE_CASSETTE = 3
PLACE_ANYWHERE = 4
PLACE_NAMES = ("", "validator", "between validator and cassette", "cassette", "anywhere")

# the denominations of a mask of notes, in yuan, bit 0 first
NOTE_YUAN = (1, 5, 10, 20, 50, 100)

# whether the acceptor takes notes
CASH_CLOSED = 0
CASH_OPEN = 1
CASH_REFUSED = 2  # it cannot be opened; the state of the device says why

# why no code was scanned
SCAN_TIME_LIMIT = 1
SCAN_TOO_LONG = 2
SCAN_SILENT = 3
SCAN_FAULT_NAMES = ("", "time limit", "code too long", "scanner silent")

# kinds of event, and their tails
HELP_PRESSED = 1  # none
GATE_PASSED = 2  # effect id of the pulse u64 little-endian, 0 if none
HELP_ANSWERED = 3  # number of the call u32, ms from press to answer u32, little-endian
DOOR_FORCED = 4  # none; the gate's door opened and nobody had been let in
DOOR_HELD = 5  # none; it stays open
FIRE_OPENED = 6  # none; the fire input opened the gate
EVENT_NAMES = (
    "",
    "help pressed",
    "gate passed",
    "help answered",
    "door forced",
    "door held open",
    "opened by fire input",
)
AGE_UNKNOWN = 0xFFFFFFFF  # in an earlier life: the board has no clock that survives a reset

# lamps and their modes
LAMP_HELP = 1
LAMP_OFF = 0
LAMP_ON = 1
LAMP_BLINK = 2
