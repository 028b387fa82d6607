-- Cash. Amounts are integer fen. What came by a branch is kept with held = 1 and booked nowhere.

-- What became of one bank note. payment: zeros when there was none. outcome: 1 in the cassette,
-- 2 given back, 3 nobody can tell by machine.
CREATE TABLE cash_note(
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  unit TEXT NOT NULL,
  business_date TEXT NOT NULL,
  note INTEGER NOT NULL,
  payment BLOB NOT NULL CHECK(length(payment) = 8),
  fen INTEGER NOT NULL CHECK(fen >= 0),
  outcome INTEGER NOT NULL CHECK(outcome IN (1, 2, 3)),
  place INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  held INTEGER NOT NULL CHECK(held IN (0, 1)),
  PRIMARY KEY(terminal, branch, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_end_of_a_note ON cash_note(terminal, note) WHERE held = 0;
CREATE INDEX note_of_day ON cash_note(business_date, terminal);
CREATE INDEX note_by_end ON cash_note(terminal, ended_ms);

CREATE TABLE cash_payment(
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  unit TEXT NOT NULL,
  business_date TEXT NOT NULL,
  payment BLOB NOT NULL CHECK(length(payment) = 8),
  service TEXT NOT NULL,
  definition INTEGER NOT NULL,
  due_fen INTEGER NOT NULL CHECK(due_fen >= 0),
  paid_fen INTEGER NOT NULL CHECK(paid_fen >= 0),
  kept_fen INTEGER NOT NULL CHECK(kept_fen >= 0),
  voucher TEXT NOT NULL,
  person_ref BLOB,
  ended_ms INTEGER NOT NULL,
  held INTEGER NOT NULL CHECK(held IN (0, 1)),
  PRIMARY KEY(terminal, branch, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_end_of_a_payment ON cash_payment(terminal, payment) WHERE held = 0;

-- A cassette that was taken out: what the terminal told, and what the ledger had. counted_ms NULL:
-- nobody has counted it; due_fen: what it should have held then.
CREATE TABLE cash_cassette(
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  unit TEXT NOT NULL,
  business_date TEXT NOT NULL,
  notes INTEGER NOT NULL,
  fen INTEGER NOT NULL CHECK(fen >= 0),
  expected_fen INTEGER NOT NULL,
  taken_ms INTEGER NOT NULL,
  held INTEGER NOT NULL CHECK(held IN (0, 1)),
  due_fen INTEGER NOT NULL DEFAULT 0,
  counted_fen INTEGER,
  counted_ms INTEGER,
  counted_by TEXT NOT NULL DEFAULT '',
  decision TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(terminal, branch, seq),
  CHECK((counted_ms IS NULL) = (counted_fen IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER cassette_counted_once BEFORE UPDATE ON cash_cassette
WHEN OLD.counted_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'this cassette was counted already'); END;

-- What is owed to the holder of a printed number. branch, seq: the record of its payment, whose
-- number its slip proves. settled_ms NULL: not paid out yet.
CREATE TABLE cash_voucher(
  voucher INTEGER PRIMARY KEY,
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  unit TEXT NOT NULL,
  business_date TEXT NOT NULL,
  number TEXT NOT NULL CHECK(number <> ''),
  payment BLOB NOT NULL,
  service TEXT NOT NULL,
  fen INTEGER NOT NULL CHECK(fen > 0),
  issued_ms INTEGER NOT NULL,
  settled_ms INTEGER,
  settled_by TEXT NOT NULL DEFAULT '',
  CHECK((settled_ms IS NULL) = (settled_by = ''))
) STRICT;

CREATE INDEX voucher_of_number ON cash_voucher(unit, number);
CREATE UNIQUE INDEX voucher_of_record ON cash_voucher(terminal, branch, seq);
CREATE INDEX voucher_of_day ON cash_voucher(business_date, terminal);
CREATE INDEX voucher_by_settled ON cash_voucher(settled_ms);

CREATE TRIGGER voucher_settled_once BEFORE UPDATE ON cash_voucher
WHEN OLD.settled_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'this voucher was settled already'); END;

-- What an officer has to look at. branch, seq: the record that it follows from. unit: the hall that
-- owns it. fen: what it is about. note, payment, place and detail: as the terminal said. closed_ms
-- NULL: it waits.
CREATE TABLE cash_case(
  cash_case INTEGER PRIMARY KEY,
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  unit TEXT NOT NULL,
  business_date TEXT NOT NULL,
  reason TEXT NOT NULL,
  fen INTEGER NOT NULL CHECK(fen >= 0),
  note INTEGER NOT NULL,
  payment BLOB NOT NULL,
  voucher TEXT NOT NULL,
  place INTEGER NOT NULL,
  detail INTEGER NOT NULL,
  found_ms INTEGER NOT NULL,
  deadline_ms INTEGER NOT NULL,
  closed_ms INTEGER,
  closed_by TEXT NOT NULL DEFAULT '',
  outcome TEXT NOT NULL DEFAULT '',
  decision TEXT NOT NULL DEFAULT '',
  CHECK((closed_ms IS NULL) = (outcome = ''))
) STRICT;

CREATE INDEX case_by_closed ON cash_case(closed_ms);
CREATE INDEX case_of_payment ON cash_case(terminal, payment, reason);

CREATE TRIGGER case_closed_once BEFORE UPDATE ON cash_case
WHEN OLD.closed_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'this case was closed already'); END;

-- The ledger. One row of cash_booking is one transaction; its entries lie before it in the same
-- commit and sum to 0. about: the id of what is booked, so that nothing is booked twice.
CREATE TABLE cash_booking(
  booking INTEGER PRIMARY KEY,
  cause TEXT NOT NULL,
  about TEXT NOT NULL,
  terminal INTEGER NOT NULL REFERENCES terminal,
  unit TEXT NOT NULL,
  business_date TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  officer TEXT NOT NULL,
  UNIQUE(cause, about)
) STRICT;

CREATE INDEX booking_of_day ON cash_booking(business_date, terminal);

-- fen: debit above 0, credit below. An entry whose booking is not there at the commit fails it.
CREATE TABLE cash_entry(
  booking INTEGER NOT NULL REFERENCES cash_booking DEFERRABLE INITIALLY DEFERRED,
  account TEXT NOT NULL,
  fen INTEGER NOT NULL CHECK(fen <> 0),
  PRIMARY KEY(booking, account)
) STRICT, WITHOUT ROWID;

-- Sums that are kept as rows come, so that a page need not add up years. cash_account: what the
-- entries of an account sum to. cash_counted: notes of a terminal as they were told.
CREATE TABLE cash_account(
  account TEXT PRIMARY KEY,
  fen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_not_at_0 ON cash_account(account, fen) WHERE fen <> 0;

CREATE TRIGGER entry_counts AFTER INSERT ON cash_entry
BEGIN
  INSERT INTO cash_account VALUES(NEW.account, NEW.fen)
  ON CONFLICT DO UPDATE SET fen = fen + excluded.fen;
END;

CREATE TABLE cash_counted(
  terminal INTEGER PRIMARY KEY REFERENCES terminal,
  inserted_fen INTEGER NOT NULL,
  returned_fen INTEGER NOT NULL,
  held_fen INTEGER NOT NULL
) STRICT;

CREATE TRIGGER note_counts AFTER INSERT ON cash_note
BEGIN
  INSERT INTO cash_counted VALUES(
    NEW.terminal,
    iif(NEW.held, 0, NEW.fen),
    iif(NEW.held OR NEW.outcome <> 2, 0, NEW.fen),
    iif(NEW.held AND NEW.outcome = 1, NEW.fen, 0)
  ) ON CONFLICT DO UPDATE SET
    inserted_fen = inserted_fen + excluded.inserted_fen,
    returned_fen = returned_fen + excluded.returned_fen,
    held_fen = held_fen + excluded.held_fen;
END;

CREATE TRIGGER payment_counts AFTER INSERT ON cash_payment
BEGIN INSERT OR IGNORE INTO cash_counted VALUES(NEW.terminal, 0, 0, 0); END;

CREATE TRIGGER cassette_counts AFTER INSERT ON cash_cassette
BEGIN INSERT OR IGNORE INTO cash_counted VALUES(NEW.terminal, 0, 0, 0); END;

CREATE TRIGGER booking_balances BEFORE INSERT ON cash_booking
WHEN coalesce((SELECT sum(fen) FROM cash_entry WHERE booking = NEW.booking), 1) <> 0
BEGIN SELECT RAISE(ABORT, 'this booking does not balance'); END;

CREATE TRIGGER booking_is_not_changed BEFORE UPDATE ON cash_booking
BEGIN SELECT RAISE(ABORT, 'cash_booking is append-only'); END;

CREATE TRIGGER booking_is_not_deleted BEFORE DELETE ON cash_booking
BEGIN SELECT RAISE(ABORT, 'cash_booking is append-only'); END;

CREATE TRIGGER entry_comes_first BEFORE INSERT ON cash_entry
WHEN EXISTS(SELECT 1 FROM cash_booking WHERE booking = NEW.booking)
BEGIN SELECT RAISE(ABORT, 'this booking is closed'); END;

CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON cash_entry
BEGIN SELECT RAISE(ABORT, 'cash_entry is append-only'); END;

CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON cash_entry
BEGIN SELECT RAISE(ABORT, 'cash_entry is append-only'); END;
