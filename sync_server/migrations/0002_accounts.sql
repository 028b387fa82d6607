-- Who may use the pages of the centre. scope: a unit path, '' for everything.
CREATE TABLE account(
  account INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  scope TEXT NOT NULL,
  password TEXT NOT NULL,
  is_disabled INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL
) STRICT;

-- At most one row, gone with the first account. Tokens stand here hashed only.
CREATE TABLE setup_token(
  token_hash BLOB PRIMARY KEY,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session(
  token_hash BLOB PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account,
  created_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Login attempts since the last that went well, by account name and by address, both hashed.
CREATE TABLE login_attempt(
  subject BLOB PRIMARY KEY,
  attempts INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who did what. hash: SHA-256 over the hash before and this row; audit_head names the last one.
CREATE TABLE audit(
  entry INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  about TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;

CREATE TABLE audit_head(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  entry INTEGER NOT NULL,
  hash BLOB NOT NULL
) STRICT;

INSERT INTO audit_head VALUES (1, 0, zeroblob(32));

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
