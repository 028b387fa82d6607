-- Cash at the terminal. Nothing here names a person. Amounts in fen.

-- Payments. state 1 open, 2 ended. session: the board's name for the try. paid is not kept: it is
-- the sum of its stacked notes. voucher: what is owed, '' for nothing.
CREATE TABLE cash_payment (
    payment BLOB PRIMARY KEY,
    session INTEGER NOT NULL UNIQUE,
    service TEXT NOT NULL,
    definition INTEGER NOT NULL,
    due_fen INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 1,
    kept_fen INTEGER NOT NULL DEFAULT 0,
    voucher TEXT NOT NULL DEFAULT '',
    voucher_fen INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cash_voucher ON cash_payment (voucher) WHERE voucher != '';
CREATE INDEX cash_payment_open ON cash_payment (state) WHERE state = 1;

-- Notes, by the board's number of them. state 1 wanted (it may be in the machine), then one end for
-- ever: 2 in the cassette, 3 given back, 4 a case. payment: zeros when it was for none. cassette:
-- which it lies in, 0 while that is still in the machine.
CREATE TABLE cash_note (
    note INTEGER PRIMARY KEY,
    payment BLOB NOT NULL,
    session INTEGER NOT NULL,
    fen INTEGER NOT NULL,
    state INTEGER NOT NULL,
    place INTEGER NOT NULL DEFAULT 0,
    reason INTEGER NOT NULL DEFAULT 0,
    cassette INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX cash_note_payment ON cash_note (payment);
CREATE INDEX cash_note_wanted ON cash_note (state) WHERE state = 1;
CREATE INDEX cash_note_cassette ON cash_note (cassette) WHERE cassette = 0 AND state = 2;

-- Cassettes that were taken out, and what was counted into them.
CREATE TABLE cash_cassette (
    number INTEGER PRIMARY KEY,
    notes INTEGER NOT NULL,
    fen INTEGER NOT NULL
) STRICT;
