-- A walk-in ticket: what intake stored of it, and where it stands in the queue of its hall.
-- queued_ms: when it counts as issued. held: it came by a branch. stands: it is the one of its
-- person, matter and day in this hall; the others are in conflict with it, and are honoured too.
CREATE TABLE ticket(
  ticket INTEGER PRIMARY KEY,
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  unit TEXT NOT NULL,
  business_date TEXT NOT NULL,
  matter TEXT NOT NULL,
  number TEXT NOT NULL,
  person_ref BLOB NOT NULL,
  ground INTEGER NOT NULL,
  officer_ref BLOB,
  issued_ms INTEGER NOT NULL,
  queued_ms INTEGER NOT NULL,
  held INTEGER NOT NULL,
  stands INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  calls INTEGER NOT NULL DEFAULT 0,
  counter TEXT NOT NULL DEFAULT '',
  changed_ms INTEGER,
  UNIQUE(terminal, branch, seq)
) STRICT;

CREATE INDEX ticket_of_person ON ticket(unit, business_date, person_ref, matter);
CREATE INDEX ticket_of_number ON ticket(unit, business_date, number);
CREATE INDEX ticket_of_day ON ticket(business_date, unit, state, queued_ms);

CREATE UNIQUE INDEX one_ticket_stands ON ticket(unit, business_date, matter, person_ref)
WHERE stands = 1;

-- What a rule could not settle. unit: the hall that decides. decided_ms NULL: it waits.
CREATE TABLE conflict(
  conflict INTEGER PRIMARY KEY,
  reason TEXT NOT NULL,
  unit TEXT NOT NULL,
  found_ms INTEGER NOT NULL,
  deadline_ms INTEGER NOT NULL,
  first_ticket INTEGER NOT NULL REFERENCES ticket,
  later_ticket INTEGER NOT NULL REFERENCES ticket,
  decided_ms INTEGER,
  officer TEXT NOT NULL DEFAULT '',
  decision TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX conflict_of_ticket ON conflict(later_ticket);
CREATE INDEX conflict_of_first ON conflict(first_ticket);

-- What officers did with tickets.
CREATE TABLE ticket_event(
  event INTEGER PRIMARY KEY,
  ticket INTEGER NOT NULL REFERENCES ticket,
  at_ms INTEGER NOT NULL,
  officer TEXT NOT NULL,
  counter TEXT NOT NULL,
  action TEXT NOT NULL
) STRICT;

CREATE INDEX event_of_ticket ON ticket_event(ticket);

CREATE TRIGGER ticket_event_is_not_changed BEFORE UPDATE ON ticket_event
BEGIN SELECT RAISE(ABORT, 'ticket_event is append-only'); END;

CREATE TRIGGER ticket_event_is_not_deleted BEFORE DELETE ON ticket_event
BEGIN SELECT RAISE(ABORT, 'ticket_event is append-only'); END;

-- Presses of the help button, and answers. pressed_ms, answered_ms: as far as the terminal's time
-- can be believed. wait_ms: from press to answer by the board's clock, NULL when it restarted.
CREATE TABLE help_call(
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  event INTEGER NOT NULL,
  pressed_ms INTEGER NOT NULL,
  PRIMARY KEY(terminal, branch, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX help_call_by_time ON help_call(pressed_ms);

CREATE TABLE help_answer(
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  event INTEGER NOT NULL,
  answered_ms INTEGER NOT NULL,
  wait_ms INTEGER,
  answered_by INTEGER NOT NULL,
  PRIMARY KEY(terminal, branch, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX help_answer_of_event ON help_answer(terminal, event);

-- Devices that changed their state, by the terminal's records.
CREATE TABLE device_change(
  terminal INTEGER NOT NULL REFERENCES terminal,
  branch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  device INTEGER NOT NULL,
  state INTEGER NOT NULL,
  detail INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY(terminal, branch, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX change_of_device ON device_change(terminal, device, at_ms);

-- What the centre asks of terminals. number rises for ever for each. about: the event of a help
-- call or the id of a ticket. taken_ms NULL: the terminal has not said that it took it.
CREATE TABLE command(
  terminal INTEGER NOT NULL REFERENCES terminal,
  number INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  about INTEGER NOT NULL,
  body BLOB NOT NULL,
  issued_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  officer TEXT NOT NULL,
  taken_ms INTEGER,
  PRIMARY KEY(terminal, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX command_waiting ON command(expires_ms) WHERE taken_ms IS NULL;
