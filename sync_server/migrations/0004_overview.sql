-- Visits counted as they are stored, so that a page need not count millions.
CREATE TABLE visit_count(
  terminal INTEGER PRIMARY KEY REFERENCES terminal,
  visits INTEGER NOT NULL,
  held INTEGER NOT NULL
) STRICT;

INSERT INTO visit_count SELECT terminal, sum(held = 0), sum(held = 1) FROM visit GROUP BY terminal;

-- acknowledged_ms NULL: nobody has taken care of it yet.
ALTER TABLE alarm ADD COLUMN acknowledged_ms INTEGER;
ALTER TABLE alarm ADD COLUMN acknowledged_by TEXT NOT NULL DEFAULT '';
