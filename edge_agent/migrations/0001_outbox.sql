-- A terminal's durable memory. Records are sealed before they come here; nothing here names a person.

-- Whose memory this is. A folder copied to another terminal is refused.
CREATE TABLE owner (one INTEGER PRIMARY KEY CHECK (one = 1), terminal TEXT NOT NULL) STRICT;

-- One row an epoch: the opener that gives the centre its key, and where it stands in the chain.
-- at_centre: a receipt has shown that the centre has the opener.
CREATE TABLE epoch (
    number INTEGER PRIMARY KEY,
    epoch_id BLOB NOT NULL UNIQUE,
    opener BLOB NOT NULL,
    first_seq INTEGER NOT NULL,
    link_before BLOB NOT NULL,
    at_centre INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One row a sealed record. seq is contiguous from 1; link is the chain value after it. intent: what
-- its append was called, so that the same one again is answered and not done twice.
CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL REFERENCES epoch (number),
    intent BLOB NOT NULL,
    kind INTEGER NOT NULL,
    coding INTEGER NOT NULL,
    visit INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    ciphertext BLOB NOT NULL,
    link BLOB NOT NULL
) STRICT;

-- How far the centre has what we recorded. through_seq only goes back when the centre says, signed,
-- that it has less (it was restored from a backup). generation: the centre's newest, ever.
CREATE TABLE settled (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    through_seq INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    secured_seq INTEGER NOT NULL
) STRICT;
INSERT INTO settled VALUES (1, 0, 0, 0);

-- Verified receipts as they came: proof of what the centre once took.
CREATE TABLE receipt (
    generation INTEGER NOT NULL,
    through_seq INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (generation, through_seq)
) STRICT, WITHOUT ROWID;

-- Records that the centre took, but not into effect, with its code.
CREATE TABLE exception (seq INTEGER PRIMARY KEY, code INTEGER NOT NULL) STRICT;

-- Visits under way, for the next start of the agent.
CREATE TABLE flow (flow BLOB PRIMARY KEY, state BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Who passed here today, by scrypt with the day's salt; both are deleted when the day is over.
CREATE TABLE day_salt (day TEXT PRIMARY KEY, salt BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE passage (
    day TEXT NOT NULL,
    who BLOB NOT NULL,
    direction TEXT NOT NULL,
    PRIMARY KEY (day, who)
) STRICT, WITHOUT ROWID;

-- Walk-in numbers: who holds which today, by the same scrypt and deleted with its salt. No person,
-- matter and day has two rows, and no number comes twice on a day.
CREATE TABLE ticket (
    day TEXT NOT NULL,
    who BLOB NOT NULL,
    matter TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (day, who, matter),
    UNIQUE (day, number)
) STRICT, WITHOUT ROWID;

-- The last number of each day, kept for ever (a row names nobody): a clock that goes back to a day
-- never counts from one again. closed: that day's index is deleted, so nobody can be looked up.
CREATE TABLE ticket_counter (
    day TEXT PRIMARY KEY,
    last INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Single numbers: floor_ms (highest time ever seen), session (MQTT connections ever made),
-- commands_through (of the centre), help_* (the last call for help).
CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- The signed status list in force, as it came.
CREATE TABLE status_list (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    raw BLOB NOT NULL
) STRICT;
