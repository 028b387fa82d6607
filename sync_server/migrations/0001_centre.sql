-- Hot tables carry the terminal first in their key, so a terminal's records lie together.

CREATE TABLE meta(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- generation: new after each restore from a backup. status_list_version: never goes back.
INSERT INTO meta VALUES ('generation', 1), ('status_list_version', 0);

-- letter: begins the ticket numbers of this terminal, so no two of a hall print the same.
CREATE TABLE terminal(
  terminal INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  unit TEXT NOT NULL,
  letter TEXT NOT NULL,
  verify_key BLOB NOT NULL,
  revoked INTEGER NOT NULL DEFAULT 0,
  added_ms INTEGER NOT NULL,
  UNIQUE(unit, letter)
) STRICT;

-- branch: where its first records went.
CREATE TABLE epoch(
  epoch INTEGER PRIMARY KEY,
  terminal INTEGER NOT NULL REFERENCES terminal,
  opener_hash BLOB NOT NULL,
  epoch_id BLOB NOT NULL,
  opener BLOB NOT NULL,
  branch INTEGER NOT NULL,
  UNIQUE(terminal, opener_hash)
) STRICT;

-- A terminal's chains: branch 0 and what forked from it. seq, link: the head, the watermark.
CREATE TABLE chain(
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  link BLOB NOT NULL,
  parent INTEGER NOT NULL,
  fork_seq INTEGER NOT NULL,
  arrival INTEGER NOT NULL,
  PRIMARY KEY(terminal, branch)
) STRICT, WITHOUT ROWID;

-- What one batch brought that was new. clock_offset_ms: centre minus terminal, NULL when unknown.
CREATE TABLE arrival(
  arrival INTEGER PRIMARY KEY,
  terminal INTEGER NOT NULL REFERENCES terminal,
  epoch INTEGER NOT NULL REFERENCES epoch,
  received_ms INTEGER NOT NULL,
  clock_offset_ms INTEGER
) STRICT;

-- As the terminal said it. at_ms and what follows are NULL when the record did not open or decode.
CREATE TABLE record(
  terminal INTEGER NOT NULL,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  arrival INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  coding INTEGER NOT NULL,
  at_ms INTEGER,
  time_quality INTEGER,
  correlation BLOB,
  exception INTEGER NOT NULL,
  link BLOB NOT NULL,
  ciphertext BLOB NOT NULL,
  PRIMARY KEY(terminal, branch, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine(
  terminal INTEGER NOT NULL,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY(terminal, branch, seq)
) STRICT, WITHOUT ROWID;

-- The effect of a visit. held: it came by a branch, and counts only when a person has decided so.
CREATE TABLE visit(
  terminal INTEGER NOT NULL,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  business_date TEXT NOT NULL,
  person_ref BLOB,
  direction INTEGER NOT NULL,
  service TEXT NOT NULL,
  status INTEGER NOT NULL,
  list_version INTEGER NOT NULL,
  held INTEGER NOT NULL,
  PRIMARY KEY(terminal, branch, seq)
) STRICT, WITHOUT ROWID;

-- sealed: nonce 12, then AES-256-GCM over number and name.
CREATE TABLE person(
  person_ref BLOB PRIMARY KEY,
  document TEXT NOT NULL,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm(
  alarm INTEGER PRIMARY KEY,
  terminal INTEGER NOT NULL REFERENCES terminal,
  code TEXT NOT NULL,
  raised_ms INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;

-- The newest verified snapshot of each terminal. body: MessagePack, as the terminal signed it.
CREATE TABLE terminal_state(
  terminal INTEGER PRIMARY KEY REFERENCES terminal,
  session INTEGER NOT NULL,
  number INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  clock_offset_ms INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

-- terminal 0: of no terminal that we know.
CREATE TABLE intake_count(
  terminal INTEGER NOT NULL,
  code INTEGER NOT NULL,
  count INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  PRIMARY KEY(terminal, code)
) STRICT, WITHOUT ROWID;

-- The last few refused messages of each code: their beginning only.
CREATE TABLE intake_sample(
  code INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  topic TEXT NOT NULL,
  reason TEXT NOT NULL,
  message_bytes INTEGER NOT NULL,
  head BLOB NOT NULL,
  PRIMARY KEY(code, slot)
) STRICT, WITHOUT ROWID;

-- Only the list in force: older ones and their salt are deleted.
CREATE TABLE status_list(
  version INTEGER PRIMARY KEY,
  issued_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  signed BLOB NOT NULL
) STRICT;
